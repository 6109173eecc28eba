// The picture before the first frame: slow ink in dark water, lit from within. Drawn small and stretched.
uniform vec2 size;  // pixels
uniform float time; // seconds

out vec4 colour;

float hash(vec2 p) {
    vec3 q = fract(vec3(p.xyx) * 0.1031);
    q += dot(q, q.yzx + 33.33);
    return fract((q.x + q.y) * q.z);
}

float noise(vec2 p) {
    vec2 cell = floor(p);
    vec2 f = p - cell;
    f = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
    float top = mix(hash(cell), hash(cell + vec2(1.0, 0.0)), f.x);
    float bottom = mix(hash(cell + vec2(0.0, 1.0)), hash(cell + vec2(1.0, 1.0)), f.x);
    return mix(top, bottom, f.y);
}

float cloud(vec2 p) {
    float sum = 0.0;
    float amplitude = 0.55;
    for (int octave = 0; octave < 4; ++octave) {
        sum += amplitude * noise(p);
        p = mat2(1.6, 1.2, -1.2, 1.6) * p + 7.3;
        amplitude *= 0.47;
    }
    return sum;
}

void main() {
    vec2 p = (gl_FragCoord.xy - 0.5 * size) / size.y;
    float t = time * 0.22;
    float turn = 0.35 * sin(0.31 * t);
    vec2 q = mat2(cos(turn), sin(turn), -sin(turn), cos(turn)) * p * 2.1;
    vec2 warp = vec2(cloud(q + vec2(0.0, t)), cloud(q + vec2(5.2 - 0.7 * t, 1.3)));
    vec2 fold = vec2(cloud(q + 2.3 * warp + vec2(1.7, 9.2 + 0.6 * t)), cloud(q + 2.3 * warp + vec2(8.3 - 0.4 * t, 2.8)));
    float ink = cloud(q + 2.6 * fold);

    vec3 water = vec3(0.012, 0.022, 0.065);
    vec3 deep = vec3(0.03, 0.16, 0.36);
    vec3 violet = vec3(0.42, 0.10, 0.46);
    vec3 ember = vec3(1.00, 0.50, 0.16);
    vec3 light = mix(water, deep, smoothstep(0.25, 0.75, ink));
    light = mix(light, violet, smoothstep(0.35, 0.95, warp.y * ink * 1.9));
    float vein = smoothstep(0.12, 0.0, abs(fold.x - fold.y - 0.04 * sin(t * 3.0)));
    light += ember * vein * smoothstep(0.42, 0.85, ink) * (0.75 + 0.25 * sin(t * 5.0 + 6.0 * ink));
    light += vec3(0.25, 0.55, 0.65) * pow(max(ink - 0.45, 0.0) * 1.7, 3.0);
    light *= 1.0 - 0.45 * dot(p, p);
    colour = vec4(pow(clamp(light * (0.4 + 0.95 * ink), 0.0, 1.0), vec3(0.58)), 1.0);
}
