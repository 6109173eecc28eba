"""The dark stage theme: colours and sizes of every panel, readable at two metres. Knows no panel."""

from __future__ import annotations

BACKGROUND, SURFACE, RAISED, EDGE, WELL = "#0c0e11", "#15181d", "#242a33", "#343c48", "#08090b"
TEXT, FAINT, ACCENT = "#f1f4f8", "#9ba6b5", "#4cc2ff"
GOOD, WARNING, ALARM = "#3ddc84", "#ffb020", "#ff5263"
FILL, FILL_STRONG = "#1b5878", "#1f6f9a"  # how far a fader is; white words stay readable on both
MODULATED, GHOST, MAPPED = "#c99bff", "#ffb020", "#c99bff"
ON_COLOUR = "#08090b"  # words on a bright surface
CUT, CUT_EDGE = "#3b2029", "#7a3a4b"

SMALLEST_PX = 13  # of any word on the window, at scale 1
DESIGN_SIZE = (1280, 720)  # the window everything fits into at scale 1
LARGEST_SCALE = 2.0
SCALE_STEP = 0.125

READABLE = (
    (TEXT, BACKGROUND),
    (TEXT, SURFACE),
    (TEXT, RAISED),
    (TEXT, WELL),
    (TEXT, FILL),
    (TEXT, FILL_STRONG),
    (TEXT, CUT),
    (FAINT, BACKGROUND),
    (FAINT, SURFACE),
    (FAINT, RAISED),
    (FAINT, WELL),
    *((colour, SURFACE) for colour in (ACCENT, GOOD, WARNING, ALARM, MODULATED)),
    *((colour, BACKGROUND) for colour in (ACCENT, GOOD, WARNING, ALARM, MODULATED)),
    *((ON_COLOUR, colour) for colour in (ACCENT, GOOD, WARNING, ALARM, TEXT)),
)
"""Every pair of words and ground that is used; a test measures their contrast."""


def scale_for(width: int, height: int) -> float:
    """How much larger than at 1280x720 words are on a window of this size: half of what it has grown."""
    growth = min(width / DESIGN_SIZE[0], height / DESIGN_SIZE[1]) - 1.0
    return min(LARGEST_SCALE, max(1.0, 1.0 + round(growth / 2 / SCALE_STEP) * SCALE_STEP))


def style(scale: float) -> str:
    """Style sheet of the whole window; `scale` multiplies every size."""

    def px(size: float) -> str:
        return f"{round(size * scale)}px"

    return f"""
QWidget {{ background: {BACKGROUND}; color: {TEXT}; font-size: {px(14)}; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {EDGE}; padding: {px(5)}; }}
QFrame#card {{ background: {SURFACE}; border: 1px solid {EDGE}; border-radius: {px(6)}; }}
QFrame#card QLabel, QFrame#card QWidget#row, QFrame#card QStackedWidget {{ background: transparent; }}
QLabel#title {{ color: {FAINT}; font-size: {px(13)}; font-weight: 600; }}
QLabel#number {{ font-size: {px(18)}; font-weight: 700; }}
QLabel#note {{ color: {FAINT}; font-size: {px(13)}; }}
QLabel#large {{ font-size: {px(20)}; font-weight: 700; }}
QLabel#huge {{ font-size: {px(28)}; font-weight: 700; }}
QLineEdit, QPlainTextEdit, QSpinBox, QDoubleSpinBox, QComboBox {{
    background: {WELL}; border: 1px solid {EDGE}; border-radius: {px(4)}; padding: {px(2)} {px(5)};
    selection-background-color: {ACCENT}; selection-color: {ON_COLOUR};
}}
QPlainTextEdit {{ padding: 0; font-size: {px(13)}; }}
QLineEdit:focus, QPlainTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {{
    border: 1px solid {ACCENT};
}}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{ width: 0; }}
QDoubleSpinBox#huge {{ font-size: {px(30)}; font-weight: 700; padding: 0 {px(4)}; }}
QComboBox::drop-down {{ border: 0; width: {px(14)}; }}
QComboBox QAbstractItemView {{
    background: {RAISED}; selection-background-color: {ACCENT}; selection-color: {ON_COLOUR};
}}
QPushButton {{
    background: {RAISED}; border: 1px solid {EDGE}; border-radius: {px(5)}; padding: {px(3)} {px(7)}; font-weight: 600;
}}
QPushButton:hover, QPushButton:focus {{ border-color: {ACCENT}; }}
QPushButton:pressed, QPushButton:checked {{ background: {ACCENT}; color: {ON_COLOUR}; border-color: {ACCENT}; }}
QPushButton:disabled {{ color: {FAINT}; background: {SURFACE}; }}
QPushButton#cut {{ background: {CUT}; border-color: {CUT_EDGE}; }}
QPushButton#cut:pressed {{ background: {ALARM}; color: {ON_COLOUR}; }}
QPushButton#bigpad {{ font-size: {px(15)}; }}
QWidget#beats {{ font-size: {px(15)}; font-weight: 700; }}
QPushButton#small {{ padding: 0 {px(4)}; font-size: {px(13)}; }}
QPushButton#solo {{ padding: 0 {px(4)}; font-size: {px(13)}; }}
QPushButton#solo:checked {{ background: {WARNING}; border-color: {WARNING}; }}
QPushButton#tall {{ font-size: {px(18)}; font-weight: 700; padding: {px(6)}; }}
QPushButton#blackout {{ font-size: {px(18)}; font-weight: 800; padding: {px(6)}; }}
QPushButton#blackout:checked {{
    background: {ALARM}; color: {ON_COLOUR}; border: {px(3)} solid {TEXT}; padding: {px(4)};
}}
QPushButton#page {{
    border-radius: 0; border: 0; border-bottom: {px(3)} solid transparent; background: {BACKGROUND};
    padding: {px(3)} {px(2)}; font-size: {px(13)};
}}
QPushButton#page:checked {{ color: {TEXT}; border-bottom-color: {ACCENT}; }}
QScrollArea, QTableWidget, QListWidget {{ border: 0; background: {SURFACE}; }}
QTableWidget, QListWidget {{ gridline-color: {EDGE}; font-size: {px(14)}; alternate-background-color: {WELL}; }}
QTableWidget::item, QListWidget::item {{ padding: {px(2)} {px(4)}; }}
QTableWidget::item:selected, QListWidget::item:selected {{ background: {FILL}; color: {TEXT}; }}
QHeaderView::section {{ background: {SURFACE}; color: {FAINT}; border: 0; padding: {px(3)}; font-size: {px(13)}; }}
QScrollBar:vertical {{ background: {WELL}; width: {px(10)}; }}
QScrollBar::handle:vertical {{ background: {EDGE}; border-radius: {px(4)}; min-height: {px(24)}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
    background: none; height: 0;
}}
QMenu {{ background: {RAISED}; border: 1px solid {EDGE}; }}
QMenu::item {{ padding: {px(5)} {px(16)}; background: transparent; }}
QMenu::item:selected {{ background: {ACCENT}; color: {ON_COLOUR}; }}
"""


def badge(colour: str, *, is_filled: bool = True) -> str:
    """Style of a label that must be seen from afar; its size stays the label's own."""
    inside = f"background: {colour}; color: {ON_COLOUR};" if is_filled else f"background: transparent; color: {colour};"
    return f"{inside} border: 1px solid {colour}; border-radius: 4px; padding: 1px 8px; font-weight: 800;"
