"""Which model plays, which one loads to take over, and what was reduced when memory was full, with the way back.

Shows facts that are handed in; a model that loads never holds up the panels.
"""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout

from engine.model_presets import TEST_PATTERN_NAME, list_presets
from engine.parameter import Value
from vj.app import theme
from vj.app.addressed import SOURCE, Addressed, tooltip
from vj.app.choices import NameChoice, ParameterChoice
from vj.app.parameter_widgets import ParameterText, QuietLabel, SwitchButton, TriggerButton, heading
from vj.app.surface import Surface
from vj.engine_params import MODEL_ADDRESS, RESTORE_ADDRESS
from vj.generator_thread import EngineFacts

STEP_LIST_ADDRESS, MID_CHUNK_ADDRESS = "/vj/model/step_list", "/vj/prompt/mid_chunk"
CHOOSE = "choose a model"


class ModelChoice(Addressed, NameChoice):
    """The models this computer knows. The list is read anew each time it opens."""

    def __init__(self, surface: Surface) -> None:
        NameChoice.__init__(self)
        self._held = ""
        self.stand_for(surface, MODEL_ADDRESS, self.show_value)
        self.setToolTip(tooltip(MODEL_ADDRESS))
        self.setAccessibleName("model")
        self._list()
        self.activated.connect(self._choose)

    def show_value(self, value: Value) -> None:
        """Show the model asked for; a file that is no preset of a name is added to the list."""
        self._held = str(value)
        self._list()

    def showPopup(self) -> None:
        """Read which models there are now, and open."""
        self._list()
        NameChoice.showPopup(self)

    def _list(self) -> None:
        names = [*list_presets(), TEST_PATTERN_NAME]
        names += [self._held] if self._held and self._held not in names else []
        if not self._held:
            names.insert(0, CHOOSE)
        if names != [self.itemText(k) for k in range(self.count())]:
            self.clear()
            self.addItems(names)
        self.setCurrentText(self._held or CHOOSE)

    def _choose(self) -> None:
        if self.currentText() not in (CHOOSE, self._held):
            self._surface.controls.set(MODEL_ADDRESS, self.currentText(), SOURCE)


class EngineCard(QFrame):
    """Model, its state, and how steps are taken. Belongs to the GUI thread."""

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self.setObjectName("card")
        self.model = ModelChoice(surface)
        self.file = ParameterText(surface, MODEL_ADDRESS, "or a preset's file or folder")
        self.state = QuietLabel("note")
        self.notice = QuietLabel("note")
        for label in (self.state, self.notice):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.restore = TriggerButton(surface, RESTORE_ADDRESS, "full size again")
        self.restore.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.restore.setEnabled(False)
        self.step_list = ParameterChoice(surface, STEP_LIST_ADDRESS)
        self.mid_chunk = SwitchButton(surface, MID_CHUNK_ADDRESS, "prompts mid chunk")
        title = heading("Model")
        title.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        rows = (
            (title, self.model, self.file),
            (self.state,),
            (self.notice, self.restore),
            (self.step_list, self.mid_chunk),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 5)
        layout.setSpacing(4)
        for widgets in rows:
            row = QHBoxLayout()
            row.setSpacing(4)
            for widget in widgets:
                row.addWidget(widget, widget.sizePolicy().horizontalPolicy() != QSizePolicy.Policy.Fixed)
            layout.addLayout(row)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)

    def show_engine(self, facts: EngineFacts) -> None:
        """Show what plays, what loads and what was reduced."""
        if facts.loading:
            plays = f"   ·   {facts.model} plays on" if facts.model else ""
            self.state.show_fitting(f"{facts.loading}{plays}", f"color: {theme.ACCENT};")
        elif facts.model:
            playing = f"{facts.model} plays, {facts.playing}" if facts.playing else f"{facts.model} is being loaded"
            self.state.show_fitting(playing, f"color: {theme.FAINT};")
        self.notice.show_fitting(facts.reduced or "the full picture", f"color: {_notice_colour(facts)};")
        if self.restore.isEnabled() != bool(facts.reduced):
            self.restore.setEnabled(bool(facts.reduced))


def _notice_colour(facts: EngineFacts) -> str:
    return theme.WARNING if facts.reduced else theme.FAINT
