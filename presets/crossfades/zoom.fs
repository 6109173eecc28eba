/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The old picture flies past while the new one comes from afar.",
  "CATEGORIES": ["vj"],
  "INPUTS": [
    { "NAME": "startImage", "TYPE": "image" },
    { "NAME": "endImage", "TYPE": "image" },
    { "NAME": "progress", "TYPE": "float" }
  ]
}*/

vec2 enlarged(float by) {
    return (isf_FragNormCoord - 0.5) / by + 0.5;
}

void main() {
    vec3 before = IMG_NORM_PIXEL(startImage, enlarged(1.0 + 1.5 * progress * progress)).rgb;
    vec3 after = IMG_NORM_PIXEL(endImage, enlarged(1.0 + 0.5 * (1.0 - progress) * (1.0 - progress))).rgb;
    gl_FragColor = vec4(vj_srgb(mix(vj_linear(before), vj_linear(after), progress)), 1.0);
}
