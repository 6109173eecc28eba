/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Makes the picture soft.",
  "CATEGORIES": ["vj"],
  "PLACE": 7,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "radius", "TYPE": "float", "MIN": 0, "MAX": 0.15, "DEFAULT": 0.04, "CURVE": "square", "HELP": "How soft, as a share of the height." }
  ],
  "PASSES": [
    { "TARGET": "small", "WIDTH": "$WIDTH / 4", "HEIGHT": "$HEIGHT / 4" },
    { "TARGET": "across", "WIDTH": "$WIDTH / 4", "HEIGHT": "$HEIGHT / 4" },
    { "TARGET": "down", "WIDTH": "$WIDTH / 4", "HEIGHT": "$HEIGHT / 4" },
    { }
  ]
}*/

const float BELL[7] = float[7](1.0, 0.923, 0.726, 0.487, 0.278, 0.135, 0.056);

// a bell of 13 points along one axis, on a picture a quarter as large
vec4 along(sampler2D image, vec2 axis) {
    vec2 far = axis * radius * RENDERSIZE.y / RENDERSIZE / 6.0;
    vec4 sum = IMG_THIS_PIXEL(image);
    for (int k = 1; k <= 6; ++k) {
        sum += BELL[k] * IMG_NORM_PIXEL(image, isf_FragNormCoord + float(k) * far);
        sum += BELL[k] * IMG_NORM_PIXEL(image, isf_FragNormCoord - float(k) * far);
    }
    return sum / 6.21;
}

void main() {
    vec2 here = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        // four points between pixels: all sixteen under one pixel of the small picture
        vec2 far = 1.0 / IMG_SIZE(inputImage);
        vec4 sum = IMG_NORM_PIXEL(inputImage, here - far) + IMG_NORM_PIXEL(inputImage, here + far);
        sum += IMG_NORM_PIXEL(inputImage, here + vec2(far.x, -far.y));
        gl_FragColor = 0.25 * (sum + IMG_NORM_PIXEL(inputImage, here + vec2(-far.x, far.y)));
    } else if (PASSINDEX == 1) {
        gl_FragColor = along(small, vec2(1.0, 0.0));
    } else if (PASSINDEX == 2) {
        gl_FragColor = along(across, vec2(0.0, 1.0));
    } else {
        // from the sharp picture without a step: the small one alone would be soft at once
        gl_FragColor = mix(IMG_THIS_PIXEL(inputImage), IMG_THIS_PIXEL(down), smoothstep(0.0, 0.015, radius));
    }
}
