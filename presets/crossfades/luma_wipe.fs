/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The brightest parts of the new picture come first, the darkest last.",
  "CATEGORIES": ["vj"],
  "INPUTS": [
    { "NAME": "startImage", "TYPE": "image" },
    { "NAME": "endImage", "TYPE": "image" },
    { "NAME": "progress", "TYPE": "float" }
  ]
}*/

const float SOFT = 0.2;

void main() {
    vec3 before = IMG_THIS_PIXEL(startImage).rgb;
    vec3 after = IMG_THIS_PIXEL(endImage).rgb;
    float dark = 1.0 - dot(after, vec3(0.2126, 0.7152, 0.0722));
    float shown = smoothstep(dark, dark + SOFT, progress * (1.0 + SOFT));
    gl_FragColor = vec4(mix(before, after, shown), 1.0);
}
