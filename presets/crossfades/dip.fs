/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Down to black and up again, in linear light.",
  "CATEGORIES": ["vj"],
  "INPUTS": [
    { "NAME": "startImage", "TYPE": "image" },
    { "NAME": "endImage", "TYPE": "image" },
    { "NAME": "progress", "TYPE": "float" }
  ]
}*/

void main() {
    vec3 before = IMG_THIS_PIXEL(startImage).rgb;
    vec3 after = IMG_THIS_PIXEL(endImage).rgb;
    vec3 light = vj_linear(before) * max(0.0, 1.0 - 2.0 * progress) + vj_linear(after) * max(0.0, 2.0 * progress - 1.0);
    gl_FragColor = vec4(vj_srgb(light), 1.0);
}
