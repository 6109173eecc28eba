/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Bends the picture by slow noise, by waves, or by its own brightness.",
  "CATEGORIES": ["vj"],
  "PLACE": 2,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 0.25, "DEFAULT": 0.04, "CURVE": "square", "HELP": "How far it is bent, as a share of the height." },
    { "NAME": "scale", "TYPE": "float", "MIN": 0.5, "MAX": 16, "DEFAULT": 3, "CURVE": "square", "HELP": "How many bends there are from top to bottom." },
    { "NAME": "speed", "TYPE": "float", "MIN": 0, "MAX": 4, "DEFAULT": 0.4, "UNIT": "Hz", "CURVE": "square", "HELP": "How fast noise and waves move." },
    { "NAME": "by", "TYPE": "long", "VALUES": [0, 1, 2], "LABELS": ["noise", "waves", "picture"], "DEFAULT": 0, "HELP": "What bends the picture." }
  ]
}*/

float hash(vec2 p) {
    vec3 q = fract(vec3(p.xyx) * 0.1031);
    q += dot(q, q.yzx + 33.33);
    return fract((q.x + q.y) * q.z);
}

float noise(vec2 p) {
    vec2 cell = floor(p);
    vec2 f = p - cell;
    f = f * f * (3.0 - 2.0 * f);
    float lower = mix(hash(cell), hash(cell + vec2(1.0, 0.0)), f.x);
    float upper = mix(hash(cell + vec2(0.0, 1.0)), hash(cell + vec2(1.0, 1.0)), f.x);
    return mix(lower, upper, f.y) - 0.5;
}

void main() {
    vec2 shape = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 p = isf_FragNormCoord * shape * scale;
    float t = TIME * speed;
    vec2 way;
    if (by == 0) {
        way = 2.0 * vec2(noise(p + vec2(0.0, t)), noise(p + vec2(17.3 - t, 5.1)));
    } else if (by == 1) {
        way = vec2(sin(6.2832 * (p.y * 0.5 + t)), sin(6.2832 * (p.x * 0.5 - t)));
    } else {
        vec2 reach = 4.0 / RENDERSIZE * max(1.0, RENDERSIZE.y / (scale * 90.0));
        vec3 luma = vec3(0.2126, 0.7152, 0.0722);
        float right = dot(IMG_NORM_PIXEL(inputImage, isf_FragNormCoord + vec2(reach.x, 0.0)).rgb, luma);
        float left = dot(IMG_NORM_PIXEL(inputImage, isf_FragNormCoord - vec2(reach.x, 0.0)).rgb, luma);
        float above = dot(IMG_NORM_PIXEL(inputImage, isf_FragNormCoord + vec2(0.0, reach.y)).rgb, luma);
        float below = dot(IMG_NORM_PIXEL(inputImage, isf_FragNormCoord - vec2(0.0, reach.y)).rgb, luma);
        way = 4.0 * vec2(right - left, above - below);
    }
    gl_FragColor = IMG_NORM_PIXEL(inputImage, clamp(isf_FragNormCoord + amount * way / shape, 0.0, 1.0));
}
