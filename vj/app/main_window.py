"""The performer's window: header, live row, pages and strip, polled at 30 Hz, and the two-step way to end the show.

Knows the controls and what the panels read; builds no engine, output or controller itself.
"""

from __future__ import annotations

import time

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PyQt6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from vj.app import theme
from vj.app.address_menu import AddressMenu
from vj.app.addressed import SOURCE
from vj.app.effects.effects_page import EffectsPage
from vj.app.engine_page import EnginePage
from vj.app.header import Header, page_key
from vj.app.key_list import KeyList
from vj.app.key_player import KeyPlayer
from vj.app.live_row import LiveRow
from vj.app.map_mode import MapMode
from vj.app.mapping_page import MappingPage
from vj.app.modulation_page import ModulationPage
from vj.app.outlets.outlets_page import OutletsPage
from vj.app.output_page import OutputPage
from vj.app.output_panel import BLACKOUT_ADDRESS
from vj.app.panel_poll import SLOW_POLLS, PanelPoll, PolledPanels
from vj.app.performance_view import PerformanceView
from vj.app.play_page import PlayPage
from vj.app.show_page import ShowPage
from vj.app.sources import PanelSources
from vj.app.status_strip import StatusStrip
from vj.app.surface import Surface
from vj.app.video_in.inputs_page import InputsPage
from vj.app.video_in.layer_page import LayerPage
from vj.app.video_in.thumbnails import Thumbnails
from vj.app.video_in.video_in_page import VideoInPage
from vj.controls import Controls

POLL_MS = 33
CONFIRM_S = 5.0
SAID_S = 6.0
NS_PER_MS = 1e6
PAGES = (
    "Play",
    "Show",
    "Modulation",
    "Mappings",
    "Output",
    "Engine",
    "Inputs",
    "Video in",
    "Layers",
    "Effects",
    "Record & share",
)
SAVE_ADDRESS = "/vj/show/save"


class MainWindow(QWidget):
    """All panels. Belongs to the GUI thread."""

    end_confirmed = pyqtSignal()
    output_asked = pyqtSignal()  # Tab: the output goes back above the panels

    def __init__(self, controls: Controls, sources: PanelSources) -> None:
        super().__init__()
        self._controls = controls
        self._sources = sources
        self._scale = 0.0
        self._asked_s: float | None = None  # when ending was asked for and not yet confirmed
        self._said_until_s = 0.0
        self.slowest_poll_ms = 0.0
        self.setWindowTitle("vj")
        self.surface = Surface(controls)
        self.header = Header(PAGES)
        self.live = LiveRow(self.surface, sources)
        self.play = PlayPage(self.surface, sources)
        self.show_files = ShowPage(controls, sources.repertoire, self.say)
        self.modulation = ModulationPage(self.surface)
        self.mappings = MappingPage(
            sources.router, sources.learn, sources.osc_messages, sources.problems, sources.devices
        )
        self.placing = OutputPage(self.surface, frozenset(self.surface.widgets.values()))
        self.layers = LayerPage(self.surface)
        self.effects = EffectsPage(self.surface)
        self.outlets = OutletsPage(self.surface, sources.recording, sources.sharing)
        self.thumbnails = Thumbnails(sources.video.folder)
        self.inputs = InputsPage(self.surface, sources.video, self.thumbnails)
        self.video_in = VideoInPage(self.surface, sources.video, self.thumbnails)
        self.engine = EnginePage(self.surface, self.outlets.addresses.union(self.surface.widgets.values()))
        self.performance = PerformanceView(self.surface, sources)
        self.strip = StatusStrip()
        self._lay_out()
        self.map_mode = MapMode(self, self.surface, sources.learn, sources.router, sources.devices)
        polled = PolledPanels(
            self.live,
            self.play,
            self.show_files,
            self.mappings,
            self.performance,
            self.strip,
            self.map_mode,
            self.engine,
            self.inputs,
            self.video_in,
            self.effects,
            self.outlets,
        )
        self._poll = PanelPoll(self.surface, polled, sources, self.say)
        self.key_list = KeyList(self, sources.router)
        self.keys = KeyPlayer(sources.router, self._own_keys(), lambda: bool(self.map_mode.selected))
        self.menu = AddressMenu(self, self.surface, sources.learn, self.map_mode)
        self._connect()
        self._covering_tab = False
        # keys play the instrument until somebody goes into a text
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFocus()
        self._set_scale(1.0)
        for _ in range(SLOW_POLLS):
            self.refresh()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()

    def refresh(self) -> None:
        """Show what has changed since the last poll. Called 30 times a second."""
        began_ns = time.perf_counter_ns()
        self._poll.refresh(self.is_performing)
        self._forget_old_words()
        self.slowest_poll_ms = max(self.slowest_poll_ms, (time.perf_counter_ns() - began_ns) / NS_PER_MS)

    # -- what the window is asked for ----------------------------------------------------------------------------

    @property
    def is_performing(self) -> bool:
        """Whether all editing is hidden."""
        return self._stack.currentWidget() is self.performance

    def show_page(self, page: int) -> None:
        """Show a page; leaves performance mode."""
        self._stack.setCurrentWidget(self._editing)
        self._pages.setCurrentIndex(page)
        self.header.show_page(page)

    def toggle_performing(self) -> None:
        """Hide all editing, or bring it back."""
        self.map_mode.leave()
        self._stack.setCurrentWidget(self._editing if self.is_performing else self.performance)
        self.setFocus()

    def bring_up(self) -> None:
        """Show the panels above everything else."""
        self.show()
        self.raise_()
        self.activateWindow()

    def ask_to_end(self) -> None:
        """End the show; while it is live only when asked twice within a few seconds. No dialog gets in the way."""
        is_live = self._sources.reader.status.is_streaming or self.live.output.fullscreen.isChecked()
        if is_live and self._asked_s is None:
            self._asked_s = time.monotonic()
            self._show_words("The output is live. Ask once more to end the show.", theme.badge(theme.ALARM))
            self.header.end.setText("Sure?")
            return
        self.end_confirmed.emit()

    def say(self, sentence: str) -> None:
        """Show a sentence in the header for a few seconds."""
        self._asked_s = None
        self._said_until_s = time.monotonic() + SAID_S
        self._show_words(sentence, f"color: {theme.WARNING}; font-weight: 600;")

    def show_cover(self, is_above_panels: bool) -> None:
        """Take Tab for the output while it lies above the panels; else it walks from field to field."""
        self._covering_tab = is_above_panels

    # -- events --------------------------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        """Treat the window's own close button like the panel's."""
        event.ignore()
        self.ask_to_end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make words larger on a larger window."""
        self._set_scale(theme.scale_for(self.width(), self.height()))
        self.map_mode.cover(self.rect())
        self.key_list.cover(self.rect())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take what no widget wanted: the window's own keys first, then the instrument's."""
        if not self.keys.press(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let go of a key that plays."""
        if not self.keys.release(event):
            super().keyReleaseEvent(event)

    def focusNextPrevChild(self, is_forward: bool) -> bool:
        """Walk from field to field, unless the output lies above the panels: then Tab brings it back."""
        if self._covering_tab:
            self.output_asked.emit()
            return True
        return super().focusNextPrevChild(is_forward)

    # -- building ------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._pages = QStackedWidget()
        own = (self.play, self.show_files, self.modulation, self.mappings, self.placing, self.engine)
        for page in (*own, self.inputs, self.video_in, self.layers, self.effects, self.outlets):
            self._pages.addWidget(page)
        self._editing = QWidget()
        inside = QVBoxLayout(self._editing)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(5)
        inside.addWidget(self.header)
        inside.addWidget(self.live, 1)
        inside.addWidget(self._pages, 2)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._editing)
        self._stack.addWidget(self.performance)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 3, 6, 3)
        layout.setSpacing(4)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.strip)

    def _connect(self) -> None:
        header = self.header
        header.page_asked.connect(self.show_page)
        header.map.clicked.connect(self.map_mode.toggle)
        header.save.clicked.connect(self._save)
        header.perform.clicked.connect(self.toggle_performing)
        header.keys.clicked.connect(self.key_list.toggle)
        header.end.clicked.connect(self.ask_to_end)
        self.performance.edit.clicked.connect(self.toggle_performing)
        self.map_mode.changed.connect(header.map.setChecked)
        self.map_mode.said.connect(self.say)
        self.surface.said.connect(self.say)

    def _own_keys(self) -> dict[str, object]:
        keys = {page_key(k): lambda k=k: self.show_page(k) for k in range(len(PAGES)) if page_key(k)}
        return keys | {
            "M": lambda: self.map_mode.toggle(),
            "B": self._toggle_blackout,
            "?": lambda: self.key_list.toggle(),
            "Ctrl+E": self.toggle_performing,
            "Ctrl+S": self._save,
            "Ctrl+Z": self._undo,
            "Return": lambda: self.map_mode.answer_conflict(keep=False),
            "Shift+Return": lambda: self.map_mode.answer_conflict(keep=True),
            "Ctrl+Q": self.ask_to_end,
            "Esc": self._step_back,
        }

    def _toggle_blackout(self) -> None:
        self._controls.set(BLACKOUT_ADDRESS, not self._controls.store.get(BLACKOUT_ADDRESS), SOURCE)

    def _save(self) -> None:
        self._controls.trigger(SAVE_ADDRESS, SOURCE)
        self.say("saving the show …")

    def _undo(self) -> None:
        if self._sources.learn is not None:
            self._sources.learn.undo()
            self.say(self._sources.learn.state.said)

    def _step_back(self) -> None:
        """Close what lies over the panels. Esc never ends a show."""
        self.key_list.hide()
        self.map_mode.leave()

    def _set_scale(self, scale: float) -> None:
        if scale != self._scale:
            self._scale = scale
            self.setStyleSheet(theme.style(scale))

    def _show_words(self, sentence: str, style: str) -> None:
        self.header.message.show_fitting(sentence, style)
        self.performance.message.show_fitting(sentence, style)

    def _forget_old_words(self) -> None:
        now_s = time.monotonic()
        if self._asked_s is not None:
            if now_s - self._asked_s > CONFIRM_S:
                self._asked_s = None
                self.header.end.setText("End show")
                self._show_words("", "")
        elif self._said_until_s and now_s > self._said_until_s:
            self._said_until_s = 0.0
            self._show_words("", "")
