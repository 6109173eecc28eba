"""The end of a QApplication whose display is a test's: everything of Qt's goes before the display does.

A connection that is lost ends the process without a word, and a window that outlives its application crashes it.
"""

from __future__ import annotations

import gc


def end_application(application: object) -> None:
    """Delete every widget and window, then the application itself."""
    from PyQt6 import sip

    gc.collect()
    for find in (application.topLevelWidgets, application.allWindows):
        for left in find():
            if not sip.isdeleted(left):
                sip.delete(left)
    application.processEvents()
    sip.delete(application)
