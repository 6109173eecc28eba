"""`vj inputs` as it is typed."""

from __future__ import annotations

import json

import pytest


def test_what_can_be_opened_is_listed(run_vj):
    done = run_vj("inputs", "list", "--no-network", "--json")
    assert done.returncode == 0
    assert {"kind": "screen", "source": "screen"}.items() <= json.loads(done.stdout)[-1].items()


def test_an_input_is_tried_and_its_picture_kept(run_vj, tmp_path):
    import cv2

    picture = tmp_path / "seen.png"
    graph = "lavfi:color=c=0x2864c8:size=320x180:rate=25"
    done = run_vj("inputs", "show", graph, "--picture", picture)
    assert done.returncode == 0, done.stderr
    assert f"{graph}: 320x180, says 25 fps" in done.stdout
    assert " pictures a second came in " in done.stdout
    assert cv2.imread(str(picture))[90, 160].tolist() == pytest.approx([200, 100, 40], abs=3)


def test_what_gives_no_picture_is_one_sentence_and_exit_1(run_vj):
    done = run_vj("inputs", "show", "Cam Link", "--format", "1920x1080@60")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no device whose name holds 'Cam Link'" in done.stderr
    assert run_vj("inputs", "show", " ").returncode == 2
