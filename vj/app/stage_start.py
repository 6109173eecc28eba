"""Which stage a show has: one found without panels, else a new one, in a process of its own or in this one.

Belongs to the GUI thread.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from engine.chunk_source import SourceChoice
from vj.generator_thread import ring_bytes
from vj.parameters import ParameterStore
from vj.run_folder import make_run_folder
from vj.stage.link import RunningStage, StageLink, find_stage_left_alone
from vj.stage.messages import Placement
from vj.stage.panic import PANIC_ADDRESSES, Settings
from vj.stage.process import StageProcess

_LOG = logging.getLogger(__name__)


def have_stage(choice: SourceChoice, places: Sequence[Placement], *, is_in_process: bool) -> StageLink:
    """Return a stage that is running or about to; a new one is placed. Raises OSError when there can be none."""
    if not is_in_process and (found := _find_stage()) is not None:
        _LOG.info("the output of before is still on (process %d): this show goes on there", found.process_id)
        return found
    start = _start_here if is_in_process else StageProcess.start
    link = StageLink(make_run_folder(ring_bytes(choice)), start)
    link.begin(places)
    return link


def panic_settings(store: ParameterStore) -> Settings:
    """What the store holds of the panic row, and since when."""
    moves = {address: store.moved_by(address) for address in PANIC_ADDRESSES}
    return {address: (store.get(address), move.time_ns if move else 0) for address, move in moves.items()}


def _find_stage() -> StageLink | None:
    record = find_stage_left_alone()
    if record is None:
        return None
    try:
        return StageLink(Path(record.folder), StageProcess.start, record)
    except (OSError, ValueError) as error:
        _LOG.warning("the output of before (process %d) cannot be taken over: %s", record.process_id, error)
        return None


def _start_here(folder: Path) -> RunningStage:
    from vj.stage.in_process import StageHere  # draws: what is not needed where the stage has a process of its own

    return StageHere(folder)
