"""`vj models` and `python -m engine models`: what there is, fetching it, and checking what lies here."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence

from engine.downloads.catalogue import Catalogue, RemoteFile, Wanted, read_catalogue
from engine.downloads.checksums import checksum_of, read_pin
from engine.downloads.places import foreign_places, own_folder
from engine.downloads.progress import ByteProgress, size_words
from engine.downloads.states import FileState, ModelState, look_at
from engine.model_presets import load_preset
from engine.plans.memory_plan import plans_by_gpu
from engine.preset_table import PresetError

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
OFFLINE = "HF_HUB_OFFLINE"
NAME_WIDTH, STATE_WIDTH, SIZE_WIDTH, LICENCE_WIDTH = 24, 10, 9, 16


def main(arguments: Sequence[str]) -> int:
    """Run `list`, `download` or `verify`; return the exit code."""
    args = _parser().parse_args(arguments)
    try:
        catalogue = read_catalogue()
        return args.action(args, catalogue)
    except PresetError as error:
        sys.stderr.write(f"vj: {error}\n")
        return EXIT_WRONG_USE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vj models",
        description="Models and what belongs to them: which there are, fetching them, checking what lies here.",
        epilog="Downloads go to VJ_MODELS or the platform's data folder; a models folder of Scope "
        "(DAYDREAM_SCOPE_MODELS_DIR) or ComfyUI (COMFYUI_PATH) is used in place. HF_ENDPOINT names a mirror, "
        "HF_TOKEN a login. Exit codes: 0 done, 1 failed, 2 wrong use.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="every model, part and set: licence, size, what of it is here and where")
    listed.add_argument("names", metavar="NAME", nargs="*", help="only these, file by file, with the memory they need")
    listed.add_argument("--json", action="store_true", help="write JSON instead of words")
    listed.set_defaults(action=_list)
    download = actions.add_parser("download", help="fetch what is missing of a model; a broken-off one goes on")
    download.add_argument("names", metavar="NAME", nargs="+", help="a model, a part or a set, as `list` shows them")
    download.add_argument("--offline", action="store_true", help=f"reach no server (as {OFFLINE}=1): fail if it must")
    download.set_defaults(action=_download)
    verify = actions.add_parser("verify", help="compute every checksum anew and name the files that are spoiled")
    verify.add_argument("names", metavar="NAME", nargs="+", help="a model, a part or a set")
    verify.add_argument("--repair", action="store_true", help="delete spoiled files in vj's own folder and fetch them")
    verify.set_defaults(action=_verify)
    return parser


# -- list -----------------------------------------------------------------------------------------------------------


def _list(args: argparse.Namespace, catalogue: Catalogue) -> int:
    states = []
    for name in args.names or catalogue.names():
        try:
            states.append(look_at(catalogue.wanted(name)))
        except PresetError as error:  # a preset of the user's; the others are listed all the same
            if args.names:
                raise
            sys.stderr.write(f"vj: {error}\n")
    if args.json:
        sys.stdout.write(json.dumps([state.as_data() for state in states], indent=2) + "\n")
        return EXIT_DONE
    lines = []
    for kind, title in (("model", "models"), ("part", "parts"), ("set", "sets")):
        rows = [state for state in states if state.wanted.kind == kind]
        if rows:
            lines += ["", title, *(line for state in rows for line in _rows(state, bool(args.names)))]
    lines += ["", f"downloads go to {own_folder()}"]
    lines += [f"read in place: {place.folder} ({place.owner})" for place in foreign_places()]
    sys.stdout.write("\n".join(lines[1:]) + "\n")
    return EXIT_DONE


def _rows(state: ModelState, is_detailed: bool) -> list[str]:
    wanted = state.wanted
    head = (
        f"  {wanted.name:<{NAME_WIDTH}} {state.word:<{STATE_WIDTH}} {state.size_words:>{SIZE_WIDTH}}  "
        f"{wanted.licence:<{LICENCE_WIDTH}} {wanted.description}"
    )
    margin = " " * 4
    if not is_detailed:
        owners = ", ".join(owner for owner in state.owners if owner != "vj")
        return [head + (f" [in {owners}'s folder]" if owners else "")]
    rows = [head, *(margin + _file_row(file) for file in state.files)]
    if wanted.kind == "model" and wanted.files:  # one that ships fits anywhere
        preset = load_preset(wanted.name)
        plans = plans_by_gpu(preset, (preset.stream.width, preset.stream.height))
        rows += [f"{margin}on a GPU of {gpu_gb} GB it {plan.words}" for gpu_gb, plan in plans]
    return rows


def _file_row(state: FileState) -> str:
    size = size_words(state.size_bytes)
    where = f"{state.path}" + (f" ({state.owner})" if state.owner not in ("", "vj") else "")
    partly = f" {size_words(state.piece_bytes)} of" if state.word == "partial" else ""
    return f"{state.word:<{STATE_WIDTH}}{partly} {size:>{SIZE_WIDTH}}  {where}"


# -- download -------------------------------------------------------------------------------------------------------


def _download(args: argparse.Namespace, catalogue: Catalogue) -> int:
    if args.offline:
        os.environ[OFFLINE] = "1"  # before huggingface_hub is imported, which reads it once
    wanted = [catalogue.wanted(name) for name in args.names]
    files = tuple(dict.fromkeys(file for each in wanted for file in each.files))
    name = ", ".join(args.names)
    missing = _tell_what_is_there(name, files)
    if not missing:
        return EXIT_DONE
    for line in _licences(wanted):
        sys.stderr.write(f"{line}\n")
    return _fetch(name, missing)


def _tell_what_is_there(name: str, files: Sequence[RemoteFile]) -> list[RemoteFile]:
    """Say which files need no download; return the others."""
    states = {file: FileState.of(file) for file in files}
    for state in states.values():
        if state.word == "present" and state.owner != "vj":
            sys.stderr.write(f"used in place: {state.path} ({state.owner})\n")
        if state.word == "spoiled":
            sys.stderr.write(f"{state.path}: it has {state.found_bytes} bytes, not {state.size_bytes}: fetched anew\n")
    missing = [file for file, state in states.items() if state.word != "present"]
    if not files:
        sys.stderr.write(f"{name}: it came with the instrument; nothing is to be fetched\n")
    elif not missing:
        sys.stderr.write(f"{name}: everything is here already ({len(files)} files)\n")
    return missing


def _licences(wanted: Sequence[Wanted]) -> list[str]:
    return [f"{each.name}: licence {each.licence}" for each in wanted if each.licence]


def _fetch(name: str, files: Sequence[RemoteFile]) -> int:
    from huggingface_hub.utils import disable_progress_bars

    from engine.downloads.fetching import ask_all, check_room, fetch_all
    from engine.downloads.hub import DownloadError

    disable_progress_bars()  # one for all files instead of one for each
    try:
        offers = ask_all(files)
        check_room(offers, own_folder())
        total = sum(offer.missing_bytes for offer in offers)
        sys.stderr.write(f"{name}: {len(offers)} files, {size_words(total)} to fetch, into {own_folder()}\n")
        problems = fetch_all(name, offers)
    except DownloadError as error:
        problems = str(error).splitlines()
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{name}: stopped; what was fetched is kept, the same command goes on from there\n")
        raise
    for problem in problems:
        sys.stderr.write(f"vj: {problem}\n")
    if problems:
        return EXIT_FAILED
    sys.stderr.write(f"{name}: everything is here\n")
    return EXIT_DONE


# -- verify ---------------------------------------------------------------------------------------------------------


def _verify(args: argparse.Namespace, catalogue: Catalogue) -> int:
    wanted = [catalogue.wanted(name) for name in args.names]
    files = tuple(dict.fromkeys(file for each in wanted for file in each.files))
    states = [FileState.of(file) for file in files]
    name = ", ".join(args.names)
    done, spoiled = 0, []
    with ByteProgress(f"checking {name}", sum(state.found_bytes for state in states)) as progress:
        for state in states:

            def advance(read_bytes: int, what: str = state.file.path) -> None:
                nonlocal done
                done += read_bytes
                progress.show(done, what)

            is_good, line = _verdict(state, advance)
            progress.say(line, sys.stdout)
            if not is_good:
                spoiled.append(state)
    if not spoiled:
        return EXIT_DONE
    if not args.repair:
        sys.stderr.write(f"vj: {len(spoiled)} of {len(files)} files are missing or spoiled: `vj models verify {name}"
                         " --repair` fetches them anew\n")  # fmt: skip
        return EXIT_FAILED
    for state in spoiled:
        if state.owner == "vj" and state.word != "missing":
            state.path.unlink(missing_ok=True)
    return _fetch(name, [state.file for state in spoiled])


def _verdict(state: FileState, advance: Callable[[int], None]) -> tuple[bool, str]:
    """Whether a file is what was published, and the line that says so."""
    file, path = state.file, state.path
    if state.word in ("missing", "partial"):
        return False, f"{state.word:<{STATE_WIDTH}} {path}"
    if state.word == "spoiled":
        return False, f"spoiled    {path}: it has {state.found_bytes} bytes instead of {state.size_bytes}"
    pin = read_pin(file)
    known = file.checksum or (pin.checksum if pin else "")
    try:
        found = checksum_of(path, known.partition(":")[0] or "sha256", advance)
    except OSError as error:
        return False, f"spoiled    {path}: cannot be read ({error.strerror})"
    if not known:
        return True, f"unpinned   {path}: {found}, and nobody has published one to compare it with"
    if found != known:
        return False, f"spoiled    {path}: its checksum is {found} instead of {known}"
    return True, f"good       {path}"
