"""A hub of models on loopback, as huggingface_hub's client speaks to one: resolve, redirect to the storage, ranges.

Large files lie on a storage host of another name, as they do in the world; small ones come from the hub itself.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

LARGE_BYTES = 10_000  # from here on a file is stored apart, and its entity tag is its sha256
PIECE_BYTES = 64 << 10
RESOLVE = re.compile(r"/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)")
REVISION = re.compile(r"/api/models/([\w.-]+/[\w.-]+)(?:/revision/([^/?]+))?")
STORED = re.compile(r"/stored/([\w.-]+/[\w.-]+)/(.+)")


class HubServer:
    """Serves repositories of files until `stop`; its counters may be read at any time, from any thread."""

    def __init__(self, repositories: Mapping[str, Mapping[str, bytes]]) -> None:
        """`repositories` maps OWNER/NAME to files by path."""
        self.repositories = {name: dict(files) for name, files in repositories.items()}
        self.requests: list[tuple[str, str, str]] = []  # method, path, range
        self.sent_bytes: dict[str, int] = {}  # of every file's content, by path
        self.rate_bytes_s = 0.0  # 0 = as fast as it goes
        self.break_after_bytes: int | None = None  # of the next content that is longer, then the line is cut, once
        self.ignores_ranges = False
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.hub = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="hub", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_address[1]

    @property
    def address(self) -> str:
        """What HF_ENDPOINT is to be."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, models: Path) -> dict[str, str]:
        """Variables for a `vj` that downloads from here into the folder `models`."""
        return {
            "HF_ENDPOINT": self.address,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "VJ_MODELS": str(models),
        }

    def commit(self, repository: str) -> str:
        """The one commit of a repository: it moves with its files."""
        names = "".join(
            f"{path}{hashlib.sha1(data).hexdigest()}" for path, data in self.repositories[repository].items()
        )
        return hashlib.sha1((repository + names).encode()).hexdigest()

    def note(self, method: str, path: str, wanted_range: str) -> None:
        """Count a request."""
        with self._lock:
            self.requests.append((method, path, wanted_range))

    def count_sent(self, path: str, count: int) -> None:
        """Count bytes of a file's content that went out."""
        with self._lock:
            self.sent_bytes[path] = self.sent_bytes.get(path, 0) + count

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)


def declare(user_presets: Path, repository: str, files: Mapping[str, bytes], pinned: bool, commit: str = "") -> None:
    """Write presets/downloads/NAME.toml for a repository, one part called by its name; sizes and sums when `pinned`."""
    folder = user_presets / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    name = repository.rpartition("/")[2]
    lines = [f'repository = "{repository}"', 'licence = "MIT"']
    lines += [f'revision = "{commit}"'] * bool(commit)
    lines += ["[[parts]]", f'name = "{name}"', 'description = "For tests."']
    for path, data in files.items():
        lines += ["[[parts.files]]", f'path = "{path}"']
        if pinned:
            lines += [f"size = {len(data)}", f'checksum = "sha256:{hashlib.sha256(data).hexdigest()}"']
    (folder / f"{name}.toml").write_text("\n".join(lines) + "\n", "utf-8")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: HubServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no error of the server's."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:  # noqa: N802
        self._answer(with_content=False)

    def do_GET(self) -> None:  # noqa: N802
        self._answer(with_content=True)

    def log_message(self, *words: object) -> None:
        pass

    def _answer(self, with_content: bool) -> None:
        path = unquote(self.path)
        self.server.hub.note(self.command, path, self.headers.get("Range", ""))
        if match := RESOLVE.fullmatch(path):
            self._resolve(*match.groups(), with_content)
        elif match := STORED.fullmatch(path):
            self._send(match[2], self.server.hub.repositories[match[1]][match[2]], {}, with_content)
        elif (match := REVISION.fullmatch(path)) and match[1] in self.server.hub.repositories:
            siblings = [{"rfilename": name} for name in self.server.hub.repositories[match[1]]]
            content = {"id": match[1], "sha": self.server.hub.commit(match[1]), "siblings": siblings}
            self._send("", json.dumps(content).encode(), {"Content-Type": "application/json"}, with_content)
        else:
            self._refuse("RepoNotFound")

    def _resolve(self, repository: str, revision: str, path: str, with_content: bool) -> None:
        files = self.server.hub.repositories.get(repository)
        if files is None:
            return self._refuse("RepoNotFound")
        commit = self.server.hub.commit(repository)
        if revision not in ("main", commit):
            return self._refuse("RevisionNotFound")
        if path not in files:
            return self._refuse("EntryNotFound")
        data = files[path]
        headers = {"X-Repo-Commit": commit}
        if len(data) < LARGE_BYTES:
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            return self._send(path, data, {**headers, "ETag": f'"{blob}"'}, with_content)
        self.send_response(302)
        headers |= {"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{hashlib.sha256(data).hexdigest()}"'}
        headers |= {
            "Location": f"http://localhost:{self.server.hub.port}/stored/{repository}/{path}",
            "Content-Length": "0",
        }
        self._finish(headers)
        return None

    def _send(self, path: str, data: bytes, headers: Mapping[str, str], with_content: bool) -> None:
        begin = 0
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted and not self.server.hub.ignores_ranges:
            begin = int(wanted[1])
            if begin >= len(data):
                self.send_response(416)
                return self._finish({"Content-Range": f"bytes */{len(data)}", "Content-Length": "0"})
        self.send_response(206 if begin else 200)
        extra = {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"} if begin else {}
        self._finish({**headers, **extra, "Accept-Ranges": "bytes", "Content-Length": str(len(data) - begin)})
        if with_content:
            self._pour(path, memoryview(data)[begin:])
        return None

    def _pour(self, path: str, data: memoryview) -> None:
        limit = self.server.hub.break_after_bytes
        if limit is not None and len(data) > limit:
            self.server.hub.break_after_bytes = None
        else:
            limit = None
        sent = 0
        try:
            while sent < len(data):
                piece = data[sent : sent + PIECE_BYTES]
                self.wfile.write(piece)
                sent += len(piece)
                self.server.hub.count_sent(path, len(piece))
                if limit is not None and sent >= limit:
                    self.close_connection = True
                    self.connection.shutdown(2)
                    return
                if self.server.hub.rate_bytes_s:
                    time.sleep(len(piece) / self.server.hub.rate_bytes_s)
        except OSError:  # whoever fetched it has gone
            self.close_connection = True

    def _refuse(self, code: str) -> None:
        self.send_response(404)
        self._finish({"X-Error-Code": code, "X-Error-Message": code, "Content-Length": "0"})

    def _finish(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
