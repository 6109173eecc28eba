/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The grain of a film, 24 times a second another.",
  "CATEGORIES": ["vj"],
  "PLACE": 14,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.25, "CURVE": "square", "HELP": "How much grain there is." },
    { "NAME": "size", "TYPE": "float", "MIN": 1, "MAX": 8, "DEFAULT": 2, "UNIT": "px", "CURVE": "square", "HELP": "How coarse, on a picture 720 pixels high." },
    { "NAME": "coloured", "TYPE": "bool", "DEFAULT": false, "HELP": "Each colour has its own grain." }
  ]
}*/

float hash(vec3 p) {
    vec3 q = fract(p * 0.1031);
    q += dot(q, q.zyx + 31.32);
    return fract((q.x + q.y) * q.z);
}

void main() {
    float moment = mod(floor(TIME * 24.0), 977.0);
    vec2 cell = floor(gl_FragCoord.xy * 720.0 / (RENDERSIZE.y * size));
    // two even numbers make a triangle: most of the grain is faint
    float one = hash(vec3(cell, moment)) + hash(vec3(cell.yx + 71.7, moment)) - 1.0;
    vec3 grain = vec3(one);
    if (coloured) {
        grain.g = hash(vec3(cell + 13.1, moment)) + hash(vec3(cell.yx + 27.7, moment)) - 1.0;
        grain.b = hash(vec3(cell + 47.3, moment)) + hash(vec3(cell.yx + 5.9, moment)) - 1.0;
    }
    vec3 picture = IMG_THIS_PIXEL(inputImage).rgb;
    // none in black and white: films have most of it between
    vec3 room = 4.0 * picture * (1.0 - picture) + 0.15;
    gl_FragColor = vec4(clamp(picture + 0.6 * amount * grain * room, 0.0, 1.0), 1.0);
}
