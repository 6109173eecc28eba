"""`vj models verify` and `list`: spoiled files are named, what nobody published is pinned, foreign folders are used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.engine.downloads.conftest import FILES, REPOSITORY
from tests.servers.hub import HubServer, declare

BIG = "weights/big.safetensors"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_flipped_byte_is_found_and_fetched_anew(models, hub: HubServer, tmp_path: Path) -> None:
    assert models("download", "toys").returncode == 0
    good = models("verify", "toys")
    assert good.returncode == 0
    assert good.stdout.count("good") == 3
    flip(tmp_path / "models" / "toys" / BIG)
    found = models("verify", "toys")
    assert found.returncode == 1
    assert f"{tmp_path}/models/toys/{BIG}: its checksum is sha256:" in found.stdout
    assert "vj models verify toys --repair" in found.stderr
    assert models("verify", "toys", "--repair").returncode == 0
    assert (tmp_path / "models" / "toys" / BIG).read_bytes() == FILES[BIG]


def test_what_nobody_published_a_checksum_for_is_pinned_at_the_first_download(
    models, hub: HubServer, tmp_path: Path
) -> None:
    declare(tmp_path / "vj" / "presets", REPOSITORY, FILES, pinned=False)
    assert models("download", "toys").returncode == 0
    pin = json.loads((tmp_path / "models" / ".pins" / "toys" / f"{BIG}.json").read_text("utf-8"))
    assert pin["revision"] == hub.commit(REPOSITORY)
    assert pin["size_bytes"] == len(FILES[BIG])
    flip(tmp_path / "models" / "toys" / "config.json")
    spoiled = models("verify", "toys")
    assert spoiled.returncode == 1
    assert "config.json: its checksum is git:" in spoiled.stdout, "small files are pinned as git names them"
    (tmp_path / "models" / "toys" / "middle.pt").unlink()
    hub.repositories[REPOSITORY]["middle.pt"] = bytes(300_001)  # published anew: not what was pinned
    again = models("download", "toys")
    assert again.returncode == 1
    assert "no such revision" in again.stderr, "the pinned revision is asked for, not the newest"


def test_a_file_cut_short_is_spoiled_in_the_list_and_fetched_anew(models, tmp_path: Path) -> None:
    assert models("download", "toys").returncode == 0
    path = tmp_path / "models" / "toys" / BIG
    path.write_bytes(path.read_bytes()[:1000])
    assert re.search(rf"spoiled +3.0 MB +{path}", models("list", "toys").stdout)
    assert models("download", "toys").returncode == 0
    assert path.read_bytes() == FILES[BIG]


@pytest.mark.parametrize(
    ("owner", "variable", "places"),
    [
        ("Scope", "DAYDREAM_SCOPE_MODELS_DIR", {path: f"toys/{path}" for path in FILES}),
        ("ComfyUI", "COMFYUI_PATH", {BIG: "models/diffusion_models/toys/big.safetensors"}),
    ],
)
def test_a_foreign_folder_is_used_in_place(
    models, hub: HubServer, tmp_path: Path, owner: str, variable: str, places: dict[str, str]
) -> None:
    foreign = tmp_path / "foreign"
    for path, place in places.items():
        (foreign / place).parent.mkdir(parents=True, exist_ok=True)
        (foreign / place).write_bytes(FILES[path])
    before = sorted(foreign.rglob("*"))
    done = models("download", "toys", **{variable: str(foreign)})
    assert done.returncode == 0, done.stderr
    assert f"used in place: {foreign / places[BIG]} ({owner})" in done.stderr
    assert BIG not in hub.sent_bytes
    assert not (tmp_path / "models" / "toys" / BIG).exists()
    assert sorted(foreign.rglob("*")) == before, "nothing is written there"
    flip(foreign / places[BIG])
    assert models("verify", "toys", **{variable: str(foreign)}).returncode == 1


def test_the_hubs_own_cache_is_used_in_place(models, hub: HubServer, tmp_path: Path) -> None:
    snapshot = tmp_path / "cache" / "models--someone--toys" / "snapshots" / hub.commit(REPOSITORY)
    for path, data in FILES.items():
        (snapshot / path).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / path).write_bytes(data)
    done = models("download", "toys", HF_HUB_CACHE=str(tmp_path / "cache"))
    assert "everything is here already (3 files)" in done.stderr
    assert hub.requests == []


def test_a_preset_of_downloaded_files_names_the_command_and_then_finds_them(
    models, run_vj, hub: HubServer, tmp_path: Path
) -> None:
    folder = tmp_path / "vj" / "presets" / "models"
    folder.mkdir(parents=True)
    (folder / "toy.toml").write_text(
        '[transformer]\nfile = "models:toys/weights/big.safetensors"\n[decoder]\nkind = "wan_vae"\n'
        'file = "models:toys/middle.pt"\n[text]\nkind = "ngram"\nfile = "engine:ember/text.safetensors"\n'
        "[stream]\nwidth = 832\nheight = 480\nrate_fps = 16\n"
    )
    env = hub.environment(tmp_path / "models")
    words = ("render", "--model", "toy", "--prompt", "ink", "--seconds", "1", "--out", "a.mp4")
    missing = run_vj(*words, env=env)
    assert missing.returncode != 0
    assert "2 files are not on this machine (toys/weights/big.safetensors, toys/middle.pt)" in missing.stderr
    assert "`vj models download toy` fetches what is missing" in missing.stderr
    assert models("download", "toy").returncode == 0
    assert "config.json" not in hub.sent_bytes, "only what the model needs"
    present = run_vj(*words, env=env)
    assert str(tmp_path / "models" / "toys" / BIG) in present.stderr, "found, and refused for what is in it"


def test_a_listed_model_says_what_it_needs_on_each_gpu(run_vj) -> None:
    listed = run_vj("models", "list", "reward-forcing").stdout
    for gpu_gb in (24, 16, 12, 8):
        assert f"on a GPU of {gpu_gb} GB it needs " in listed
    assert "Reward-Forcing-T2V-1.3B/rewardforcing.pt" in listed
