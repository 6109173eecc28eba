"""From an effect file to the fragment shader that is compiled, with every line where it stands in the file.

Text in, text out; knows nothing of GL. `fault_line` reads the drivers' words back.
"""

from __future__ import annotations

import re

from vj.effects.isf_file import FADE_END, FADE_START, PROGRESS, Effect

_TYPES = {"float": "float", "bool": "bool", "long": "int", "color": "vec4", "point2D": "vec2", "event": "bool"}
_OLD_WORDS = {r"\bgl_FragColor\b": "isf_FragColor", r"\btexture2D(Rect)?\b": "texture", r"\bvv_Frag": "isf_Frag"}
_PRELUDE = """\
uniform vec2 RENDERSIZE;
uniform float TIME;
uniform float TIMEDELTA;
uniform int FRAMEINDEX;
uniform vec4 DATE;
uniform float FLASH;
uniform float vj_mix;
uniform float vj_brightness;
uniform float vj_grain;
vec4 isf_FragColor;
out vec4 vj_colour;
#define isf_FragCoord gl_FragCoord
#define isf_FragNormCoord (gl_FragCoord.xy / RENDERSIZE)
#define IMG_SIZE(image) vec2(textureSize(image, 0))
#define IMG_NORM_PIXEL(image, at) texture(image, at)
#define IMG_PIXEL(image, at) texture(image, (at) / IMG_SIZE(image))
#define IMG_THIS_PIXEL(image) texture(image, isf_FragNormCoord)
#define IMG_THIS_NORM_PIXEL(image) texture(image, isf_FragNormCoord)
#define main isf_main
vec3 vj_linear(vec3 value) {
    return mix(value / 12.92, pow((max(value, 0.0) + 0.055) / 1.055, vec3(2.4)), step(0.04045, value));
}
vec3 vj_srgb(vec3 light) {
    return mix(light * 12.92, 1.055 * pow(max(light, 1e-6), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, light));
}
"""
# what is mixed with the picture as it came costs no pass of its own; grain as in stretch.frag.glsl
_RESULT = """
#undef main
void main() {
    isf_main();
    vec3 vj_seen = clamp(isf_FragColor.rgb, 0.0, 1.0);
MIXING
    float vj_noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    vj_colour = vec4(vj_seen * vj_brightness + vj_grain * vj_noise, 1.0);
}
"""
_KEPT = """
#undef main
void main() {
    isf_main();
    vj_colour = isf_FragColor;
}
"""
_MIXED = "    vj_seen = mix(texelFetch(inputImage, ivec2(gl_FragCoord.xy), 0).rgb, vj_seen, vj_mix);"
_FAULT_LINES = (
    re.compile(r"\b\d+:(\d+)\(\d+\):"),  # Mesa: 0:12(5): error
    re.compile(r"\bERROR:\s*\d+:(\d+):"),  # AMD, Intel, macOS: ERROR: 0:12:
    re.compile(r"\b\d+\((\d+)\)\s*:"),  # NVIDIA: 0(12) : error C1008
)


def fragment_shader(effect: Effect, index: int) -> str:
    """Spell the whole shader of a pass (from 0) but for the first line, which says the version.

    Each pass is a program: a software rasteriser would go through the code of all of them at every pixel.
    """
    is_result = not effect.passes[index].target
    images = (FADE_START, FADE_END) if effect.is_crossfade else ("inputImage",)
    buffers = dict.fromkeys(one.target for one in effect.passes if one.target)
    lines = [f"#define PASSINDEX {index}\n", _PRELUDE]
    lines += [f"uniform sampler2D {name};\n" for name in (*images, *buffers)]
    lines += [f"uniform {_TYPES[one.kind]} {one.name};\n" for one in effect.inputs]
    if effect.is_crossfade:
        lines.append(f"uniform float {PROGRESS};\n")
    body = effect.body
    for old, new in _OLD_WORDS.items():
        body = re.sub(old, new, body)
    lines.append(f"#line {effect.body_line}\n{body}")
    lines.append(_RESULT.replace("MIXING", "" if effect.is_crossfade else _MIXED) if is_result else _KEPT)
    return "".join(lines)


def fault_line(words: str) -> tuple[int, str]:
    """Read the file's line (0 = not said) and the driver's first complaint out of a compiler's log."""
    complaints = [line.strip() for line in words.splitlines() if line.strip()] or ["the driver gives no reason"]
    told = next((line for line in complaints if "error" in line.lower()), complaints[0])
    for pattern in _FAULT_LINES:
        if found := pattern.search(told):
            rest = re.sub(r"^[\s:]*(error\b)?[\s:]*", "", told[found.end() :], flags=re.IGNORECASE)
            return int(found[1]), rest or told
    return 0, told
