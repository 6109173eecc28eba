"""A camera on a network that a test may pull out, spoil and slow down: motion JPEG over HTTP, on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import cv2
import numpy as np

BOUNDARY = "frame"
JPEG_QUALITY = 90


class PictureServer:
    """Serves `draw(seconds since the begin)` (H, W, 3) uint8 RGB to whoever opens `address`. A context manager.

    `rate_fps`, `draw` and `is_corrupt` may be set at any time by any thread.
    """

    def __init__(self, draw: Callable[[float], np.ndarray], rate_fps: float = 25.0) -> None:
        self.draw, self.rate_fps = draw, rate_fps
        self.is_corrupt = False  # sends noise in place of pictures
        self.began_ns = time.monotonic_ns()
        self._is_in = threading.Event()  # the plug
        self._is_in.set()
        self._has_ended = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._serve(self)

            def log_message(self, *words: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="pictures", daemon=True)

    @property
    def address(self) -> str:
        """What an input's source is set to."""
        return f"http://127.0.0.1:{self._http.server_port}/camera"

    def unplug(self) -> None:
        """Break every connection off and refuse new ones."""
        self._is_in.clear()

    def plug_in(self) -> None:
        """Be there again."""
        self._is_in.set()

    def __enter__(self) -> PictureServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._has_ended.set()
        self._http.shutdown()
        self._http.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        if not self._is_in.is_set():
            request.send_error(404)
            return
        request.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request.send_response(200)
        request.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        request.end_headers()
        with contextlib.suppress(OSError):  # who looked has gone
            while self._is_in.is_set() and not self._has_ended.is_set():
                began = time.monotonic()
                jpeg = self._picture()
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                request.wfile.write(head.encode() + jpeg + b"\r\n")
                self._has_ended.wait(max(0.0, 1.0 / self.rate_fps - (time.monotonic() - began)))
        request.close_connection = True

    def _picture(self) -> bytes:
        rgb = self.draw((time.monotonic_ns() - self.began_ns) / 1e9)
        done, jpeg = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        assert done
        data = jpeg.tobytes()
        if self.is_corrupt:
            noise = np.random.default_rng(len(data)).integers(0, 256, len(data), dtype=np.uint8).tobytes()
            return data[:2] + noise[2:]
        return data
