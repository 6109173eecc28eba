"""A download killed again and again at random moments and gone on with: it ends whole, and little comes twice.

`kill -9` of the real command, the real client, a hub on loopback.
"""

from __future__ import annotations

import random
import subprocess
import tempfile
import time
from pathlib import Path

from tests.servers.hub import HubServer, declare
from tests.servers.instrument import own_environment, vj_command

KILLS = 50
SEED = 6
REPOSITORY = "someone/large"
SIZES = {
    "transformer.safetensors": 60_000_000,
    "text.safetensors": 24_000_000,
    "vae.pth": 5_000_000,
    "config.json": 300,
}
AT_ONCE_BYTES = 1 << 18  # what one file may lose in a kill, beside what is under way in the sockets
UNDER_WAY_BYTES = 4 << 20
LONGEST_S = 120.0
RATE_BYTES_S = 3_000_000.0  # of each file
MOST_BYTES = 3_000_000  # that come in a run before it is killed
WHILE_BYTES_COME = 0.85  # share of the kills; the others fall while it starts and asks


def run(kills: int = KILLS, sizes: dict[str, int] = SIZES) -> dict[str, object]:
    """Kill it so often; returns the figures. Raises AssertionError when a byte is wrong or too many came twice."""
    rng = random.Random(SEED)
    files = {path: rng.randbytes(size) for path, size in sizes.items()}
    hub = HubServer({REPOSITORY: files})
    total = sum(sizes.values())
    try:
        with tempfile.TemporaryDirectory(prefix="vj_downloads_") as home:
            folder = Path(home)
            declare(folder / "vj" / "presets", REPOSITORY, files, pinned=False)
            environment = own_environment(folder, hub.environment(folder / "models"))
            hub.rate_bytes_s = RATE_BYTES_S
            done_kills, fetching, lived_s = _kill(kills, hub, environment, rng)
            hub.rate_bytes_s = 0.0
            began = time.monotonic()
            last = subprocess.run(_command(), env=environment, capture_output=True, text=True, timeout=LONGEST_S)
            assert last.returncode == 0, last.stderr
            left_s = time.monotonic() - began
            wrong = [path for path, data in files.items() if (folder / "models/large" / path).read_bytes() != data]
            assert wrong == [], f"other bytes than the server's: {wrong}"
            pieces = [path.name for path in (folder / "models").rglob("*.piece")]
            assert pieces == [], f"left behind: {pieces}"
            verified = subprocess.run(_command("verify"), env=environment, capture_output=True, text=True)
            assert verified.returncode == 0, verified.stdout
    finally:
        hub.stop()
    sent = sum(hub.sent_bytes.values())
    allowed = total + done_kills * (AT_ONCE_BYTES + UNDER_WAY_BYTES) * (len(files) - 1)
    assert sent <= allowed, f"{sent} bytes came for {total}; {allowed} are the most that kills can cost"
    return {
        "kills": done_kills,
        "kills_while_bytes_came": fetching,
        "lived_s": {"least": round(min(lived_s), 2), "most": round(max(lived_s), 2)},
        "files_bytes": total,
        "sent_bytes": sent,
        "sent_twice_bytes_per_kill": round((sent - total) / max(1, done_kills)),
        "sent_twice_share": round(sent / total - 1, 4),
        "last_run_s": round(left_s, 2),
        "requests": len(hub.requests),
    }


def _kill(kills: int, hub: HubServer, environment: dict[str, str], rng: random.Random) -> tuple[int, int, list[float]]:
    """Start and kill at random moments; returns kills, how many fell while bytes came, and how long each run lived."""
    fetching, lived_s = 0, []
    for _ in range(kills):
        sent = sum(hub.sent_bytes.values())
        process = subprocess.Popen(_command(), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        began = time.monotonic()
        if rng.random() < WHILE_BYTES_COME:
            point = sent + rng.uniform(1.0, MOST_BYTES)
        else:
            point = sent
            time.sleep(rng.uniform(0.0, 0.8))
        while sum(list(hub.sent_bytes.values())) < point:
            assert process.poll() is None, f"it ended by itself with {process.returncode}: give it more to fetch"
            assert time.monotonic() - began < LONGEST_S, "no more bytes come"
            time.sleep(0.002)
        process.kill()
        process.wait()
        lived_s.append(time.monotonic() - began)
        fetching += sum(hub.sent_bytes.values()) > sent
    return kills, fetching, lived_s


def _command(action: str = "download") -> list[str]:
    return [*vj_command(), "models", action, "large"]
