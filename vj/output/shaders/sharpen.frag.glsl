// Sharpening that holds back where there is contrast already, after an idea Lottes published (Contrast Adaptive
// Sharpening, 2019): a pixel moves away from the mean of its four neighbours, the less the nearer they are to black or
// white. The neighbours lie a pixel of the frame away, however far that has been enlarged.
uniform sampler2D source;
uniform ivec2 source_size; // pixels
uniform int reach;         // pixels to the neighbours
uniform float amount;      // 0..1

out vec4 colour;

const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);
const float LEAST_ROOM = 0.6; // white on black is sharpened too: the bounds below keep it clean
const float STRONGEST = 0.2; // of each neighbour at amount 1; 0.25 would divide by nothing

vec3 fetch(ivec2 at) {
    return texelFetch(source, clamp(at, ivec2(0), source_size - 1), 0).rgb;
}

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    vec3 middle = fetch(at);
    vec3 left = fetch(at - ivec2(reach, 0));
    vec3 right = fetch(at + ivec2(reach, 0));
    vec3 below = fetch(at - ivec2(0, reach));
    vec3 above = fetch(at + ivec2(0, reach));
    float own = dot(middle, LUMA);
    vec4 around = vec4(dot(left, LUMA), dot(right, LUMA), dot(below, LUMA), dot(above, LUMA));
    float darkest = min(own, min(min(around.x, around.y), min(around.z, around.w)));
    float brightest = max(own, max(max(around.x, around.y), max(around.z, around.w)));
    // by brightness alone: three channels that hold back on their own would tint the edges
    float room = min(darkest, 1.0 - brightest) / max(brightest, 1e-4);
    float weight = STRONGEST * amount * sqrt(clamp(room, LEAST_ROOM, 1.0));
    // steeper, never beyond what lies around: no halos
    vec3 lowest = min(middle, min(min(left, right), min(below, above)));
    vec3 highest = max(middle, max(max(left, right), max(below, above)));
    vec3 sharp = (middle - weight * (left + right + below + above)) / (1.0 - 4.0 * weight);
    colour = vec4(clamp(sharp, lowest, highest), 1.0);
}
