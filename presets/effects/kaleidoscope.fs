/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Folds the picture into a star of mirrors.",
  "CATEGORIES": ["vj"],
  "PLACE": 5,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "segments", "TYPE": "float", "MIN": 2, "MAX": 24, "DEFAULT": 6, "CURVE": "square", "HELP": "How many mirrors there are." },
    { "NAME": "angle", "TYPE": "float", "MIN": -180, "MAX": 180, "DEFAULT": 0, "UNIT": "°", "HELP": "Turns the star of mirrors." },
    { "NAME": "inside", "TYPE": "float", "MIN": -180, "MAX": 180, "DEFAULT": 0, "UNIT": "°", "HELP": "Turns the picture inside the mirrors." },
    { "NAME": "zoom", "TYPE": "float", "MIN": 0.25, "MAX": 4, "DEFAULT": 1, "UNIT": "x", "CURVE": "square", "HELP": "Enlarges what is in the mirrors." },
    { "NAME": "x", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "HELP": "What of the picture lies in the middle, from left to right." },
    { "NAME": "y", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "HELP": "What of it lies in the middle, from bottom to top." }
  ]
}*/

const float DEGREES = 0.017453292519943295;

// beyond its edges the picture goes on as its own mirror image
vec2 folded(vec2 at) {
    return 1.0 - abs(mod(at, 2.0) - 1.0);
}

void main() {
    vec2 shape = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 from_middle = (isf_FragNormCoord - 0.5) * shape;
    float wedge = 6.283185307179586 / floor(segments + 0.5);
    float turn = atan(from_middle.y, from_middle.x) + angle * DEGREES;
    turn = abs(mod(turn, wedge) - 0.5 * wedge) + inside * DEGREES;
    vec2 at = length(from_middle) * vec2(cos(turn), sin(turn)) / zoom / shape + vec2(x, y);
    gl_FragColor = IMG_NORM_PIXEL(inputImage, folded(at));
}
