/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Both at once in the middle, one light on top of the other, in linear light.",
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
    vec3 light = vj_linear(before) * min(1.0, 2.0 - 2.0 * progress) + vj_linear(after) * min(1.0, 2.0 * progress);
    gl_FragColor = vec4(vj_srgb(min(light, 1.0)), 1.0);
}
