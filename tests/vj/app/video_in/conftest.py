"""One window for all tests of a module: building it takes longer than they do. Inputs and references begin empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.video_in.params import INPUTS
from tests.vj.app.stage import Stage
from vj.inputs.messages import InputState
from vj.parameters import PARAMETERS


@pytest.fixture(scope="module")
def window(qt_application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("run")
        patch.setenv("XDG_CONFIG_HOME", str(folder / "home"))
        stage = Stage(folder)
        stage.panels.resize(1280, 720)
        yield stage
        stage.panels.thumbnails.stop()
        stage.close()


@pytest.fixture
def show(window: Stage) -> Stage:
    window.inputs[:] = [InputState()] * INPUTS
    for ring in window.folder.glob("input*"):
        ring.unlink()
    changed = {a: p.default for a, p in PARAMETERS.items() if a.startswith(("/vj/input/", "/vj/vace/"))}
    window.controls.set_many(changed, "test")
    return window
