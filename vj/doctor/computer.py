"""What the show needs of the computer besides drivers: the OSC port, folders that can be written, room for frames."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine.finding import Finding, found, missing
from vj.controllers.osc.endpoint import OscEndpoint, OscPortError, open_socket
from vj.run_folder import MEMORY_FOLDER, has_room

NETWORK, FILES = "network", "files"
GIB = 1 << 30
LOW_DISK_BYTES = 2 * GIB  # some minutes of a recording


def check_computer(osc: OscEndpoint | None) -> Iterator[Finding]:
    """Yield all of it; `osc` is the port the show is asked to listen at, None for the usual one."""
    yield _check_osc(osc)
    yield from _check_folders()
    yield _check_frame_memory()


def _check_osc(wanted: OscEndpoint | None) -> Finding:
    endpoint = wanted or OscEndpoint()
    try:
        opened = open_socket(endpoint)
    except OscPortError as error:
        # the usual port is no condition: the show goes on without OSC
        return missing(NETWORK, "OSC", str(error), "choose a free port: --osc PORT", stops_show=not endpoint.is_default)
    host, port = opened.getsockname()[:2]
    opened.close()
    if endpoint.is_default and port != endpoint.port:
        taken = f"port {endpoint.port} is taken by another program (a second vj?); the show would take {port}"
        return missing(NETWORK, "OSC", taken, f"close that program, or send to {port}")
    return found(NETWORK, "OSC", f"{host}:{port} is free")


def _check_folders() -> Iterator[Finding]:
    try:
        import platformdirs
    except ImportError as error:
        yield missing(FILES, "your folders", f"cannot be looked for: {error}", "python3 start.py")
        return
    places = (
        ("your files", platformdirs.user_config_path("vj", appauthor=False)),
        ("the engine's log", platformdirs.user_log_path("vj", appauthor=False)),
    )
    for name, folder in places:
        parent = _nearest(folder)
        try:
            with tempfile.TemporaryDirectory(prefix="vj-doctor-", dir=parent):
                pass
        except OSError as error:
            detail = f"{folder} cannot be written ({error.strerror})"
            yield missing(FILES, name, detail, f"make {parent} writable, or free some room on its disk")
            continue
        yield found(FILES, name, str(folder))
    parent = _nearest(places[0][1])
    free = shutil.disk_usage(parent).free
    room = f"{free / GIB:.1f} GiB free at {parent}"
    if free < LOW_DISK_BYTES:
        yield missing(FILES, "disk", room, "delete what is not needed: recordings fill this within minutes")
    else:
        yield found(FILES, "disk", room)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _check_frame_memory() -> Finding:
    """Say where the frames between the engine and the output go: into memory, or to a disk where that is too small."""
    try:
        from vj.generator_thread import ASSUMED_RING_FRAMES, ASSUMED_SIZE, RGBA_BYTES
    except ImportError as error:
        return missing(FILES, "frames", f"their size is not known: {error}", "python3 start.py")
    needed = ASSUMED_SIZE[0] * ASSUMED_SIZE[1] * RGBA_BYTES * ASSUMED_RING_FRAMES
    if has_room(MEMORY_FOLDER, needed):
        return found(FILES, "frames", f"shared memory, {shutil.disk_usage(MEMORY_FOLDER).free / GIB:.1f} GiB free")
    temporary = Path(tempfile.gettempdir())
    if not has_room(temporary, needed):
        detail = f"neither {MEMORY_FOLDER} nor {temporary} has room for {2 * needed / GIB:.1f} GiB of frames"
        return missing(
            FILES, "frames", detail, f"free some room in {temporary}, or name another folder in TMPDIR", stops_show=True
        )
    if not MEMORY_FOLDER.is_dir():
        return found(FILES, "frames", f"files in {temporary}")
    detail = f"{MEMORY_FOLDER} is too small for the frames, they go to {temporary}"
    return missing(FILES, "frames", detail, f"mount -o remount,size=1G {MEMORY_FOLDER} (docker: --shm-size=1g)")
