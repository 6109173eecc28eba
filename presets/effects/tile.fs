/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Repeats the picture side by side.",
  "CATEGORIES": ["vj"],
  "PLACE": 3,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "columns", "TYPE": "float", "MIN": 1, "MAX": 8, "DEFAULT": 2, "HELP": "How many stand side by side." },
    { "NAME": "rows", "TYPE": "float", "MIN": 1, "MAX": 8, "DEFAULT": 2, "HELP": "How many stand one above the other." },
    { "NAME": "shift", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0, "HELP": "Moves every second row sideways, as a share of one tile: bricks." },
    { "NAME": "mirrored", "TYPE": "bool", "DEFAULT": true, "HELP": "Every second tile is a mirror image, so that there are no seams." }
  ]
}*/

void main() {
    vec2 count = floor(vec2(columns, rows) + 0.5);
    vec2 at = (isf_FragNormCoord - 0.5) * count + 0.5;
    float row = floor(at.y);
    at.x += mod(row, 2.0) * shift;
    vec2 inside = fract(at);
    if (mirrored) {
        vec2 odd = mod(floor(at), 2.0);
        inside = mix(inside, 1.0 - inside, odd);
    }
    gl_FragColor = IMG_NORM_PIXEL(inputImage, inside);
}
