// One layer onto what lies below it. The blends work on sRGB values; what is faded or added is light, and linear.
// AXIS is two bits: 1 = the generated picture over inputs, else an input; 2 = there is light to fade or add.
uniform sampler2D below;
uniform bool is_lowest;      // nothing lies below: black
uniform sampler2D above;
uniform int blend;           // BLENDS of layer_params.py
#if AXIS & 1
uniform float luma_key;      // what is darker is let through; 0 = off
uniform float luma_softness;
uniform float laid;          // 0 = `above` alone, plainly; 1 = laid over what is below
#else
uniform vec2 above_size;     // pixels
uniform mat3 from_target;    // pixel of the target to pixel of `above`
uniform vec2 clip_start;     // pixels of the target: the layer is seen from here
uniform vec2 clip_end;       // to here
uniform bool uses_key;       // alpha of `above`
#endif
uniform float opacity;
uniform mat3 colour_matrix;  // of the whole
uniform float colour_offset;
uniform float brightness;
uniform float grain;         // one step of the target, so that gradients show no bands

out vec4 colour;

const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);

#if AXIS & 2
vec3 light_of(vec3 value) {
    return mix(value / 12.92, pow((max(value, 0.0) + 0.055) / 1.055, vec3(2.4)), step(0.04045, value));
}

vec3 value_of(vec3 light) {
    return mix(light * 12.92, 1.055 * pow(max(light, 1e-6), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, light));
}
#endif

vec3 blended(vec3 low, vec3 high) {
    switch (blend) {
        case 2: return low + high - low * high;
        case 3: return low * high;
        case 4: return abs(low - high);
        case 5: return max(low, high);
        case 6: return min(low, high);
        case 7: return mix(2.0 * low * high, 1.0 - 2.0 * (1.0 - low) * (1.0 - high), step(0.5, low));
        case 8: return max(low - high, 0.0);
        default: return high;
    }
}

vec3 faded(vec3 low, vec3 high) {
#if AXIS & 2
    vec3 light = light_of(low);
    // light that is added is faded by being less
    vec3 added = min(light + opacity * light_of(high), 1.0);
    return value_of(blend == 1 ? added : mix(light, light_of(blended(low, high)), opacity));
#else
    return blended(low, high);
#endif
}

void main() {
    vec2 here = gl_FragCoord.xy;
    vec3 low = is_lowest ? vec3(0.0) : texelFetch(below, ivec2(here), 0).rgb;
#if AXIS & 1
    vec3 high = texelFetch(above, ivec2(here), 0).rgb;
    float bright = smoothstep(luma_key, luma_key + max(luma_softness, 1e-4), dot(high, LUMA));
    vec3 mixed = mix(low, faded(low, high), luma_key > 0.0 ? bright : 1.0);
    mixed = mix(high, mixed, laid);
#else
    vec2 at = (from_target * vec3(here, 1.0)).xy;
    vec4 high = texture(above, at / above_size);
    // edges are covered by shares of pixels, so that there are no steps
    vec2 reach = min(at, above_size - at) / max(fwidth(at), vec2(1e-6)) + 0.5;
    vec2 covered = clamp(reach, 0.0, 1.0) * step(clip_start, here) * step(here, clip_end);
    vec3 mixed = mix(low, faded(low, high.rgb), covered.x * covered.y * (uses_key ? high.a : 1.0));
#endif
    mixed = (colour_matrix * mixed + colour_offset) * brightness;
    // interleaved gradient noise (Jimenez 2014): fixed in place, so that a still picture stays still
    float noise = fract(52.9829189 * fract(dot(here, vec2(0.06711056, 0.00583715)))) - 0.5;
    colour = vec4(mixed + grain * noise, 1.0);
}
