/*{
  "ISFVSN": "2",
  "DESCRIPTION": "From the left to the right with a soft edge.",
  "CATEGORIES": ["vj"],
  "INPUTS": [
    { "NAME": "startImage", "TYPE": "image" },
    { "NAME": "endImage", "TYPE": "image" },
    { "NAME": "progress", "TYPE": "float" }
  ]
}*/

const float SOFT = 0.15;

void main() {
    vec3 before = IMG_THIS_PIXEL(startImage).rgb;
    vec3 after = IMG_THIS_PIXEL(endImage).rgb;
    float edge = progress * (1.0 + SOFT);
    gl_FragColor = vec4(mix(after, before, smoothstep(edge - SOFT, edge, isf_FragNormCoord.x)), 1.0);
}
