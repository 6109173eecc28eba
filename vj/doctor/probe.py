"""The checks that call drivers: `python -m vj.doctor.probe displays|midi|sound|cameras|recording|sharing`.

Each runs in a process of its own, because a driver may write to the terminal, hang, or end the process it is in.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable

from engine.finding import Finding, encode_finding
from vj.doctor.cameras import check_cameras
from vj.doctor.displays import check_displays
from vj.doctor.midi import check_midi
from vj.doctor.recording import check_recording
from vj.doctor.sharing import check_sharing
from vj.doctor.sound import check_sound

CHECKS: dict[str, Callable[[str], Iterable[Finding]]] = {
    "displays": check_displays,
    "midi": lambda wanted: check_midi(),
    "sound": lambda wanted: check_sound(),
    "cameras": lambda wanted: check_cameras(),
    "recording": lambda wanted: check_recording(),
    "sharing": lambda wanted: check_sharing(),
}


def main() -> int:
    """Write one line of JSON per finding, each as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m vj.doctor.probe", description=__doc__)
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--wanted", default="", help="name or number of the display that is asked for")
    args = parser.parse_args()
    for finding in CHECKS[args.check](args.wanted):
        sys.stdout.write(encode_finding(finding))
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
