// Bicubic scaling along one axis; two passes make a picture. The first, AXIS 0, scales the columns and colours them; the
// second, AXIS 1, scales the rows onto the target. Four fetches a pixel: exact for every ratio above 1, and a software
// rasteriser keeps up.
uniform sampler2D source;
uniform int source_size;    // pixels along the axis
uniform float crop_start;   // pixels of the source along the axis: what of it is used
uniform float crop_size;
uniform int target_size;    // pixels along the axis, of the whole picture before it is enlarged
uniform ivec2 target_start; // corner of what is drawn
uniform int offset;         // from the picture's edge to that corner along the axis, before it is enlarged
uniform float unzoomed;     // 1 / zoom, from the picture's centre
#if AXIS == 0
uniform mat3 colour_matrix;
uniform float colour_offset;
#else
uniform float brightness;
uniform float grain;        // one step of the target, so that gradients show no bands
#endif

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
#if AXIS == 0
    return texelFetch(source, ivec2(clamped, at.y), 0).rgb;
#else
    return texelFetch(source, ivec2(at.x, clamped), 0).rgb;
#endif
}

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy) - target_start;
    float half_size = 0.5 * float(target_size);
    // exact at zoom 1, whose picture must be the unenlarged one bit by bit
    float from_centre = (float(at[AXIS] + offset) + 0.5 - half_size) * unzoomed;
#if AXIS == 0
    float target = half_size + from_centre;
#else
    float target = half_size - from_centre; // the window counts from the bottom, frames from the top
#endif
    float centre = crop_start + target * crop_size / float(target_size) - 0.5;
    int base = int(floor(centre));
    vec4 weight = mitchell(centre - float(base));
    vec3 sum = weight.x * fetch(base - 1, at) + weight.y * fetch(base, at) + weight.z * fetch(base + 1, at)
        + weight.w * fetch(base + 2, at);
#if AXIS == 0
    colour = vec4(colour_matrix * sum + colour_offset, 1.0);
#else
    // interleaved gradient noise (Jimenez 2014): fixed in place, so that a still picture stays still
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    colour = vec4(sum * brightness + grain * noise, 1.0);
#endif
}
