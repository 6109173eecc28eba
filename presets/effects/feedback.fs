/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Every picture leaves a trail that grows, turns and fades, the same at every refresh rate.",
  "CATEGORIES": ["vj"],
  "PLACE": 6,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "trail", "TYPE": "float", "MIN": 0.05, "MAX": 10, "DEFAULT": 1.2, "UNIT": "s", "CURVE": "square", "HELP": "How long a picture is seen in the trail." },
    { "NAME": "growth", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.25, "UNIT": "1/s", "HELP": "How fast the trail grows towards the edges; below 0 it shrinks into the middle." },
    { "NAME": "turn", "TYPE": "float", "MIN": -180, "MAX": 180, "DEFAULT": 8, "UNIT": "°/s", "HELP": "How fast the trail turns." },
    { "NAME": "x", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0, "UNIT": "1/s", "HELP": "How fast it drifts to the right, in widths." },
    { "NAME": "y", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0, "UNIT": "1/s", "HELP": "How fast it drifts up, in heights." },
    { "NAME": "over", "TYPE": "long", "VALUES": [0, 1], "LABELS": ["lighten", "blend"], "DEFAULT": 0, "HELP": "lighten: what is brighter wins; blend: all runs together." }
  ],
  "PASSES": [
    { "TARGET": "past", "PERSISTENT": true, "FLOAT": true },
    { }
  ]
}*/

const float DEGREES = 0.017453292519943295;

void main() {
    if (PASSINDEX == 1) {
        gl_FragColor = IMG_THIS_PIXEL(past);
        return;
    }
    float step_s = min(TIMEDELTA, 0.1);
    vec2 shape = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 from_middle = (isf_FragNormCoord - 0.5 - vec2(x, y) * step_s) * shape * exp(-growth * step_s);
    float angle = turn * step_s * DEGREES;
    vec2 at = mat2(cos(angle), sin(angle), -sin(angle), cos(angle)) * from_middle / shape + 0.5;
    vec2 inside = step(0.0, at) * step(at, vec2(1.0));
    float kept = exp(-step_s / trail);
    vec3 before = IMG_NORM_PIXEL(past, at).rgb * inside.x * inside.y;
    vec3 now = IMG_THIS_PIXEL(inputImage).rgb;
    vec3 seen = over == 0 ? max(now, before * kept) : mix(now, before, kept * inside.x * inside.y);
    gl_FragColor = vec4(seen, 1.0);
}
