// Bicubic scaling along one axis; two passes make a picture, and the first one colours it. Four fetches a pixel: exact
// for every ratio above 1, and a software rasteriser keeps up.
uniform sampler2D source;
uniform int axis;           // 0 columns, 1 rows
uniform int source_size;    // pixels along the axis
uniform int target_size;    // pixels along the axis, of the whole picture before it is enlarged
uniform ivec2 target_start; // corner of what is drawn
uniform int offset;         // from the picture's edge to that corner along the axis, before it is enlarged
uniform float zoom;         // from the picture's centre
uniform mat3 colour_matrix; // columns only: with the rows the colours are done
uniform float colour_offset;
uniform bool is_flipped;    // rows: the window counts from the bottom, frames from the top
uniform float brightness;
uniform float grain;        // one step of the target, so that gradients show no bands

out vec4 colour;

// Mitchell and Netravali, "Reconstruction Filters in Computer Graphics" (1988), B = C = 1/3: the compromise between
// the blur of the B-spline and the halos of Catmull-Rom.
vec4 mitchell(float f) {
    vec4 x = abs(vec4(f + 1.0, f, 1.0 - f, 2.0 - f));
    vec4 near = (7.0 * x * x * x - 12.0 * x * x + 16.0 / 3.0) / 6.0;
    vec4 far = (-7.0 / 3.0 * x * x * x + 12.0 * x * x - 20.0 * x + 32.0 / 3.0) / 6.0;
    return vec4(far.x, near.y, near.z, far.w);
}

vec3 fetch(int along, ivec2 at) {
    int clamped = clamp(along, 0, source_size - 1);
    return texelFetch(source, axis == 0 ? ivec2(clamped, at.y) : ivec2(at.x, clamped), 0).rgb;
}

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy) - target_start;
    float half_size = 0.5 * float(target_size);
    // exact at zoom 1, whose picture must be the unenlarged one bit by bit
    float target = half_size + (float((axis == 0 ? at.x : at.y) + offset) + 0.5 - half_size) / zoom;
    if (is_flipped) {
        target = float(target_size) - target;
    }
    float centre = target * float(source_size) / float(target_size) - 0.5;
    int base = int(floor(centre));
    vec4 weight = mitchell(centre - float(base));
    vec3 sum = weight.x * fetch(base - 1, at) + weight.y * fetch(base, at) + weight.z * fetch(base + 1, at)
        + weight.w * fetch(base + 2, at);
    if (axis == 0) {
        sum = colour_matrix * sum + colour_offset;
    }
    // interleaved gradient noise (Jimenez 2014): fixed in place, so that a still picture stays still
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    colour = vec4(sum * brightness + grain * noise, 1.0);
}
