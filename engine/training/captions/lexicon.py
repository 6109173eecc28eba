"""The words that ask for a family, a palette or a tempo, by class, and words that ask for nothing.

Training captions draw from these lists, so that synonyms are known words. Knows nothing of how clips are drawn.
"""


def words(text: str) -> tuple[str, ...]:
    """Split a comma-separated list; entries may be phrases."""
    return tuple(" ".join(entry.split()) for entry in text.split(",") if entry.strip())


# the first entry of every list is the plain name
FAMILY_WORDS: dict[str, tuple[str, ...]] = {
    "plasma": words("""
        plasma, plasma waves, interference waves, electric waves, energy field, flowing gradients, wave patterns,
        psychedelic waves, swirling colours, swirling colors, lava field, op art, contour lines, moire, ripples,
        rippling water, ocean waves, marbled pattern, marble, zebra stripes, flowing silk, liquid waves, oscillations,
        sine waves, hypnotic waves, abstract waves, undulating bands, agate, wood grain"""),
    "tunnel": words("""
        tunnel, endless tunnel, wormhole, vortex, flight through a tube, tube, corridor, passage, hyperspace, portal,
        black hole, whirlpool, spiral tunnel, rings rushing past, warp, warp speed, time tunnel, deep shaft, funnel,
        cave, maelstrom, stargate, pipe, eye, iris, infinite hallway"""),
    "blobs": words("""
        blobs, lava lamp, metaballs, liquid metal, mercury, droplets, bubbles, floating bubbles, soap bubbles, drops
        of oil, oil drops, wax, goo, slime, jelly, amoeba, molten metal, spheres, balls, orbs, floating orbs, planets,
        pebbles, bouncing balls, beads, jellyfish, balloons"""),
    "kaleidoscope": words("""
        kaleidoscope, mandala, mirror symmetry, mirrored pattern, symmetrical pattern, radial symmetry, snowflake,
        flower, blossom, rosette, rose window, stained glass window, star pattern, sacred geometry, fractal, lotus,
        symmetry, petals, prism, ornament, crystal star, doily, starfish, arabesque"""),
    "cells": words("""
        cells, voronoi, honeycomb, living cells, biological cells, tissue, scales, dragon scales, reptile skin, mosaic,
        cracked earth, cobblestones, foam, net, network, web, spider web, mesh, membrane, stained glass, giraffe skin,
        turtle shell, cracked glass, microscope, bacteria, polygons, leaf veins"""),
    "aurora": words("""
        aurora, northern lights, polar lights, aurora borealis, curtains of light, light curtains, ribbons of light,
        veils of light, glowing curtains, night sky, light ribbons, sky lights, polar night, southern lights,
        shimmering sky, rays of light, borealis, arctic sky, heavenly light, horizon glow, light beams"""),
    "particles": words("""
        particles, sparks, fireflies, stars, starfield, floating dust, glitter, snow, snowfall, embers, confetti,
        dots, pixie dust, fairy lights, galaxy, bokeh, plankton, pollen, rain of light, glowworms, swarm,
        constellations, city lights, twinkling lights, stardust, lanterns"""),
    "smoke": words("""
        smoke, fog, mist, clouds, vapour, vapor, steam, haze, nebula, drifting smoke, incense, wisps, veils of smoke,
        cigarette smoke, dry ice, dust cloud, storm clouds, ghost, billowing smoke, cosmic cloud, cloudscape, breath,
        misty morning, dream haze, drifting veils"""),
    "ink": words("""
        ink, ink in water, drop of ink, ink drop, ink blooms in water, ink spreading in clear water, drop of ink in
        water, ink cloud, dye, dye in water, drop of paint, paint in water, watercolour, watercolor, spilled ink,
        blot, ink blot, bleeding ink, blooming ink, milk in coffee, pigment, tinted water, drop blooms in clear water,
        ink bloom, calligraphy, sumi, rorschach"""),
    "fire": words("""
        fire, flames, burning, blaze, bonfire, campfire, inferno, wildfire, burning flames, fireplace, torch, candle,
        furnace, wall of fire, rising flames, hell, dragon fire, licking flames, combustion, pyre, flickering flames,
        sea of flames, burning wall, fiery"""),
    "thaw": words("""
        thaw, melting ice, icicles, meltwater, thawing ice, melting, dripping icicles, dripping, thawing, stalactites,
        ice melts, melting icicles, melting glacier, dripstone, stalactite cave, spring thaw, drip, dripping water,
        ice breaking up, defrosting, melting block of ice, wet icicles, icicle"""),
    "caustics": words("""
        caustics, light through water, sunlight on the sea floor, pool light, refracted light, refraction, dappled
        light, dancing light, shimmering water, water light, sea floor, light on the sea bed, swimming pool, glints,
        glinting water, light playing under water, light net, refractions, sun through water, diving, shallow water,
        lensing, sea bed, water reflections"""),
    "labyrinth": words("""
        labyrinth, maze, turing pattern, reaction diffusion, brain coral, fingerprint, leopard spots, animal print,
        turing patterns, zebrafish, coral growth, brain, morphogenesis, lichen, growing pattern, leopard, cheetah,
        jaguar, camouflage, meander, winding paths, hedge maze, spotted fur, puffer fish, chemical pattern"""),
    "terrain": words("""
        terrain, wireframe terrain, wireframe landscape, wireframe mountains, mountains, hills, grid landscape,
        landscape, valley, wireframe, flight over mountains, flight over hills, vector landscape, grid, topography,
        dunes, mountain range, canyon, flyover, low poly hills, digital landscape, horizon grid, ridges, hilly grid"""),
}

PALETTE_WORDS: dict[str, tuple[str, ...]] = {
    "black": words("""
        black, black and white, monochrome, greyscale, grayscale, grey, gray, silver, charcoal, noir, white, chrome,
        graphite, ash, colourless, colorless, ebony, jet black, onyx, pale grey, steel, ivory"""),
    "red": words("""
        red, crimson, scarlet, blood, blood red, ruby, vermilion, cherry, carmine, maroon, deep red, brick, garnet,
        wine, burgundy, reddish, cardinal, rose red, tomato, strawberry"""),
    "orange": words("""
        orange, amber, tangerine, rust, copper, pumpkin, apricot, terracotta, orange glow, burnt orange, mandarin,
        carrot, autumn, hot, glowing, bronze, saffron, peach, lava"""),
    "gold": words("""
        gold, golden, yellow, honey, brass, sand, sunlight, sunny, lemon, mustard, ochre, straw, champagne, warm
        yellow, canary, wheat, gilded, sun, sulphur, mellow gold"""),
    "green": words("""
        green, emerald, jade, forest, grass, moss, lime, mint green, leafy, olive, jungle, greenish, malachite,
        toxic green, acid green, pine, fern, clover, venom, matrix, spring green"""),
    "teal": words("""
        teal, turquoise, cyan, aqua, aquamarine, lagoon, sea green, petrol, tropical sea, blue green, mint, seafoam,
        verdigris, caribbean, aquatic, pool, peacock, underwater"""),
    "blue": words("""
        blue, azure, cobalt, navy, sapphire, ocean, deep sea, indigo, royal blue, ultramarine, sky blue, bluish,
        midnight, electric blue, cerulean, marine, deep blue, lapis, dark blue, denim"""),
    "violet": words("""
        violet, purple, lavender, lilac, amethyst, plum, mauve, ultraviolet, grape, purplish, orchid, aubergine,
        heliotrope, deep purple, royal purple, mystic, iris violet, wisteria"""),
    "pink": words("""
        pink, magenta, rose, fuchsia, hot pink, blush, salmon, bubblegum, candy, cherry blossom, pinkish, flamingo,
        raspberry, cerise, rosy, coral, sakura, cotton candy"""),
    "sunset": words("""
        sunset, sunrise, dusk, dawn, evening sky, purple and orange, violet and gold, twilight, warm evening,
        california sunset, desert evening, morning glow, golden hour, red and gold, vaporwave, afterglow, summer
        evening, tropical evening"""),
    "ice": words("""
        ice, icy, frozen, frost, frosty, glacier, snowy, pale blue, winter, cold, arctic, crystal, white and blue,
        light blue, polar, powder blue, chilly, iceberg, cool white, pearl"""),
    "neon": words("""
        neon, cyberpunk, rainbow, multicoloured, multicolored, iridescent, psychedelic, acid, disco, pink and cyan,
        electric, synthwave, holographic, rave, club lights, colourful, colorful, vivid, arcade, laser, prismatic"""),
    "earth": words("""
        earth, earthen, brown, sepia, umber, sienna, chocolate, coffee, caramel, walnut, clay, beige, tan, mahogany,
        chestnut, soil, cinnamon, tobacco, khaki, leather, mud, brownish"""),
    "kingfisher": words("""
        kingfisher, teal and orange, orange and teal, blue and orange, orange and blue, petrol and copper, blockbuster,
        complementary, turquoise and amber, orange on teal, clownfish, harbour lights, blue hour, cyan and orange,
        macaw, copper and petrol, blue and amber, warm and cold"""),
    "absinthe": words("""
        absinthe, violet and lime, purple and green, lime and violet, green and purple, witch, witchy, belladonna,
        alien, ectoplasm, radioactive, chartreuse, nightshade, poison, poisonous, slimy, joker, thistle, sorcery,
        purple and lime, goblin"""),
    "opal": words("""
        opal, opalescent, opaline, unicorn, macaron, sherbet, pale rainbow, moonstone, lilac and mint, mint and pink,
        nacre, seashell, sugar, marshmallow, fairy tale, milky, milky rainbow, fondant, hydrangea, ballet,
        peach and mint"""),
}

SPEED_WORDS: dict[str, tuple[str, ...]] = {
    "slow": words("""
        slow, slowly, calm, gentle, gently, quiet, meditative, drifting, lazy, peaceful, serene, in slow motion,
        languid, sleepy, tranquil, soft, dreamy, unhurried, soothing, hovering, largo, adagio, lento, downtempo,
        half time, ambient, lullaby, ballad, larghetto, chill, slowed down, glacial pace, barely moving"""),
    "normal": words("""
        steady, moving, flowing, in motion, moderate, smooth, living, even, at an easy pace, andante, moderato,
        mid tempo, walking pace, groove, grooving, midtempo, at a steady pace, swinging, house tempo"""),
    "fast": words("""
        fast, quick, rapid, wild, frantic, racing, energetic, rushing, hectic, swift, at high speed, furious, violent,
        explosive, stormy, turbulent, raging, speedy, intense, hyper, allegro, presto, vivace, prestissimo, uptempo,
        double time, drum and bass, breakneck, techno, gabber, hurried, whirling, sped up, restless, overdrive"""),
}

FILLERS = words("""
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
    "thaw": ("ice", "blue"),
    "caustics": ("teal", "blue"),
    "labyrinth": ("earth", "absinthe"),
    "terrain": ("neon", "kingfisher"),
}
