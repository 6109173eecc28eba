/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Moves red and blue apart.",
  "CATEGORIES": ["vj"],
  "PLACE": 11,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "apart", "TYPE": "float", "MIN": 0, "MAX": 0.1, "DEFAULT": 0.012, "CURVE": "square", "HELP": "How far, as a share of the width." },
    { "NAME": "angle", "TYPE": "float", "MIN": -180, "MAX": 180, "DEFAULT": 0, "UNIT": "°", "HELP": "Which way red goes." },
    { "NAME": "radial", "TYPE": "bool", "DEFAULT": false, "HELP": "Away from the middle, more towards the edges: like a poor lens." }
  ]
}*/

const float DEGREES = 0.017453292519943295;

void main() {
    vec2 shape = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 way = vec2(cos(angle * DEGREES), sin(angle * DEGREES));
    if (radial) {
        way = 2.0 * (isf_FragNormCoord - 0.5) * shape;
    }
    vec2 far = apart * shape.x * way / shape;
    float red = IMG_NORM_PIXEL(inputImage, isf_FragNormCoord - far).r;
    float green = IMG_THIS_PIXEL(inputImage).g;
    float blue = IMG_NORM_PIXEL(inputImage, isf_FragNormCoord + far).b;
    gl_FragColor = vec4(red, green, blue, 1.0);
}
