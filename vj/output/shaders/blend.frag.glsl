// Two frames of equal size, blended at their own size. Row 0 is the top row, as in the frames.
uniform sampler2D first;
uniform sampler2D second;
uniform float share;  // of `second`

out vec4 colour;

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    colour = vec4(mix(texelFetch(first, at, 0).rgb, texelFetch(second, at, 0).rgb, share), 1.0);
}
