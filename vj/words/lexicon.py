"""Which words name a place, a light, a camera or a cut: what hints and the extender look for in a prompt.

English, as the published models' texts are. Knows nothing of models.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PLACES = _words(
    """
    abyss alley aquarium arctic arena attic bar basement bathroom battlefield bay beach bedroom bridge building
    canal canyon castle cathedral cave chamber chapel church cinema city cliff cliffs club coast coastline
    corridor countryside courtyard crater deck desert dock downtown dunes factory farm field fields forest
    fountain galaxy garage garden gardens glacier greenhouse hall hallway harbor harbour highway hill hills
    hillside hospital hotel house interior island jungle kitchen laboratory lagoon lake landscape lava library
    lighthouse market marsh meadow meadows metro mountain mountains museum nebula night-sky nightclub ocean
    office orchard outdoors palace park path pier plain plains planet plaza pond pool port prairie puddle reef
    restaurant rice-field river riverbank road rooftop rooftops room ruins runway savanna savannah school sea
    seabed seashore shore sky skyline skyscrapers space square stadium stage station street streets studio
    subway suburb summit swamp swimming-pool temple theatre theater tower town train tundra tunnel underwater
    universe valley village void volcano wall warehouse waterfall wilderness wood woodland woods workshop yard
    """
)
"""A word that tells where, whatever stands before it."""

PREPOSITIONS = _words(
    """
    above across against along amid among around atop behind below beneath beside between in inside near on onto
    outside over through under underneath within
    """
)
"""What a place may follow: "on a wet window", "in milk"."""

NO_PLACE = re.compile(
    r"\bin (?:slow|fast|real|extreme|a (?:slow|single|continuous|state|hurry|style|row|circle|loop)|"
    r"the (?:style|manner|air|foreground|middle|centre|center)|motion|detail|focus|bloom|colour|color|"
    r"black and white)\b[^,.;]*"
    r"|\b(?:at (?:a )?(?:high |low |great |full )?speed|on film|by (?:a |an )?[^\W\d_]+ artist|"
    r"(?:with|of|under) (?:a|an|the) (?:slow|wide|macro|close))\b[^,.;]*",
    re.IGNORECASE,
)
"""Phrases that begin like a place and name none."""

LIGHTS = _words(
    """
    backlight backlit beam beams bioluminescent bright candlelight candlelit chiaroscuro dawn daylight dim dusk
    evening fireflies flicker flickering floodlight glow glowing glows haze lamp lamplight lamps lantern
    lanterns laser lasers light lighting lights lit luminous midnight midday moonlight moonlit morning neon
    night noon overcast rays shadow shadows shimmering silhouette spotlight spotlights starlight strobe sun
    sunbeams sunlight sunlit sunrise sunset torchlight twilight
    """
)

CAMERAS = _words(
    """
    aerial angle bird's-eye bokeh camera cinematic close close-up closeup depth-of-field dolly drone
    first-person fisheye focus footage framing handheld lens low-angle macro orbit orbits pan panning panorama
    perspective pov shallow shot slow-motion static steadicam telephoto tilt timelapse time-lapse top-down
    tracking wide wide-angle zoom zooming
    """
)

LOOKS = _words(
    """
    3d 4k 8k abstract analog analogue animated animation anime art artistic beautiful black blue bright brown cg
    cgi color colorful colors colour colourful colours crimson cyan dark deep detailed digital dramatic epic
    film fine gold golden gray green grey highly hyperrealistic illustration indigo intricate magenta
    masterpiece minimal minimalist monochrome moody motion oil orange painting pale pastel photo photography
    photorealistic pink pixel psychedelic purple quality rainbow realistic red render resolution retro rich
    saturated sharp silver slow soft style stylised stylized surreal teal texture turquoise ultra vaporwave
    vibrant video vintage violet vivid watercolor watercolour white yellow
    """
)
"""Words that say how something looks, not what it is."""

SMALL_WORDS = _words(
    """
    a about above across against all along amid among an and are around as at atop be before behind below
    beneath beside between by down each endless every far flowing for from full going her his huge in inside
    into is it its large lot many moving near of off on onto or out outside over slowly small some soon still
    that the their there these they this through to under up vast very view where while with within without
    """
)

CUTS = re.compile(
    r"\b(?:(?:smash|jump|hard|quick|fast|rapid|match)[ -]cuts?|cuts? to|cut-?scenes?|fast cutting|montage|"
    r"next (?:scene|shot)|(?:scene|shot) (?:\d+|one|two|three)|split[ -]screen|intercut(?:ting)?|then we see|"
    r"several shots|(?:rapid|quick|fast) shots?)\b",
    re.IGNORECASE,
)
"""What asks for several shots in one prompt."""

FOREIGN = _words("un une dans der die das el la los las und et del sur mit con le les il di nel och på")
ENGLISH = _words("the of with and is are its into from through while over")


def words_of(text: str) -> list[str]:
    """Words of a text in small letters, numbers included."""
    return [word.lower() for word in _WORD.findall(text)]


def names_light(words: list[str]) -> bool:
    """Whether a text says how it is lit."""
    return not LIGHTS.isdisjoint(words)


def names_camera(words: list[str]) -> bool:
    """Whether a text says how it is filmed."""
    return not CAMERAS.isdisjoint(words)


def names_place(text: str, words: list[str]) -> bool:
    """Whether a text says where it is: by a word, or by a preposition that a thing follows."""
    if not PLACES.isdisjoint(words):
        return True
    left = words_of(NO_PLACE.sub(" . ", text))
    for k, word in enumerate(left):
        if word in PREPOSITIONS:
            thing = next((w for w in left[k + 1 :] if w not in LOOKS and w not in SMALL_WORDS), "")
            if thing and thing not in LIGHTS and thing not in CAMERAS:
                return True
    return False


def names_subject(words: list[str]) -> bool:
    """Whether anything is named beside places, light, camera and looks."""
    rest = set(words) - PLACES - LIGHTS - CAMERAS - LOOKS - SMALL_WORDS
    return any(not word.isdigit() for word in rest)


def is_english(text: str, words: list[str]) -> bool:
    """Whether rules about English words may be asked: not for other scripts, nor for what is plainly another tongue."""
    return has_spaced_words(text) and (FOREIGN.isdisjoint(words) or not ENGLISH.isdisjoint(words))


def has_spaced_words(text: str) -> bool:
    """Whether words can be counted: most letters are Latin ones."""
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter.isascii() for letter in letters) >= 0.8 * len(letters)
