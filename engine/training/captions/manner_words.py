"""The words for how a picture is shown: camera, ground, finish, event, mirrors, sectors; and moods.

None of them is a word for a family, a palette or a tempo. Knows nothing of how clips are drawn.
"""

from dataclasses import dataclass

from engine.training.captions.lexicon import words

CAMERA_WORDS: dict[str, tuple[str, ...]] = {
    "still": words("still camera, locked camera, tripod, fixed view, fixed camera, static shot, locked off shot"),
    "in": words("""
        zooming in, zoom in, pushing in, push in, camera pushes in, dolly in, closing in, going deeper, nearer and
        nearer, diving inwards, falling inwards, endless zoom"""),
    "out": words("""
        zooming out, zoom out, pulling back, pull back, camera pulls back, dolly out, receding, growing smaller,
        further and further away, moving away"""),
    "turn": words("""
        rotating, turning, spinning, revolving, orbiting camera, rotating camera, rolling camera, turning slightly,
        camera turns, carousel, pirouette, round and round"""),
    "drift": words("""
        handheld, swaying camera, floating camera, wandering view, panning, pan shot, gliding camera, steadicam,
        swaying, camera sways, roaming, looking around"""),
}

GROUND_WORDS: dict[str, tuple[str, ...]] = {
    "own": (),
    "white": words("""
        bright background, daylight background, against daylight, blank paper, overexposed, high key, bright studio,
        light box, cyclorama, backlit paper, day for night"""),
    "gradient": words("""
        gradient background, graded background, gradient behind it, graded backdrop, fading backdrop, shaded backdrop,
        vignette, ombre"""),
    "colour": words("""
        tinted background, coloured backdrop, colored backdrop, tinted backdrop, plain coloured background, flat
        backdrop, plain colored background, flooded stage, tinted wall, painted backdrop"""),
}

# materials and ways of making pictures
FINISH_WORDS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "outline": words("""
        glowing outlines, outlines, tubes of light, luminous contours, light drawing, glowing wires, line art, wire
        sculpture, drawn with light, glowing edges, light tubes, glass tubes, filaments, etched, engraved, contours,
        fluorescent lines"""),
    "gloss": words("""
        glossy, polished, lacquered, lacquer, porcelain, varnished, enamel, shiny, reflective, satin, vinyl, latex,
        patent leather, glazed, embossed, relief, resin, plastic, ceramic, wet paint, high gloss, sculpted"""),
    "matte": words("""
        matte, chalk, chalky, felt, velvet, plaster, paper cut, suede, fresco, unglazed, cardboard, wool, linen,
        pastel crayon, tempera, gouache, concrete, blackboard, newsprint, flannel, risograph, screen print"""),
    "pastel": words("""
        pastel, pastel colours, pastel colors, faded, washed out, bleached, chiffon, tulle, gauze, sorbet, tender
        colours, tender colors, sun bleached, light and airy, airy, faint, pale and airy"""),
}

EVENT_WORDS: dict[str, tuple[str, ...]] = {
    "none": (),
    "burst": words("""
        pulsing, pulses, flashing, flashes, bursts, bursting, throbbing, strobing, heartbeat, thumping, kick drum,
        beating, detonations, lightning strikes"""),
    "freeze": words("""
        stuttering, stop and go, halting, hesitating, staccato, pausing, jerky, stop motion, stuttered, standing still
        now and then, time stops, caught and released"""),
    "drop": words("""
        shockwaves, shockwave, impact, sonar, tremors, quaking, struck like a gong, impact rings, ring waves, pressure
        waves, gong, echo rings"""),
}

MIRROR_WORDS: dict[str, tuple[str, ...]] = {
    "none": (),
    "sides": words("twofold, doubled, twin halves, bilateral, twinned, two halves alike, folded once"),
    "both": words("fourfold, quartered, four quarters, quadruple, four quarters alike, folded twice"),
}

SECTOR_WORDS: dict[int, tuple[str, ...]] = {
    3: words("threefold, triangular, three pointed"),
    4: words("four pointed, square, four armed"),
    5: words("fivefold, pentagonal, five pointed"),
    6: words("sixfold, hexagonal, six pointed"),
    7: words("sevenfold, heptagonal, seven pointed"),
    8: words("eightfold, octagonal, eight pointed"),
}


@dataclass(frozen=True)
class Mood:
    """Words for a mood, and the pictures they suit."""

    words: tuple[str, ...]
    speeds: tuple[str, ...]
    palettes: tuple[str, ...]


MOODS: tuple[Mood, ...] = (
    Mood(words("melancholic, wistful, lonely, sorrowful, mournful"), ("slow",), ("blue", "violet", "black", "ice")),
    Mood(words("menacing, ominous, sinister, brooding, threatening"), ("slow", "normal"), ("black", "red", "violet")),
    Mood(words("euphoric, ecstatic, jubilant, exuberant"), ("fast",), ("neon", "gold", "pink", "sunset", "orange")),
    Mood(words("romantic, sensual, passionate, loving"), ("slow", "normal"), ("red", "pink", "sunset")),
    Mood(words("nostalgic, vintage, autumnal, homely"), ("slow", "normal"), ("earth", "gold", "sunset", "orange")),
    Mood(words("eerie, spooky, haunted, uncanny"), ("slow", "normal"), ("absinthe", "green", "black", "violet")),
    Mood(words("innocent, sweet, childlike, tender"), ("slow", "normal"), ("opal", "pink", "ice")),
    Mood(words("aggressive, angry, brutal, vicious"), ("fast",), ("red", "black", "orange", "absinthe")),
    Mood(words("festive, playful, carnival, cheerful"), ("normal", "fast"), ("neon", "kingfisher", "gold", "opal")),
    Mood(words("refreshing, cleansing, clear headed"), ("slow", "normal"), ("teal", "ice", "green", "blue")),
    Mood(words("majestic, sacred, solemn, reverent"), ("slow",), ("gold", "violet", "blue", "sunset")),
    Mood(words("delirious, feverish, trippy, manic"), ("fast",), ("neon", "absinthe", "kingfisher", "pink")),
)
