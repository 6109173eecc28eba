/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Turns, enlarges and moves the picture.",
  "CATEGORIES": ["vj"],
  "PLACE": 1,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "angle", "TYPE": "float", "MIN": -180, "MAX": 180, "DEFAULT": 0, "UNIT": "°", "HELP": "Turns clockwise." },
    { "NAME": "zoom", "TYPE": "float", "MIN": 0.25, "MAX": 4, "DEFAULT": 1, "UNIT": "x", "CURVE": "square", "HELP": "Enlarges from the middle; below 1 the edges come in." },
    { "NAME": "x", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0, "HELP": "Moves to the right, as a share of the width." },
    { "NAME": "y", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0, "HELP": "Moves up, as a share of the height." },
    { "NAME": "edges", "TYPE": "long", "VALUES": [0, 1, 2], "LABELS": ["mirror", "repeat", "black"], "DEFAULT": 0, "HELP": "What is seen beyond the edges of the picture." }
  ]
}*/

const float DEGREES = 0.017453292519943295;

// beyond its edges the picture goes on as its own mirror image
vec2 folded(vec2 at) {
    return 1.0 - abs(mod(at, 2.0) - 1.0);
}

void main() {
    vec2 shape = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 from_middle = (isf_FragNormCoord - 0.5 - vec2(x, y)) * shape / zoom;
    float turn = angle * DEGREES;
    vec2 at = mat2(cos(turn), sin(turn), -sin(turn), cos(turn)) * from_middle / shape + 0.5;
    vec2 inside = step(0.0, at) * step(at, vec2(1.0));
    vec2 used = edges == 0 ? folded(at) : edges == 1 ? fract(at) : at;
    // derivatives of what was folded would be wrong at the seams: no mipmaps are asked for
    gl_FragColor = IMG_NORM_PIXEL(inputImage, used) * (edges == 2 ? inside.x * inside.y : 1.0);
}
