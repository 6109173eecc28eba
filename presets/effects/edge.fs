/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Draws the outlines of the picture.",
  "CATEGORIES": ["vj"],
  "PLACE": 8,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "gain", "TYPE": "float", "MIN": 0.5, "MAX": 30, "DEFAULT": 6, "UNIT": "x", "CURVE": "square", "HELP": "How bright faint outlines are." },
    { "NAME": "threshold", "TYPE": "float", "MIN": 0, "MAX": 0.5, "DEFAULT": 0.05, "HELP": "Outlines fainter than this are left out." },
    { "NAME": "width", "TYPE": "float", "MIN": 1, "MAX": 8, "DEFAULT": 2, "UNIT": "px", "HELP": "How thick they are, on a picture 720 pixels high." },
    { "NAME": "style", "TYPE": "long", "VALUES": [0, 1, 2, 3], "LABELS": ["light", "coloured", "over", "ink"], "DEFAULT": 0, "HELP": "light: white on black; coloured: in the picture's colours; over: on the picture; ink: black on white." }
  ]
}*/

float bright(vec2 at) {
    return dot(IMG_NORM_PIXEL(inputImage, at).rgb, vec3(0.2126, 0.7152, 0.0722));
}

void main() {
    vec2 at = isf_FragNormCoord;
    vec2 far = 0.5 * width * RENDERSIZE.y / 720.0 / RENDERSIZE;
    vec2 up = vec2(far.x, -far.y);
    float a = bright(at - far), b = bright(at + up), c = bright(at - up), d = bright(at + far);
    // Scharr's weights on the diagonals alone: four fetches, and no direction is preferred
    float found = length(vec2(b + d - a - c, c + d - a - b));
    float line = smoothstep(threshold, threshold + 0.25, found * gain);
    vec3 picture = IMG_THIS_PIXEL(inputImage).rgb;
    vec3 seen = vec3(line);
    if (style == 1) {
        seen = line * picture / max(max(picture.r, max(picture.g, picture.b)), 0.05);
    } else if (style == 2) {
        seen = picture + line;
    } else if (style == 3) {
        seen = vec3(1.0 - line);
    }
    gl_FragColor = vec4(seen, 1.0);
}
