/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Shows one side of the picture twice, the other way round.",
  "CATEGORIES": ["vj"],
  "PLACE": 4,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "side", "TYPE": "long", "VALUES": [0, 1, 2, 3, 4], "LABELS": ["left", "right", "top", "bottom", "quarter"], "DEFAULT": 0, "HELP": "Which side is seen twice; quarter mirrors the upper left both ways." },
    { "NAME": "axis", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "HELP": "Where the picture is folded, from left to right or from top to bottom." }
  ]
}*/

void main() {
    vec2 at = isf_FragNormCoord;
    float down = 1.0 - axis;
    if (side == 0 || side == 4) {
        at.x = axis - abs(at.x - axis);
    } else if (side == 1) {
        at.x = axis + abs(at.x - axis);
    }
    if (side == 2 || side == 4) {
        at.y = down + abs(at.y - down);
    } else if (side == 3) {
        at.y = down - abs(at.y - down);
    }
    gl_FragColor = IMG_NORM_PIXEL(inputImage, 1.0 - abs(mod(at, 2.0) - 1.0));
}
