"""What a captured input costs: processor time of its process per picture, by source and treatment. Linux.

`python -m bench.inputs --json bench/results/inputs.json`
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import torch

from bench.environment import describe

STREAM_SIZE = (832, 480)
FILM_S = 4
BEGIN_S = 30.0


def processor_s(process_id: int) -> float:
    """Processor time a process has taken so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def make_film(path: Path, codec: str, pixels: str, size: str, rate: int) -> str:
    """Write a film of a test picture in motion; return its path."""
    import av

    drawing = f"testsrc2=size={size}:rate={rate}:duration={FILM_S}"
    with av.open(drawing, format="lavfi") as graph, av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        stream.width, stream.height = map(int, size.split("x"))
        stream.pix_fmt = pixels
        for frame in graph.decode(video=0):
            drawn = frame.reformat(format=pixels)
            drawn.pts = None
            out.mux(stream.encode(drawn))
        out.mux(stream.encode(None))
    return str(path)


def measure(name: str, source: str, values: dict[str, object], seconds: float, folder: Path) -> dict[str, object]:
    """Capture one source for so long."""
    from engine.video_in.input_ring import InputRing
    from vj.inputs.desk import InputDesk
    from vj.parameters import ParameterStore

    store = ParameterStore()
    store.set_many({"/vj/input/1/source": source, **values}, "bench")
    desk = InputDesk(store.versioned_snapshot, lambda: STREAM_SIZE, folder, log_folder=folder)
    desk.start()
    try:
        until_s = time.monotonic() + BEGIN_S
        while desk.state(1).state != "live" or not (folder / "input1.engine").exists():
            if time.monotonic() > until_s:
                raise RuntimeError(f"{source} gives no pictures: {desk.problem}")
            time.sleep(0.05)
        time.sleep(1.0)
        ring = InputRing.attach(folder / "input1.engine")
        process_id, written, begun_s = desk.state(1).process_id, ring.written, time.monotonic()
        came = desk.state(1).pictures
        before_s = processor_s(process_id)
        time.sleep(seconds)
        took_s, pictures = processor_s(process_id) - before_s, ring.written - written
        measured_s, rate_fps = time.monotonic() - begun_s, desk.state(1).rate_fps
        came = desk.state(1).pictures - came
        ring.close()
    finally:
        desk.stop()
    return {
        "source": name,
        "rate_fps": rate_fps,
        "came_fps": round(came / measured_s, 1),
        "written_fps": round(pictures / measured_s, 1),
        "processor_ms_per_picture": round(took_s / max(1, came) * 1000, 2),
        "core_percent_at_its_rate": round(took_s / max(1, came) * rate_fps * 100, 1),
    }


def main() -> int:
    """Measure test pictures and films; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each is measured")
    arguments = parser.parse_args()
    layer = {"/vj/layer/1/input": 1}
    key = {"/vj/input/1/key/mode": "chroma", "/vj/input/1/crop/left": 0.1, "/vj/input/1/gamma": 1.4}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases: list[tuple[str, str, dict[str, object]]] = [
            ("test picture 1280x720@30", "lavfi:testsrc2=size=1280x720:rate=30", {}),
            ("the same, shown as a layer", "lavfi:testsrc2=size=1280x720:rate=30", layer),
            ("the same, a layer, keyed, cropped, gamma", "lavfi:testsrc2=size=1280x720:rate=30", key | layer),
            ("H.264 1280x720@30", make_film(folder / "a.mp4", "libx264", "yuv420p", "1280x720", 30), {}),
            ("MJPEG 1280x720@30", make_film(folder / "b.avi", "mjpeg", "yuvj422p", "1280x720", 30), {}),
            ("H.264 1920x1080@60", make_film(folder / "c.mp4", "libx264", "yuv420p", "1920x1080", 60), {}),
            ("MJPEG 1920x1080@60", make_film(folder / "d.avi", "mjpeg", "yuvj422p", "1920x1080", 60), {}),
            ("the same, shown as a layer", str(folder / "d.avi"), layer),
        ]
        rows = [measure(*case, arguments.seconds, folder) for case in cases]
    for row in rows:
        print(row)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        report = {"environment": describe(torch.device("cpu")), "stream_size": STREAM_SIZE, "rows": rows}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
