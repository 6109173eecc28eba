"""`vj models download` with the real client against a hub on loopback: whole, gone on with, refused, offline."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.downloads.conftest import FILES, REPOSITORY
from tests.long import download_kills
from tests.servers.hub import HubServer, declare
from tests.servers.instrument import own_environment, vj_command

BIG = "weights/big.safetensors"


def lies_whole(folder: Path) -> bool:
    return all((folder / "toys" / path).read_bytes() == data for path, data in FILES.items())


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.piece") if path.is_file()]


def test_a_download_lands_whole_and_the_second_asks_nothing(models, hub: HubServer, tmp_path: Path) -> None:
    done = models("download", "toys")
    assert done.returncode == 0, done.stderr
    assert lies_whole(tmp_path / "models")
    assert "licence MIT" in done.stderr
    assert leftovers(tmp_path / "models") == []
    asked = len(hub.requests)
    again = models("download", "toys")
    assert again.returncode == 0
    assert "everything is here already (3 files)" in again.stderr
    offline = models("download", "toys", "--offline")
    assert offline.returncode == 0
    assert len(hub.requests) == asked, "nothing is asked when everything is there"


def test_offline_and_missing_is_a_sentence_without_a_request(models, hub: HubServer) -> None:
    done = models("download", "toys", "--offline")
    assert done.returncode == 1
    assert f"someone/toys/{BIG}: it is not on this machine, and offline mode is on" in done.stderr
    assert hub.requests == []


def test_a_broken_line_is_gone_on_with(models, hub: HubServer, tmp_path: Path) -> None:
    hub.break_after_bytes = 1_500_000
    done = models("download", "toys")
    assert done.returncode == 0, done.stderr
    assert lies_whole(tmp_path / "models")
    assert any(wanted for _, path, wanted in hub.requests if path.endswith(BIG)), "the rest was asked for by range"


def test_a_server_without_ranges_is_begun_anew(models, hub: HubServer, tmp_path: Path) -> None:
    hub.break_after_bytes = 1_500_000
    hub.ignores_ranges = True
    done = models("download", "toys")
    assert done.returncode == 0, done.stderr
    assert lies_whole(tmp_path / "models")


def test_a_killed_download_goes_on_where_it_was(models, hub: HubServer, tmp_path: Path) -> None:
    env = own_environment(tmp_path, hub.environment(tmp_path / "models"))
    hub.rate_bytes_s = 2_000_000.0
    process = subprocess.Popen([*vj_command(), "models", "download", "toys"], env=env, stderr=subprocess.DEVNULL)
    while hub.sent_bytes.get(BIG, 0) < 1_600_000:
        time.sleep(0.01)
        assert process.poll() is None
    process.kill()
    process.wait()
    hub.rate_bytes_s = 0.0
    assert leftovers(tmp_path / "models"), "what came before the kill is kept"
    listed = models("list", "toys")
    assert "partial" in listed.stdout
    done = models("download", "toys")
    assert done.returncode == 0, done.stderr
    assert lies_whole(tmp_path / "models")
    assert hub.sent_bytes[BIG] < len(FILES[BIG]) + 1_200_000, "not fetched from the beginning"


def test_control_c_ends_at_once_and_keeps_what_came(hub: HubServer, models, start_vj, tmp_path: Path) -> None:
    hub.rate_bytes_s = 200_000.0
    vj = start_vj("models", "download", "toys", env=hub.environment(tmp_path / "models"))
    vj.wait_for("to fetch, into")
    while sum(path.stat().st_size for path in leftovers(tmp_path / "models")) == 0:
        time.sleep(0.05)
    began = time.monotonic()
    assert vj.stop(signal.SIGINT) in (130, -signal.SIGINT)
    assert time.monotonic() - began < 4.0
    assert "stopped; what was fetched is kept" in vj.output()
    assert leftovers(tmp_path / "models")


def test_two_at_the_same_time_fetch_every_byte_once(models, hub: HubServer, tmp_path: Path) -> None:
    env = own_environment(tmp_path, hub.environment(tmp_path / "models"))
    hub.rate_bytes_s = 3_000_000.0
    command = [*vj_command(), "models", "download", "toys"]
    both = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert lies_whole(tmp_path / "models")
    assert hub.sent_bytes[BIG] == len(FILES[BIG])


def test_other_bytes_than_published_are_refused_before_they_come(models, hub: HubServer, tmp_path: Path) -> None:
    commit = hub.commit(REPOSITORY)
    hub.commit = lambda repository: commit  # a mirror that claims to be the pinned revision
    hub.repositories[REPOSITORY][BIG] = bytes(len(FILES[BIG]))
    done = models("download", "toys")
    assert done.returncode == 1
    assert "published is sha256:" in done.stderr
    hub.repositories[REPOSITORY][BIG] = FILES[BIG][:-1]
    done = models("download", "toys")
    assert "the server has 2999999 bytes, 3000000 were published" in done.stderr
    assert hub.sent_bytes.get(BIG, 0) == 0


def test_bytes_spoiled_on_the_way_never_take_the_files_name(models, hub: HubServer, tmp_path: Path) -> None:
    done = models("download", "toys")
    assert done.returncode == 0
    target = tmp_path / "models" / "toys" / BIG
    target.unlink()
    piece = target.with_name(f"{target.name}.{hashlib.sha256(FILES[BIG]).hexdigest()[:12]}.piece")
    piece.write_bytes(bytes(1_000_000))  # what a dying disk may have kept of the first part
    done = models("download", "toys")
    assert done.returncode == 1
    assert "what arrived is not what was published" in done.stderr
    assert not target.exists()
    assert models("download", "toys").returncode == 0
    assert lies_whole(tmp_path / "models")


def test_an_unknown_repository_revision_or_file_is_named(models, hub: HubServer, tmp_path: Path) -> None:
    presets = tmp_path / "vj" / "presets"
    declare(presets, REPOSITORY, {"gone.pt": b""}, pinned=False)
    assert "someone/toys/gone.pt: the server has no such" in models("download", "toys").stderr
    declare(presets, REPOSITORY, FILES, pinned=True, commit="0" * 40)
    assert "revision 0000" in models("download", "toys").stderr
    declare(presets, "nobody/toys", FILES, pinned=True)
    done = models("download", "toys")
    assert done.returncode == 1
    assert "nobody/toys" in done.stderr


def test_a_file_at_a_plain_address_is_fetched_and_checked(models, hub: HubServer, tmp_path: Path) -> None:
    presets = tmp_path / "vj" / "presets" / "downloads"
    for name, md5 in (("good", hashlib.md5(FILES["middle.pt"]).hexdigest()), ("wrong", "0" * 32)):
        (presets / f"{name}.toml").write_text(
            f'address = "{hub.address}/stored/{REPOSITORY}"\nfolder = "{name}"\nlicence = "MIT"\n[[parts]]\n'
            f'name = "{name}"\ndescription = "y"\nfiles = [{{ path = "middle.pt", checksum = "md5:{md5}" }}]\n'
        )
    done = models("download", "good")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "models" / "good" / "middle.pt").read_bytes() == FILES["middle.pt"]
    assert "what arrived is not what was published" in models("download", "wrong").stderr
    assert not (tmp_path / "models" / "wrong" / "middle.pt").exists()


def test_a_server_that_is_not_there_is_a_sentence(models, hub: HubServer) -> None:
    done = models("download", "toys", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "no answer from the server" in done.stderr
    assert "HF_ENDPOINT" in done.stderr


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small disk")
def test_no_room_is_said_before_the_first_byte(models, hub: HubServer, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", disk], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        done = models("download", "toys", VJ_MODELS=str(disk / "models"))
    finally:
        subprocess.run(["umount", disk], check=True)
    assert done.returncode == 1
    assert "3.3 MB are to be fetched and 1.0 MB are free there" in done.stderr
    assert hub.sent_bytes == {}


def test_room_is_counted_without_a_small_disk(models, hub: HubServer, monkeypatch, tmp_path: Path) -> None:
    from engine.downloads import fetching
    from engine.downloads.catalogue import RemoteFile
    from engine.downloads.hub import DownloadError, Offer

    monkeypatch.setenv("VJ_MODELS", str(tmp_path / "elsewhere"))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda folder: usage._replace(free=70_000_000))
    offer = Offer(RemoteFile(REPOSITORY, BIG, "toys"), "", 5_000_000, "", "")
    with pytest.raises(DownloadError, match="5.0 MB are to be fetched and 70.0 MB are free there"):
        fetching.check_room([offer], tmp_path / "elsewhere")
    fetching.check_room([Offer(offer.file, "", 1_000_000, "", "")], tmp_path / "elsewhere")


def test_killed_three_times_at_random_points_it_ends_whole() -> None:
    sizes = {"transformer.safetensors": 14_000_000, "vae.pth": 2_000_000, "config.json": 300}
    figures = download_kills.run(kills=3, sizes=sizes)
    assert figures["kills"] >= 1
