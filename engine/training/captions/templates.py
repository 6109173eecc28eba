"""The grammar of captions: short templates, long ones, and sentences that ask for nothing."""

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

PLACED_TEMPLATES = (  # with {manner}: camera, ground, finish, event, mirrors and mood, as far as the clip has them
    "{manner}, {palette} {family}",
    "{palette} {family}, {manner}",
    "{speed} {palette} {family}, {manner}",
    "{family} in {palette}, {manner}",
    "{manner} {family}, {palette}, {speed}",
)

LONG_TEMPLATES = (
    "{speed} {palette} {family}, {manner}. {scene}",
    "{palette} {family}, {speed}, {manner}. {scene}",
    "A 3D animated scene. {palette} {family}, {speed}, {manner}. {scene}",
    "A single shot of {palette} {family}, {speed} and without an end, {manner}. {scene}",
    "{family} in {palette} and {palette2}, {speed}, {manner}. {scene}",
    "The whole frame is {palette} {family}, {manner}, {speed}. {scene}",
)

LONG_INK_TEMPLATES = (
    "A 3D animated scene. {palette} ink blooms {speed} in a glass tank of clear water, {manner}. {scene}",
    "A drop of {palette} ink falls into a tank of clear water and blooms, {speed}, {manner}. {scene}",
)

SCENES = (
    "The picture fills the frame from edge to edge.",
    "Nobody is to be seen, there is no text and nothing to read.",
    "It was made for a big screen behind a band.",
    "Nothing else happens, and it never comes to an end.",
    "Seen from nearby, the surface shows ever more of itself.",
    "One take without a cut.",
    "Every part of it obeys the same law, and no two moments are alike.",
    "The gaze finds no place to rest and none to leave.",
    "An audience could look at this for an hour.",
    "Depth comes from layers that pass before one another.",
    "Small changes at the border become large ones in the middle.",
    "What was there a moment ago has become something else.",
)
