/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Flashes: black, white or the negative. Three times a second at most until the limit is lifted.",
  "CATEGORIES": ["vj"],
  "PLACE": 13,
  "FLASH": true,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "rate", "TYPE": "float", "MIN": 0.5, "MAX": 20, "DEFAULT": 3, "UNIT": "Hz", "CURVE": "square", "HELP": "How many flashes a second are asked for." },
    { "NAME": "share", "TYPE": "float", "MIN": 0.05, "MAX": 0.95, "DEFAULT": 0.5, "HELP": "How long a flash lasts, as a share of the time from one to the next." },
    { "NAME": "light", "TYPE": "long", "VALUES": [0, 1, 2], "LABELS": ["black", "white", "negative"], "DEFAULT": 0, "HELP": "What a flash shows." },
    { "NAME": "limit", "TYPE": "bool", "DEFAULT": true, "HELP": "Three flashes a second at most, whatever moves the strobe. Off: as many as are asked for. Flashing light can harm people." }
  ]
}*/

// FLASH is how much of a flash is let through, with the mix in it: what is emitted is limited outside
void main() {
    vec3 picture = IMG_THIS_PIXEL(inputImage).rgb;
    vec3 flash = light == 0 ? vec3(0.0) : light == 1 ? vec3(1.0) : 1.0 - picture;
    gl_FragColor = vec4(mix(picture, flash, FLASH), 1.0);
}
