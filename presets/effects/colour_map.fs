/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Paints the picture in the colours of a palette, by its brightness.",
  "CATEGORIES": ["vj"],
  "PLACE": 10,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "palette", "TYPE": "long", "VALUES": [0, 1, 2, 3, 4, 5], "LABELS": ["fire", "ice", "acid", "dusk", "infrared", "ink"], "DEFAULT": 0, "HELP": "The colours, from dark to bright." },
    { "NAME": "turn", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0, "HELP": "Moves the palette on, round and round." },
    { "NAME": "repeats", "TYPE": "float", "MIN": 1, "MAX": 6, "DEFAULT": 1, "UNIT": "x", "HELP": "How often the palette is gone through from dark to bright." }
  ]
}*/

vec3 stop_of(int k) {
    if (palette == 0) {
        return vec3[5](vec3(0.02, 0.0, 0.05), vec3(0.45, 0.02, 0.04), vec3(0.93, 0.28, 0.02), vec3(1.0, 0.74, 0.16), vec3(1.0, 0.98, 0.86))[k];
    } else if (palette == 1) {
        return vec3[5](vec3(0.0, 0.01, 0.06), vec3(0.02, 0.12, 0.34), vec3(0.05, 0.42, 0.66), vec3(0.45, 0.82, 0.92), vec3(0.96, 1.0, 1.0))[k];
    } else if (palette == 2) {
        return vec3[5](vec3(0.06, 0.0, 0.1), vec3(0.55, 0.0, 0.62), vec3(0.0, 0.7, 0.55), vec3(0.72, 0.96, 0.0), vec3(1.0, 1.0, 0.75))[k];
    } else if (palette == 3) {
        return vec3[5](vec3(0.05, 0.02, 0.16), vec3(0.35, 0.08, 0.42), vec3(0.86, 0.24, 0.42), vec3(1.0, 0.6, 0.35), vec3(1.0, 0.93, 0.72))[k];
    } else if (palette == 4) {
        return vec3[5](vec3(0.0, 0.0, 0.3), vec3(0.25, 0.0, 0.75), vec3(0.9, 0.05, 0.45), vec3(1.0, 0.65, 0.0), vec3(1.0, 1.0, 0.6))[k];
    }
    return vec3[5](vec3(0.03, 0.03, 0.05), vec3(0.2, 0.2, 0.24), vec3(0.48, 0.47, 0.5), vec3(0.78, 0.77, 0.74), vec3(0.97, 0.96, 0.92))[k];
}

void main() {
    float bright = dot(clamp(IMG_THIS_PIXEL(inputImage).rgb, 0.0, 1.0), vec3(0.2126, 0.7152, 0.0722));
    float way = bright * repeats + turn;
    // there and back, so that the ends meet; at rest the brightest is the last of the palette
    float place = 4.0 * (1.0 - abs(mod(way, 2.0) - 1.0));
    int low = int(min(floor(place), 3.0));
    gl_FragColor = vec4(mix(stop_of(low), stop_of(low + 1), place - float(low)), 1.0);
}
