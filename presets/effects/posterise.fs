/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Leaves a few steps of each colour.",
  "CATEGORIES": ["vj"],
  "PLACE": 9,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "levels", "TYPE": "float", "MIN": 2, "MAX": 16, "DEFAULT": 4, "CURVE": "square", "HELP": "How many steps there are." },
    { "NAME": "softness", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.1, "HELP": "How softly one step goes over into the next." }
  ]
}*/

void main() {
    float steps = max(1.0, levels - 1.0);
    vec3 place = clamp(IMG_THIS_PIXEL(inputImage).rgb, 0.0, 1.0) * steps;
    vec3 low = floor(place);
    float half_width = 0.5 * max(softness, 0.02);
    vec3 seen = low + smoothstep(0.5 - half_width, 0.5 + half_width, place - low);
    gl_FragColor = vec4(seen / steps, 1.0);
}
