"""One file from the hub, or from a plain address: asked for, then fetched with resumption, checked and put in place.

huggingface_hub speaks to the server and gives its errors, mirror (HF_ENDPOINT) and login. Its own download begins a
broken-off file anew in another process; here the piece is kept, and it fetches the rest.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.downloads.catalogue import COMMIT, RemoteFile
from engine.downloads.checksums import Pin, checksum_of, read_pin, write_pin
from engine.downloads.places import PIECE, locate, own_folder, own_path

CHUNK_BYTES = 1 << 18  # written at once: what a kill may cost of each file under way
MAIN = "main"
LOCKS = ".locks"  # in the models folder: whoever fetches a file holds its lock, and the system frees it at any end
HEX_KINDS = {64: "sha256", 40: "git", 32: "md5"}  # length of a server's entity tag -> what it is


class DownloadError(RuntimeError):
    """A file that cannot be had. The message is a sentence."""


@dataclass(frozen=True)
class Offer:
    """What the server has of a file."""

    file: RemoteFile
    revision: str  # commit; "" for a plain address
    size_bytes: int | None
    checksum: str  # declared, pinned or the server's own; "" = none
    address: str

    @property
    def target(self) -> Path:
        """Where the file goes."""
        return own_path(self.file)

    @property
    def piece(self) -> Path:
        """Where it grows: named by what it will be, so that pieces of two versions never mix."""
        mark = (self.checksum.partition(":")[2] or self.revision)[:12]
        return self.target.with_name(f"{self.target.name}.{mark}{PIECE}" if mark else self.target.name + PIECE)

    @property
    def missing_bytes(self) -> int:
        """What is still to be fetched; 0 when the server does not say."""
        return max(0, (self.size_bytes or 0) - size_of(self.piece))


def size_of(path: Path) -> int:
    """Bytes of a file; 0 when there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def ask(file: RemoteFile) -> Offer:
    """Ask the server for a file's size and checksum. Raises DownloadError.

    What is declared, or pinned by an earlier download, must be what the server has.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    pin = read_pin(file)
    revision = file.revision or (pin.revision if pin else "") or MAIN
    address = hf_hub_url(file.source, file.path, revision=revision) if file.is_on_hub else _address(file)
    with _sentences(file):
        found = get_hf_file_metadata(address, token=None if file.is_on_hub else False)
    known_bytes = file.size_bytes or (pin.size_bytes if pin else None)
    if known_bytes and found.size is not None and found.size != known_bytes:
        raise DownloadError(
            f"{_name(file)}: the server has {found.size} bytes, {known_bytes} were published; nothing is fetched. "
            "Is it a mirror that is out of date?"
        )
    theirs = _checksum(found.etag, file)
    checksum = file.checksum or (pin.checksum if pin else "") or theirs
    if theirs and theirs != checksum and theirs.partition(":")[0] == checksum.partition(":")[0]:
        raise DownloadError(f"{_name(file)}: the server has {theirs}, published is {checksum}; nothing is fetched")
    commit = found.commit_hash or (revision if COMMIT.fullmatch(revision) else "")
    if commit and file.is_on_hub:  # what it is asked for by must not move while it is fetched
        address = hf_hub_url(file.source, file.path, revision=commit)
    return Offer(file, commit, found.size if found.size is not None else known_bytes, checksum, address)


def fetch(offer: Offer, say: Callable[[str], None]) -> None:
    """Fetch what is missing of a file, check it and put it in place. Raises DownloadError.

    A second process that wants the same file waits for the first, and finds it there.
    """
    from huggingface_hub.utils import WeakFileLock

    try:
        lock = own_folder() / LOCKS / offer.file.folder / f"{offer.file.path}.lock"
        for folder in (offer.piece.parent, lock.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):
            if _is_there(offer):
                return
            _fetch_rest(offer)
            _put_in_place(offer, say)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DownloadError(f"{_name(offer.file)}: the disk is full; what was fetched is kept") from None
        raise DownloadError(f"{_name(offer.file)}: {offer.piece}: {error.strerror or error}") from None


def _is_there(offer: Offer) -> bool:
    found = locate(offer.file, offer.size_bytes)
    return found is not None and found[1] == "vj"


def _fetch_rest(offer: Offer) -> None:
    from huggingface_hub import constants
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES  # its 10 MB would be lost with every kill, of each file
    headers = build_hf_headers(token=None if offer.file.is_on_hub else False)
    if size_of(offer.piece) > (offer.size_bytes or size_of(offer.piece)):
        offer.piece.unlink()
    with _sentences(offer.file), offer.piece.open("ab", buffering=0) as piece:
        http_get(
            offer.address,
            piece,
            resume_size=piece.tell(),
            headers=headers,
            expected_size=offer.size_bytes,
            displayed_filename=offer.file.path,
        )
        os.fsync(piece.fileno())


def _put_in_place(offer: Offer, say: Callable[[str], None]) -> None:
    kind = offer.checksum.partition(":")[0] or "sha256"
    found = checksum_of(offer.piece, kind)
    if offer.checksum and found != offer.checksum:
        offer.piece.unlink()
        raise DownloadError(
            f"{_name(offer.file)}: what arrived is not what was published ({found} instead of {offer.checksum}); "
            "it is thrown away, download it again"
        )
    if not (offer.file.checksum and offer.file.revision):
        write_pin(offer.file, Pin(offer.revision, size_of(offer.piece), found))
    offer.piece.replace(offer.target)
    for outdated in offer.target.parent.glob(f"{offer.target.name}*{PIECE}"):  # of another version
        outdated.unlink(missing_ok=True)
    say(f"{offer.target.name}: whole, {kind} {found.partition(':')[2][:12]}...")


def _checksum(tag: str | None, file: RemoteFile) -> str:
    """The checksum an entity tag is; a plain server's tag may be anything and counts only as an MD5 of its look."""
    tag = (tag or "").lower()
    kind = HEX_KINDS.get(len(tag)) if re.fullmatch("[0-9a-f]+", tag) else None
    is_known = kind in ("sha256", "git") if file.is_on_hub else kind == "md5" and file.checksum.startswith("md5")
    return f"{kind}:{tag}" if is_known else ""


def _address(file: RemoteFile) -> str:
    return f"{file.source.rstrip('/')}/{file.path}"


def _name(file: RemoteFile) -> str:
    return f"{file.source}/{file.path}"


@contextlib.contextmanager
def _sentences(file: RemoteFile) -> Iterator[None]:
    """Turn what huggingface_hub and its HTTP library raise into one sentence that says what to do."""
    from huggingface_hub import errors

    name = _name(file)
    try:
        yield
    except errors.OfflineModeIsEnabled:
        raise DownloadError(f"{name}: it is not on this machine, and offline mode is on (HF_HUB_OFFLINE)") from None
    except errors.GatedRepoError:
        page = f"https://huggingface.co/{file.source}"
        raise DownloadError(f"{name}: its licence must be accepted first at {page}, then `hf auth login`") from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError) as error:
        what = type(error).__name__.removesuffix("NotFoundError").lower()
        raise DownloadError(f"{name}: the server has no such {what} (revision {file.revision or MAIN})") from None
    except errors.HfHubHTTPError as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DownloadError(f"{name}: the server refuses: {first}") from None
    except _transport_errors() as error:
        raise DownloadError(
            f"{name}: no answer from the server ({type(error).__name__}: {error}); what was fetched is kept, the same "
            "command goes on from there. A mirror can be named in HF_ENDPOINT"
        ) from None


def _transport_errors() -> tuple[type[BaseException], ...]:
    """Errors of the HTTP library huggingface_hub uses: httpx2, httpx or requests, by its age."""
    from huggingface_hub.utils import get_session

    library = vars(importlib.import_module(type(get_session()).__module__.partition(".")[0]))
    kinds = (library.get(name) for name in ("HTTPError", "RequestException"))
    return tuple(kind for kind in kinds if isinstance(kind, type))
