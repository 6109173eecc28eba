"""`vj doctor`: runs every check at once, those that call drivers in processes of their own, and shows what is found."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from engine.finding import Finding, decode_finding, missing
from vj.controllers.osc.endpoint import OscEndpoint
from vj.doctor.computer import check_computer
from vj.doctor.packages import check_packages
from vj.doctor.report import as_json, as_text, stoppers, wants_colour
from vj.processes.child import python_command, python_environment

EXIT_DONE, EXIT_FAILED = 0, 1
LONGEST_S = 60.0  # a cold disk may take long over torch
LONGEST_DRIVER_S = 10.0


@dataclass(frozen=True)
class Check:
    """One process that writes findings."""

    part: str
    command: tuple[str, ...]
    longest_s: float
    stops_show: bool = False  # when it ends without an answer


def run(args: argparse.Namespace) -> int:
    """Check, show, and return 1 when `vj run` with the same --model, --osc and --display could not start."""
    findings = check_everything(args.model, args.osc, args.display)
    sys.stdout.write(as_json(findings) if args.json else as_text(findings, wants_colour(sys.stdout)))
    return EXIT_FAILED if stoppers(findings) else EXIT_DONE


def check_everything(model: str, osc: OscEndpoint | None, display: str) -> list[Finding]:
    """Run every check; returns findings in the order they are shown. Takes as long as the slowest, about torch's."""
    checks = _checks(model, display)
    with ThreadPoolExecutor(len(checks)) as pool:
        answers = pool.map(_ask, checks)
        own = [*check_packages(), *check_computer(osc)]
        asked = [finding for answer in answers for finding in answer]
    order = {"Python": 0, "engine": 1, "attention": 2, "models": 3, "displays": 4, "MIDI": 5, "sound": 6, "cameras": 7}
    order |= {"recording": 8, "sharing": 9, "network": 10, "files": 11, "extras": 12}
    return sorted([*own, *asked], key=lambda finding: order.get(finding.part, len(order)))


def _checks(model: str, display: str) -> tuple[Check, ...]:
    probe = python_command("vj.doctor.probe")
    return (
        Check("engine", (*python_command("engine"), "doctor", "--model", model), LONGEST_S, stops_show=True),
        Check("displays", (*probe, "displays", "--wanted", display), LONGEST_S, stops_show=True),
        Check("MIDI", (*probe, "midi"), LONGEST_DRIVER_S),
        Check("sound", (*probe, "sound"), LONGEST_DRIVER_S),
        Check("cameras", (*probe, "cameras"), LONGEST_DRIVER_S),
        Check("recording", (*probe, "recording"), LONGEST_DRIVER_S),
        Check("sharing", (*probe, "sharing"), LONGEST_DRIVER_S),
    )


def _ask(check: Check) -> list[Finding]:
    """Run one check in its process; that it fails is a finding too."""
    try:
        done = subprocess.run(
            check.command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=check.longest_s,
            env=python_environment(),
        )
        said, errors, ending = done.stdout, done.stderr, f"ended with {done.returncode}" * bool(done.returncode)
    except subprocess.TimeoutExpired as late:
        said, errors, ending = _text(late.stdout), _text(late.stderr), f"did not end within {check.longest_s:g} s"
    findings = _read(said.splitlines())
    if ending:
        last = next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "")
        detail = f"the check {ending}" + (f": {last}" if last else "")
        fix = f"see what it says: {' '.join(check.command)}"
        findings.append(missing(check.part, "check", detail, fix, stops_show=check.stops_show))
    return findings


def _read(lines: Sequence[str]) -> list[Finding]:
    """Return the findings among lines; a driver may have written some of its own."""
    findings = []
    for line in lines:
        try:
            findings.append(decode_finding(line))
        except ValueError:
            continue
    return findings


def _text(written: str | bytes | None) -> str:
    return written.decode(errors="replace") if isinstance(written, bytes) else written or ""
