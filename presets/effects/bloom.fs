/*{
  "ISFVSN": "2",
  "DESCRIPTION": "What is bright shines into what lies around it. Computed in linear light.",
  "CATEGORIES": ["vj"],
  "PLACE": 12,
  "INPUTS": [
    { "NAME": "inputImage", "TYPE": "image" },
    { "NAME": "strength", "TYPE": "float", "MIN": 0, "MAX": 4, "DEFAULT": 1, "UNIT": "x", "CURVE": "square", "HELP": "How bright the shine is." },
    { "NAME": "threshold", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.6, "HELP": "What is darker than this does not shine." },
    { "NAME": "radius", "TYPE": "float", "MIN": 0.01, "MAX": 0.3, "DEFAULT": 0.1, "CURVE": "square", "HELP": "How far it shines, as a share of the height." }
  ],
  "PASSES": [
    { "TARGET": "bright", "WIDTH": "$WIDTH / 4", "HEIGHT": "$HEIGHT / 4", "FLOAT": true },
    { "TARGET": "wide", "WIDTH": "$WIDTH / 4", "HEIGHT": "$HEIGHT / 4", "FLOAT": true },
    { "TARGET": "glow", "WIDTH": "$WIDTH / 4", "HEIGHT": "$HEIGHT / 4", "FLOAT": true },
    { }
  ]
}*/

const float BELL[7] = float[7](1.0, 0.923, 0.726, 0.487, 0.278, 0.135, 0.056);

// a bell of 13 points along one axis
vec4 along(sampler2D image, vec2 axis) {
    vec2 far = axis * radius * RENDERSIZE.y / RENDERSIZE / 6.0;
    vec4 sum = IMG_THIS_PIXEL(image);
    for (int k = 1; k <= 6; ++k) {
        sum += BELL[k] * IMG_NORM_PIXEL(image, isf_FragNormCoord + float(k) * far);
        sum += BELL[k] * IMG_NORM_PIXEL(image, isf_FragNormCoord - float(k) * far);
    }
    return sum / 6.21;
}

vec3 shining(vec2 at) {
    vec3 value = clamp(IMG_NORM_PIXEL(inputImage, at).rgb, 0.0, 1.0);
    float brightest = max(value.r, max(value.g, value.b));
    return vj_linear(value) * smoothstep(threshold - 0.1, threshold + 0.1, brightest);
}

void main() {
    vec2 here = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        // four points between pixels: all sixteen under one pixel of a picture a quarter as large
        vec2 far = 1.0 / IMG_SIZE(inputImage);
        vec3 sum = shining(here - far) + shining(here + far);
        sum += shining(here + vec2(far.x, -far.y)) + shining(here + vec2(-far.x, far.y));
        gl_FragColor = vec4(0.25 * sum, 1.0);
    } else if (PASSINDEX == 1) {
        gl_FragColor = along(bright, vec2(1.0, 0.0));
    } else if (PASSINDEX == 2) {
        gl_FragColor = along(wide, vec2(0.0, 1.0));
    } else {
        vec3 light = vj_linear(IMG_THIS_PIXEL(inputImage).rgb) + strength * IMG_THIS_PIXEL(glow).rgb;
        gl_FragColor = vec4(vj_srgb(min(light, 1.0)), 1.0);
    }
}
