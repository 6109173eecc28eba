"""A real HTTP server on loopback that speaks chat completions, well or badly."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class ChatEndpoint:
    """Used inside `with`. `mood`: good, slow, drip, refuse, lost, redirect, garbage, empty, huge, close."""

    def __init__(self, mood: str = "good", answer: str = "A long and detailed text in a forest.") -> None:
        self.mood = mood
        self.answer = answer
        self.questions: list[dict[str, object]] = []
        self.keys: list[str] = []
        self.let_go = threading.Event()  # ends what is slow
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802
                length = int(self.headers["Content-Length"])
                owner.questions.append(json.loads(self.rfile.read(length)))
                owner.keys.append(self.headers.get("Authorization", ""))
                owner._answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *trouble: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        good = json.dumps({"choices": [{"message": {"role": "assistant", "content": self.answer}}]}).encode()
        bodies = {
            "garbage": b"<html>welcome</html>",
            "empty": b'{"choices": [{"message": {"content": null}}]}',
            "huge": b" " * (2 << 20),
        }
        codes = {"refuse": 401, "lost": 404, "redirect": 307}
        if self.mood == "close":
            request.close_connection = True
            return
        if self.mood == "slow":
            self.let_go.wait(30.0)
        body = bodies.get(self.mood, good)
        try:
            request.send_response(codes.get(self.mood, 200))
            if self.mood == "redirect":
                request.send_header("Location", "http://127.0.0.1:1/elsewhere")
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            if self.mood == "drip":
                for k in range(len(body)):
                    request.wfile.write(body[k : k + 1])
                    time.sleep(0.1)
            else:
                request.wfile.write(body)
        except OSError:
            pass  # whoever asked has gone
