"""The words that ask for a family, a palette or a speed, by class, and words that ask for nothing.

Training captions draw from these lists, so that synonyms are known words. Knows nothing of how clips are drawn.
"""


def _words(text: str) -> tuple[str, ...]:
    """Split a comma-separated list; entries may be phrases."""
    return tuple(" ".join(entry.split()) for entry in text.split(",") if entry.strip())


# the first entry of every list is the plain name
FAMILY_WORDS: dict[str, tuple[str, ...]] = {
    "plasma": _words("""
        plasma, plasma waves, interference waves, electric waves, energy field, flowing gradients, wave patterns,
        psychedelic waves, swirling colours, swirling colors, lava field, op art, contour lines, moire, ripples,
        rippling water, ocean waves, marbled pattern, marble, zebra stripes, flowing silk, liquid waves, oscillations,
        sine waves, hypnotic waves, abstract waves, undulating bands, agate, wood grain"""),
    "tunnel": _words("""
        tunnel, endless tunnel, wormhole, vortex, flight through a tube, tube, corridor, passage, hyperspace, portal,
        black hole, whirlpool, spiral tunnel, rings rushing past, warp, warp speed, time tunnel, deep shaft, funnel,
        cave, maelstrom, stargate, pipe, eye, iris, infinite hallway"""),
    "blobs": _words("""
        blobs, lava lamp, metaballs, liquid metal, mercury, droplets, bubbles, floating bubbles, soap bubbles, drops
        of oil, oil drops, wax, goo, slime, jelly, amoeba, molten metal, spheres, balls, orbs, floating orbs, planets,
        pebbles, bouncing balls, beads, jellyfish, balloons"""),
    "kaleidoscope": _words("""
        kaleidoscope, mandala, mirror symmetry, mirrored pattern, symmetrical pattern, radial symmetry, snowflake,
        flower, blossom, rosette, rose window, stained glass window, star pattern, sacred geometry, fractal, lotus,
        symmetry, petals, prism, ornament, crystal star, doily, starfish, arabesque"""),
    "cells": _words("""
        cells, voronoi, honeycomb, living cells, biological cells, tissue, scales, dragon scales, reptile skin, mosaic,
        cracked earth, cobblestones, foam, net, network, web, spider web, mesh, membrane, stained glass, giraffe skin,
        turtle shell, cracked glass, microscope, bacteria, polygons, caustics, leaf veins"""),
    "aurora": _words("""
        aurora, northern lights, polar lights, aurora borealis, curtains of light, light curtains, ribbons of light,
        veils of light, glowing curtains, night sky, light ribbons, sky lights, polar night, southern lights,
        shimmering sky, rays of light, borealis, arctic sky, heavenly light, horizon glow, light beams"""),
    "particles": _words("""
        particles, sparks, fireflies, stars, starfield, floating dust, glitter, snow, snowfall, embers, confetti,
        dots, pixie dust, fairy lights, galaxy, bokeh, plankton, pollen, rain of light, glowworms, swarm,
        constellations, city lights, twinkling lights, stardust, lanterns"""),
    "smoke": _words("""
        smoke, fog, mist, clouds, vapour, vapor, steam, haze, nebula, drifting smoke, incense, wisps, veils of smoke,
        cigarette smoke, dry ice, dust cloud, storm clouds, ghost, billowing smoke, cosmic cloud, cloudscape, breath,
        misty morning, dream haze, drifting veils"""),
    "ink": _words("""
        ink, ink in water, drop of ink, ink drop, ink blooms in water, ink spreading in clear water, drop of ink in
        water, ink cloud, dye, dye in water, drop of paint, paint in water, watercolour, watercolor, spilled ink,
        blot, ink blot, bleeding ink, blooming ink, milk in coffee, pigment, tinted water, drop blooms in clear water,
        ink bloom, calligraphy, sumi, rorschach"""),
    "fire": _words("""
        fire, flames, burning, blaze, bonfire, campfire, inferno, wildfire, burning flames, fireplace, torch, candle,
        furnace, wall of fire, rising flames, hell, dragon fire, licking flames, combustion, pyre, flickering flames,
        sea of flames, burning wall, fiery"""),
}

PALETTE_WORDS: dict[str, tuple[str, ...]] = {
    "black": _words("""
        black, black and white, monochrome, greyscale, grayscale, grey, gray, silver, charcoal, noir, white, chrome,
        graphite, ash, colourless, colorless, ebony, jet black, onyx, pale grey, steel, ivory"""),
    "red": _words("""
        red, crimson, scarlet, blood, blood red, ruby, vermilion, cherry, carmine, maroon, deep red, brick, garnet,
        wine, burgundy, reddish, cardinal, rose red, tomato, strawberry"""),
    "orange": _words("""
        orange, amber, tangerine, rust, copper, pumpkin, apricot, terracotta, orange glow, burnt orange, mandarin,
        carrot, autumn, hot, glowing, bronze, saffron, peach, lava"""),
    "gold": _words("""
        gold, golden, yellow, honey, brass, sand, sunlight, sunny, lemon, mustard, ochre, straw, champagne, warm
        yellow, canary, wheat, gilded, sun, sulphur, mellow gold"""),
    "green": _words("""
        green, emerald, jade, forest, grass, moss, lime, mint green, leafy, olive, jungle, greenish, malachite,
        toxic green, acid green, pine, fern, clover, venom, matrix, spring green"""),
    "teal": _words("""
        teal, turquoise, cyan, aqua, aquamarine, lagoon, sea green, petrol, tropical sea, blue green, mint, seafoam,
        verdigris, caribbean, aquatic, pool, peacock, underwater"""),
    "blue": _words("""
        blue, azure, cobalt, navy, sapphire, ocean, deep sea, indigo, royal blue, ultramarine, sky blue, bluish,
        midnight, electric blue, cerulean, marine, deep blue, lapis, dark blue, denim"""),
    "violet": _words("""
        violet, purple, lavender, lilac, amethyst, plum, mauve, ultraviolet, grape, purplish, orchid, aubergine,
        heliotrope, deep purple, royal purple, mystic, iris violet, wisteria"""),
    "pink": _words("""
        pink, magenta, rose, fuchsia, hot pink, blush, salmon, bubblegum, candy, cherry blossom, pinkish, flamingo,
        raspberry, cerise, rosy, coral, sakura, cotton candy"""),
    "sunset": _words("""
        sunset, sunrise, dusk, dawn, evening sky, purple and orange, violet and gold, twilight, warm evening,
        california sunset, desert evening, morning glow, golden hour, red and gold, vaporwave, afterglow, summer
        evening, tropical evening"""),
    "ice": _words("""
        ice, icy, frozen, frost, frosty, glacier, snowy, pale blue, winter, cold, arctic, crystal, white and blue,
        light blue, polar, powder blue, chilly, iceberg, cool white, pearl"""),
    "neon": _words("""
        neon, cyberpunk, rainbow, multicoloured, multicolored, iridescent, psychedelic, acid, disco, pink and cyan,
        electric, synthwave, holographic, rave, club lights, colourful, colorful, vivid, arcade, laser, prismatic"""),
}

SPEED_WORDS: dict[str, tuple[str, ...]] = {
    "slow": _words("""
        slow, slowly, calm, gentle, gently, quiet, meditative, drifting, lazy, peaceful, serene, in slow motion,
        languid, sleepy, tranquil, soft, dreamy, unhurried, soothing, hovering"""),
    "normal": _words("steady, moving, flowing, in motion, moderate, smooth, living, even, at an easy pace"),
    "fast": _words("""
        fast, quick, rapid, wild, frantic, racing, energetic, rushing, hectic, swift, at high speed, furious, violent,
        explosive, stormy, turbulent, raging, speedy, intense, hyper"""),
}

TEMPLATES = (
    "{family}",
    "{palette} {family}",
    "{palette} {family}, {speed}",
    "{speed} {palette} {family}",
    "{family} in {palette}",
    "a {speed} {palette} {family}",
    "{family} of {palette} light, {speed}",
    "{speed} {family} in {palette} tones",
    "{palette} {palette2} {family}",
    "a 3D animated scene of {family}, {palette}, {speed}",
)

INK_TEMPLATES = (  # the grammar of the seeds: the colour stands inside the phrase
    "a drop of {palette} ink blooms in clear water",
    "{palette} ink spreading {speed} in clear water",
    "drops of {palette} ink in a glass of water",
    "{palette} ink in water",
)

FILLERS = _words("""
    beautiful, cinematic, a view of, abstract, high quality, detailed, 4k, background, the camera, seamless, loop,
    stunning, video of, shot of, in a dark room, music video, stage, visuals, dancing, strange, mysterious, huge, tiny,
    elegant, in the style of, art, artistic, concept, render, octane, realistic, on a screen, for the show, tonight,
    please, some, very, really, ultra, texture, surreal, minimal, epic, scene, motion, and, with, through the,
    close up, macro, animated, wide, deep, new, old, favourite, show me, make it, more, nice, moody, trending, lit,
    inside, above""")

# Families are asked for without a colour; what is meant then
NATURAL_PALETTES: dict[str, tuple[str, ...]] = {
    "plasma": ("neon", "violet"),
    "tunnel": ("blue", "neon"),
    "blobs": ("orange", "red"),
    "kaleidoscope": ("neon", "sunset"),
    "cells": ("green", "teal"),
    "aurora": ("green", "teal"),
    "particles": ("gold", "ice"),
    "smoke": ("black", "violet"),
    "ink": ("black", "blue"),
    "fire": ("orange", "sunset"),
}
