/*{
  "ISFVSN": "2",
  "DESCRIPTION": "One goes as the other comes, as two lamps would: in linear light.",
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
    gl_FragColor = vec4(vj_srgb(mix(vj_linear(before), vj_linear(after), progress)), 1.0);
}
