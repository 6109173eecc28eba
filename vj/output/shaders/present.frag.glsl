// The finished canvas onto the display: turned, mirrored, pinned by its corners, and matched in brightness and gamma.
uniform sampler2D source;
uniform ivec2 source_size;   // pixels
uniform mat3 from_target;    // pixel of the target to pixel of the canvas, in perspective
uniform bool is_pinned;      // else pixels are only moved, whole
uniform float brightness;
uniform float exponent;      // 1 / gamma
uniform float grain;         // one step of the target, so that gradients show no bands

out vec4 colour;

vec3 fetch(ivec2 at) {
    return texelFetch(source, clamp(at, ivec2(0), source_size - 1), 0).rgb;
}

// A pixel of a pinned picture; its edge is covered by shares of pixels, so that there are no steps.
vec3 pinned(vec3 way) {
    vec2 at = way.xy / way.z;
    vec2 reach = min(at, vec2(source_size) - at) / max(fwidth(at), vec2(1e-6)) + 0.5;
    vec2 covered = clamp(reach, 0.0, 1.0);
    float seen = way.z > 0.0 ? covered.x * covered.y : 0.0;
    vec2 corner = floor(at - 0.5);
    vec2 share = at - 0.5 - corner;
    ivec2 base = ivec2(clamp(corner, vec2(-2.0), vec2(source_size)));
    vec3 lower = mix(fetch(base), fetch(base + ivec2(1, 0)), share.x);
    vec3 upper = mix(fetch(base + ivec2(0, 1)), fetch(base + ivec2(1, 1)), share.x);
    return mix(lower, upper, share.y) * seen;
}

void main() {
    vec3 way = from_target * vec3(gl_FragCoord.xy, 1.0);
    vec3 light = is_pinned ? pinned(way) : texelFetch(source, ivec2(way.xy), 0).rgb;
    light = clamp(light * brightness, 0.0, 1.0);
    if (exponent != 1.0) {
        light = pow(light, vec3(exponent));
    }
    // interleaved gradient noise (Jimenez 2014): fixed in place, so that a still picture stays still
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    colour = vec4(light + grain * noise, 1.0);
}
