"""The dark stage theme: colours and sizes of every panel, readable at two metres. Knows no panel."""

from __future__ import annotations

BACKGROUND, SURFACE, EDGE = "#101216", "#1a1e25", "#333a46"
TEXT, FAINT, ACCENT = "#f2f4f8", "#98a2b3", "#4cc2ff"
GOOD, WARNING, ALARM = "#3ddc84", "#ffb020", "#ff3b4e"

STYLE = f"""
QWidget {{ background: {BACKGROUND}; color: {TEXT}; font-size: 17px; }}
QToolTip {{ background: {SURFACE}; color: {TEXT}; border: 1px solid {EDGE}; padding: 6px; font-size: 15px; }}
QFrame#card {{ background: {SURFACE}; border: 1px solid {EDGE}; border-radius: 10px; }}
QFrame#card QLabel, QFrame#card QSlider, QFrame#card QWidget#row {{ background: {SURFACE}; }}
QLabel#title {{ color: {FAINT}; font-size: 14px; font-weight: 600; letter-spacing: 1px; }}
QLabel#number {{ color: {ACCENT}; font-size: 30px; font-weight: 700; }}
QLabel#value {{ font-size: 19px; font-weight: 600; }}
QLabel#note {{ color: {FAINT}; font-size: 14px; }}
QLineEdit, QSpinBox, QComboBox {{
    background: #0b0d10; border: 1px solid {EDGE}; border-radius: 6px; padding: 7px 9px; font-size: 18px;
    selection-background-color: {ACCENT}; selection-color: #000;
}}
QLineEdit:focus, QSpinBox:focus, QComboBox:focus {{ border: 2px solid {ACCENT}; padding: 6px 8px; }}
QSpinBox::up-button, QSpinBox::down-button {{ width: 0; }}
QComboBox::drop-down {{ border: 0; width: 22px; }}
QComboBox QAbstractItemView {{ background: {SURFACE}; selection-background-color: {ACCENT}; }}
QPushButton {{
    background: #272d37; border: 1px solid {EDGE}; border-radius: 8px; padding: 9px 14px; font-size: 18px;
    font-weight: 600;
}}
QPushButton:hover {{ border-color: {ACCENT}; }}
QPushButton:pressed {{ background: {ACCENT}; color: #000; }}
QPushButton:checked {{ background: {ACCENT}; color: #000; border-color: {ACCENT}; }}
QPushButton#cut {{ background: #3a2530; border-color: #6b3445; }}
QPushButton#cut:pressed {{ background: {ALARM}; color: #000; }}
QPushButton#blackout {{ font-size: 24px; font-weight: 800; padding: 14px; }}
QPushButton#blackout:checked {{ background: {ALARM}; color: #fff; border: 3px solid #fff; padding: 12px; }}
QSlider::groove:horizontal {{ height: 12px; background: #0b0d10; border: 1px solid {EDGE}; border-radius: 6px; }}
QSlider::sub-page:horizontal {{ background: #1d6f98; border-radius: 6px; }}
QSlider#crossfader::sub-page:horizontal {{ background: #0b0d10; }}
QSlider::handle:horizontal {{
    background: {TEXT}; width: 20px; margin: -10px 0; border-radius: 5px; border: 1px solid #000;
}}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ background: {ACCENT}; }}
"""


def badge(colour: str, *, is_filled: bool = True, size_px: int = 20) -> str:
    """Style of a label that must be seen from afar."""
    inside = f"background: {colour}; color: #000;" if is_filled else f"background: transparent; color: {colour};"
    edge = f"border: 2px solid {colour}; border-radius: 8px; padding: 4px 12px;"
    return f"{inside} {edge} font-size: {size_px}px; font-weight: 800;"
