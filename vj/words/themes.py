"""Phrases the built-in extender adds to a prompt, by what the prompt is about. Data alone.

A theme is found by its words; each kind of phrase is taken at most once, so that a text stays of one piece.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """What belongs together."""

    words: frozenset[str]
    places: tuple[str, ...]  # sentences that tell where
    lights: tuple[str, ...]
    details: tuple[str, ...]
    motions: tuple[str, ...]


def _theme(
    words: str, places: tuple[str, ...], lights: tuple[str, ...], details: tuple[str, ...], motions: tuple[str, ...]
) -> Theme:
    return Theme(frozenset(words.split()), places, lights, details, motions)


ANYTHING = _theme(
    "",
    (
        "The scene is set in a wide dark hall whose far walls are lost in haze.",
        "All of it takes place in an empty black studio with a polished floor that mirrors everything above it.",
    ),
    (
        "A single soft key light comes from the left and a thin rim of cool light draws every outline.",
        "Warm light from one side fades into deep blue shadow on the other.",
    ),
    (
        "Fine dust hangs in the air and catches the light.",
        "Every surface shows its grain, its small scratches and its sheen.",
        "The background falls away into soft blur while the subject stays crisp.",
        "Colours are rich and few, one of them clearly leading.",
    ),
    ("Everything moves slowly and without a pause, as if under its own weight.", "The movement is calm and unbroken."),
)
THEMES: tuple[Theme, ...] = (
    _theme(
        "smoke ink liquid paint milk fluid chrome mercury oil vapor vapour mist fog plume cloud clouds swirl swirls",
        (
            "It hangs in a deep black space without floor or walls.",
            "It unfolds inside a tall glass tank of still water against a dark background.",
        ),
        (
            "Light from behind glows through the thin edges while the thick parts stay nearly black.",
            "A narrow beam from above picks out each fold and leaves the rest in shadow.",
        ),
        (
            "Thin threads peel away from the main body, curl and dissolve.",
            "Fine particles drift along the currents like sparks.",
            "Soft gradients run from one colour into the next without an edge.",
            "Tiny eddies form along the borders and spin into each other.",
        ),
        (
            "It rolls and unfurls slowly, always turning inside out, never still.",
            "Slow currents fold it over and over in one unbroken flow.",
        ),
    ),
    _theme(
        "ocean sea water wave waves underwater fish jellyfish whale coral river drop drops lake waterfall surf diver",
        (
            "The open sea stretches to a low horizon behind it.",
            "It lies in deep clear water above a dark seabed of rock and sand.",
        ),
        (
            "Sunlight breaks through the surface and wanders over everything in bright ripples.",
            "Pale light filters down from above and fades into deep blue.",
        ),
        (
            "Small bubbles rise in strings and burst.",
            "Wet surfaces glisten and throw back the light.",
            "Fine spray hangs in the air and turns silver against the light.",
            "Ripples spread, cross and fade.",
        ),
        (
            "The swell lifts and lowers everything in one slow breath.",
            "The current carries everything gently sideways.",
        ),
    ),
    _theme(
        "city street neon rain umbrella train car cars traffic skyscraper skyscrapers rooftop subway metro alley "
        "cyberpunk urban building buildings tower towers tokyo bridge",
        (
            "Tall facades with countless lit windows close in on both sides of a long street.",
            "The setting is a dense city quarter after rain, with narrow streets and crossing cables overhead.",
        ),
        (
            "Neon signs and shop windows paint the wet asphalt in magenta, cyan and amber.",
            "Headlights and street lamps cut bright cones into the haze.",
        ),
        (
            "Puddles mirror the lights and break them when something passes.",
            "Steam rises from the grates and drifts across the light.",
            "Rust, posters and dripping pipes cover the walls.",
            "Far away, small figures with umbrellas cross the street.",
        ),
        (
            "Lights stream past and leave soft trails.",
            "The city keeps moving in the distance, steady and hypnotic.",
        ),
    ),
    _theme(
        "forest tree trees leaf leaves moss flower flowers tulip tulips rose roses garden meadow grass plant plants "
        "vine vines mushroom mushrooms fern jungle petals blossom",
        (
            "The setting is an old forest with tall trunks and a floor of moss and fern.",
            "It grows in a wild garden at the edge of a misty wood.",
        ),
        (
            "Low sunlight falls through the leaves in slanting beams.",
            "Soft morning light glows through petals and leaves from behind.",
        ),
        (
            "Dew drops sit on every edge and hold tiny reflections.",
            "Pollen and small insects float through the beams of light.",
            "Veins and fibres of the leaves are clearly seen.",
            "In the distance the green fades into pale mist.",
        ),
        ("A light wind moves stems and leaves in slow waves.", "Everything sways and opens slowly."),
    ),
    _theme(
        "space galaxy nebula star stars planet planets moon cosmos cosmic astronaut comet asteroid "
        "universe orbit eclipse",
        (
            "It floats in deep space in front of a vast glowing nebula and countless stars.",
            "Below it the curved edge of a planet fills the lower part of the view.",
        ),
        (
            "A distant sun throws hard white light from one side and leaves the other in darkness.",
            "Violet and blue starlight glows from the dust clouds behind.",
        ),
        (
            "Fine dust and ice crystals glitter as they pass.",
            "Thin rings and filaments of gas stretch across the background.",
            "Craters, ridges and metal seams stand out in the raking light.",
            "Far galaxies are faint smudges between the stars.",
        ),
        ("Everything drifts and turns slowly in weightless silence.", "The stars wheel past almost unnoticed."),
    ),
    _theme(
        "snow ice glacier frost frozen winter arctic iceberg aurora crystal crystals blizzard",
        (
            "A wide frozen plain lies around it, ringed by pale mountains.",
            "The setting is an ice cave with smooth blue walls.",
        ),
        (
            "Cold blue light comes through the ice and is broken into soft facets.",
            "A low winter sun gives long shadows and a golden edge to everything.",
        ),
        (
            "Single flakes drift past close to the lens.",
            "Cracks and trapped bubbles are seen deep inside the ice.",
            "Frost grows in feathers over every surface.",
            "Breath and powder snow hang in the air.",
        ),
        ("Snow drifts across the ground in thin moving veils.", "Everything moves slowly, as if held by the cold."),
    ),
    _theme(
        "fire flame flames lava ember embers volcano burning explosion sparks magma inferno torch candle",
        (
            "It burns on a plain of black volcanic rock under a dark sky.",
            "The setting is an old forge with soot on its stone walls.",
        ),
        (
            "The fire itself is the only light and throws an orange glow that trembles on everything near.",
            "Deep red light rises from below and leaves the upper parts in shadow.",
        ),
        (
            "Sparks rise in spirals and go out one by one.",
            "Heat makes the air shimmer and bends the background.",
            "Glowing cracks open in a crust of black.",
            "Thin smoke gathers above and takes on the colour of the flames.",
        ),
        ("Flames lick upwards and fold into each other without end.", "It pulses slowly, brighter and darker."),
    ),
    _theme(
        "desert dune dunes sand canyon mesa camel cactus storm sahara",
        (
            "Endless dunes roll away to a sharp horizon under an open sky.",
            "The setting is a red canyon with walls worn smooth by wind.",
        ),
        (
            "A low sun paints one side of each ridge gold and leaves the other in violet shadow.",
            "Hard midday light bleaches the sand and makes the sky deep blue.",
        ),
        (
            "Grains of sand stream over the crests in thin veils.",
            "Fine ripples cover the ground as far as the eye can see.",
            "Heat trembles above the horizon.",
            "Footprints slowly fill and vanish.",
        ),
        ("Wind moves the sand in long slow waves.", "The dust drifts steadily from left to right."),
    ),
    _theme(
        "man woman girl boy person people dancer dancers dancing crowd face portrait child singer musician couple "
        "figure silhouette robot king queen samurai monk warrior",
        (
            "The setting is a large bare stage with a dark curtain far behind.",
            "Around it lies an old ballroom with tall windows and a worn wooden floor.",
        ),
        (
            "A soft spotlight from above shapes face and hands and lets the room fall into darkness.",
            "Warm window light comes from one side and models every fold of the clothes.",
        ),
        (
            "Strands of hair and loose cloth follow each movement a moment later.",
            "Skin, fabric and small pearls of sweat are rendered in fine detail.",
            "Fine dust turns in the beam of light.",
            "The expression is calm and turned inward.",
        ),
        (
            "The movements are slow, full and continuous, one growing out of the other.",
            "A slow turn of head and shoulders carries through the whole body.",
        ),
    ),
    _theme(
        "cat dog fox wolf horse bird birds owl eagle tiger lion elephant butterfly butterflies deer bear snake animal "
        "insect bee dragon raven crow swan",
        (
            "Around it lies open country with tall grass and a line of dark trees.",
            "The setting is the quiet edge of a wood in thin mist.",
        ),
        (
            "Low warm light from behind draws a bright outline around it.",
            "Soft overcast light shows every colour without hard shadows.",
        ),
        (
            "Single hairs and feathers are seen and stir in the wind.",
            "Its eyes are bright and reflect the sky.",
            "Small seeds and insects float through the air around it.",
            "The background melts into soft discs of light.",
        ),
        ("It moves calmly and surely, muscles sliding under the surface.", "It turns its head slowly and looks about."),
    ),
    _theme(
        "glass cathedral temple window mandala kaleidoscope fractal geometry geometric tunnel pattern sculpture "
        "architecture marble gold machine clockwork gears cube sphere",
        (
            "It fills a vast symmetrical hall with a vault that rises out of sight.",
            "It stands in a bare white gallery with a floor of polished stone.",
        ),
        (
            "Coloured light falls through high openings and lies in patches on every surface.",
            "Light wanders along the edges and lets each facet flash in turn.",
        ),
        (
            "Every part is cut with fine ornament that repeats on a smaller scale.",
            "Reflections of reflections run deep into the material.",
            "Edges are clean and sharp, surfaces smooth and faintly translucent.",
            "Dust glitters in the shafts of light.",
        ),
        (
            "The forms turn and open slowly, one growing out of the other.",
            "The whole breathes in slow regular pulses.",
        ),
    ),
)
"""A text has the theme whose word comes first in it: the subject stands before the setting."""

CAMERAS = (
    "The camera glides slowly forward in one continuous take, wide angle, with gentle depth of field.",
    "Filmed in one long unbroken shot by a camera that drifts slowly sideways, close to the subject, shallow focus.",
    "A slow orbit of the camera around the subject in a single continuous take, cinematic framing.",
    "The camera stands nearly still and breathes in very slowly, one long take, fine film grain.",
)
FINISHES = (
    "Highly detailed, cinematic, with smooth natural motion.",
    "Photorealistic, rich in texture, with deep blacks and clean highlights.",
    "Sharp and finely textured, with a quiet, dreamlike mood.",
)
