"""Where a stream begins and how it is made: seeds, cuts, the way prompts mix and arrive, and the model's settings.

Knows the controls; nothing of noise, caches or engines.
"""

from __future__ import annotations

import random

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QPushButton, QSizePolicy

from engine.params import SEED_MAX
from vj.app.addressed import SOURCE
from vj.app.choices import ParameterChoice
from vj.app.fader import Crossfader, Fader
from vj.app.parameter_widgets import ParameterNumber, TriggerButton
from vj.app.rows import fill
from vj.app.surface import Surface
from vj.presets.looks import SEED_ADDRESS


class StreamPanel(QFrame):
    """Seeds, morph and cuts."""

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self.setObjectName("card")
        self.seed = ParameterNumber(surface, SEED_ADDRESS, "seed ")
        self.next_seed = TriggerButton(surface, "/vj/seed/next")
        self.random_seed = QPushButton("random")
        self.random_seed.setToolTip("A seed by chance")
        self.random_seed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.random_seed.clicked.connect(self._take_random)
        for button in (self.next_seed, self.random_seed):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._controls = surface.controls
        self._chance = random.Random()
        self.second_seed = ParameterNumber(surface, "/vj/seed/second", "to ")
        self.morph = Fader(surface, "/vj/seed/morph")
        self.hard_cut = TriggerButton(surface, "/vj/cut/hard", "HARD CUT")
        self.soft_cut = TriggerButton(surface, "/vj/cut/soft", "SOFT CUT")
        for cut in (self.hard_cut, self.soft_cut):
            cut.setObjectName("cut")
            cut.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        fill(
            self,
            "Stream",
            [
                (self.hard_cut, self.soft_cut),
                (self.seed, self.next_seed, self.random_seed),
                (self.second_seed, self.morph),
            ],
        )

    def _take_random(self) -> None:
        self._controls.set(SEED_ADDRESS, self._chance.randint(0, SEED_MAX), SOURCE)


class TransitionPanel(QFrame):
    """How prompts, looks and cues arrive."""

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self.setObjectName("card")
        self.time = Fader(surface, "/vj/transition/time")
        self.unit = ParameterChoice(surface, "/vj/transition/unit", "")
        self.easing = ParameterChoice(surface, "/vj/transition/easing")
        self.blend = ParameterChoice(surface, "/vj/prompt/blend")
        self.crossfader = Crossfader(surface)
        fill(self, "Transition", [(self.crossfader,), (self.time, self.unit), (self.easing, self.blend)])


class ModelPanel(QFrame):
    """Chunk, window and steps; what becomes of the sink."""

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self.setObjectName("card")
        self.sizes = [Fader(surface, f"/vj/model/{name}") for name in ("chunk", "window", "steps")]
        self.sink_mode = ParameterChoice(surface, "/vj/sink/mode", "sink")
        self.sink_decay = Fader(surface, "/vj/sink/decay")
        fill(self, "Model", [self.sizes, (self.sink_mode,), (self.sink_decay,)])
