// One layer onto what lies below it. The blends work on sRGB values; what is faded or added is light, and linear.
uniform sampler2D below;
uniform bool is_lowest;      // nothing lies below: black
uniform sampler2D above;
uniform vec2 above_size;     // pixels
uniform mat3 from_target;    // pixel of the target to pixel of `above`
uniform vec2 clip_start;     // pixels of the target: the layer is seen from here
uniform vec2 clip_end;       // to here
uniform int blend;           // BLENDS of layer_params.py
uniform float opacity;
uniform bool uses_key;       // alpha of `above`
uniform float luma_key;      // what is darker is let through; 0 = off
uniform float luma_softness;
uniform float laid;          // 0 = `above` alone, plainly; 1 = laid over what is below
uniform mat3 colour_matrix;  // of the whole
uniform float colour_offset;
uniform float brightness;
uniform float grain;         // one step of the target, so that gradients show no bands

out vec4 colour;

const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);

vec3 light_of(vec3 value) {
    return mix(value / 12.92, pow((max(value, 0.0) + 0.055) / 1.055, vec3(2.4)), step(0.04045, value));
}

vec3 value_of(vec3 light) {
    return mix(light * 12.92, 1.055 * pow(max(light, 1e-6), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, light));
}

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

vec3 faded(vec3 from, vec3 to, float share) {
    if (share <= 0.0) {
        return from;
    }
    return share >= 1.0 ? to : value_of(mix(light_of(from), light_of(to), share));
}

vec3 laid_over(vec3 low, vec3 high, float share) {
    if (blend == 1) {
        return share <= 0.0 ? low : value_of(min(light_of(low) + share * light_of(high), 1.0));
    }
    return faded(low, blended(low, high), share);
}

void main() {
    vec2 here = gl_FragCoord.xy;
    vec3 low = is_lowest ? vec3(0.0) : texelFetch(below, ivec2(here), 0).rgb;
    vec2 at = (from_target * vec3(here, 1.0)).xy;
    vec4 high = texture(above, at / above_size);
    // edges are covered by shares of pixels, so that there are no steps
    vec2 reach = min(at, above_size - at) / max(fwidth(at), vec2(1e-6)) + 0.5;
    vec2 covered = clamp(reach, 0.0, 1.0) * step(clip_start, here) * step(here, clip_end);
    float share = opacity * covered.x * covered.y * (uses_key ? high.a : 1.0);
    if (luma_key > 0.0) {
        share *= smoothstep(luma_key, luma_key + max(luma_softness, 1e-4), dot(high.rgb, LUMA));
    }
    vec3 mixed = faded(high.rgb, laid_over(low, high.rgb, share), laid);
    mixed = (colour_matrix * mixed + colour_offset) * brightness;
    // interleaved gradient noise (Jimenez 2014): fixed in place, so that a still picture stays still
    float noise = fract(52.9829189 * fract(dot(here, vec2(0.06711056, 0.00583715)))) - 0.5;
    colour = vec4(mixed + grain * noise, 1.0);
}
