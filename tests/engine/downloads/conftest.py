"""A hub on loopback with one repository, declared in the user's presets."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.hub import HubServer, declare

REPOSITORY = "someone/toys"
FILES = {
    "weights/big.safetensors": random.Random(1).randbytes(3_000_000),
    "middle.pt": random.Random(2).randbytes(300_000),
    "config.json": b'{"dim": 8}\n',
}


@pytest.fixture
def hub() -> Iterator[HubServer]:
    """The repository `someone/toys` on loopback."""
    server = HubServer({REPOSITORY: FILES})
    yield server
    server.stop()


@pytest.fixture
def models(run_vj: Callable, hub: HubServer, tmp_path: Path) -> Callable:
    """`models("download", "toys")`: the real command, that hub, the folder tmp_path/models, files pinned."""
    declare(tmp_path / "vj" / "presets", REPOSITORY, FILES, pinned=True, commit=hub.commit(REPOSITORY))

    def run(*words: str, **environment: str):
        return run_vj("models", *words, env={**hub.environment(tmp_path / "models"), **environment})

    return run
