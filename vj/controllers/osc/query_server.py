"""OSCQuery: other programs look the whole instrument up over HTTP and listen to its values over a websocket.

Runs an event loop on a thread of its own. Needs the extra `oscquery`; without it nothing else changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib.util
import json
import logging
import re
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vj.controllers.osc.batch import Sender
from vj.controllers.osc.output import is_moving
from vj.controllers.osc.player import OscPlayer, OscWords
from vj.controllers.osc.query_announcement import Announcement
from vj.controllers.osc.query_tree import ATTRIBUTES, NODES, OPTIONAL_ATTRIBUTES, QueryNode, Told, describe
from vj.controllers.osc.state import StateReader, StateSources
from vj.controls import Controls

if TYPE_CHECKING:
    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

REPORT_S = 1.0 / 60.0
MESSAGE_BYTES = 65536
FOUND, NOT_OFFERED, NO_SUCH_ATTRIBUTE, NO_SUCH_PATH = 200, 204, 400, 404  # of HTTP
# pages of the web must not play the instrument: only programs, which send no origin, and pages of this computer
_OWN_PAGES = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")

_LOG = logging.getLogger(__name__)


class QueryUnavailableError(RuntimeError):
    """OSCQuery cannot be served; the sentence says why and what to do."""


@dataclass
class _Listener:
    """One websocket and the nodes it listens to. Belongs to the event loop."""

    connection: ServerConnection
    sender: Sender
    nodes: dict[str, QueryNode] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)  # what it was told last, by path


class QueryServer:
    """Started and stopped by one thread; `port` may be read by any."""

    def __init__(
        self,
        controls: Controls,
        sources: StateSources,
        words: OscWords,
        osc_address: tuple[str, int],
        tell: Callable[[str], None],
    ) -> None:
        """`osc_address` is where OSC is heard: HTTP is served at the same host and, if it is free, the same port.

        `tell` takes a sentence when something of it cannot be had. Raises QueryUnavailableError without the extra.
        """
        if importlib.util.find_spec("websockets") is None:
            raise QueryUnavailableError("OSCQuery needs websockets: pip install 'vj[oscquery]'")
        self.port = 0
        self._controls = controls
        # a press is told once by each reader: a look-up must not take it from those who listen
        self._reader, self._looker = StateReader(controls, sources), StateReader(controls, sources)
        self._tell_problem = tell
        self._osc_address = osc_address
        # a subscription by websocket is LISTEN
        self._words = dataclasses.replace(words, services={})
        self._player = OscPlayer(controls, self._words, self._answer, lambda sender: f"oscquery {_name(sender)}")
        self._batch = self._words.new_batch()
        self._listeners: dict[Sender, _Listener] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._is_listened_to = asyncio.Event()  # nothing runs 60 times a second for nobody
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="oscquery", daemon=True)

    def start(self) -> None:
        """Begin to serve, a moment later: `port` is 0 until then."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection; waits at most two seconds."""
        if self._loop is not None and self._ending is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._ending.set)
        if self._thread.ident is not None:
            self._thread.join(timeout=2.0)

    async def _run(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await self._open()
        except OSError as error:
            self._tell_problem(f"OSCQuery cannot be served: {error.strerror or error}")
            return
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            _LOG.info("OSCQuery answers at port %d", self.port)
            announcement = Announcement(self._osc_address[0], self.port, self._osc_address[1])
            tasks = [asyncio.create_task(self._report()), asyncio.create_task(self._announce(announcement))]
            await self._ending.wait()
            for task in tasks:
                task.cancel()
            server.close(close_connections=True)
            await announcement.end()

    async def _announce(self, announcement: Announcement) -> None:
        problem = await announcement.begin()
        if problem:
            self._tell_problem(problem)

    async def _open(self) -> Server:
        from websockets.asyncio.server import serve

        quiet = logging.getLogger("websockets.vj")
        quiet.setLevel(logging.CRITICAL)  # what strangers send is their mistake, not the show's
        host, port = self._osc_address
        options = {
            "process_request": self._answer_http,
            "origins": [None, _OWN_PAGES],
            "max_size": MESSAGE_BYTES,
            "compression": None,
            "logger": quiet,
        }
        try:
            return await serve(self._listen, host, port, **options)
        except OSError:
            return await serve(self._listen, host, 0, **options)

    # -- HTTP ----------------------------------------------------------------------------------------------------

    def _answer_http(self, connection: ServerConnection, request: Request) -> Response | None:
        if "upgrade" in request.headers.get("Connection", "").lower():
            return None  # a websocket
        path, _, query = request.path.partition("?")
        status, found = self._look_up(urllib.parse.unquote(path), query, connection.local_address[0])
        return _response(status, found)

    def _look_up(self, path: str, query: str, own_host: str) -> tuple[int, dict[str, Any] | None]:
        """Return status and JSON for a path and an attribute asked for."""
        attribute = query.partition("&")[0].partition("=")[0].upper()
        if attribute == "HOST_INFO":
            return FOUND, self._host_info(own_host)
        found = describe(path.rstrip("/") or "/", self._told(self._looker))
        if found is None:
            return NO_SUCH_PATH, None
        if not attribute:
            return FOUND, found
        if attribute not in ATTRIBUTES:
            return NO_SUCH_ATTRIBUTE, None
        return (FOUND, {attribute: found[attribute]}) if attribute in found else (NOT_OFFERED, None)

    def _host_info(self, own_host: str) -> dict[str, Any]:
        offered = (*OPTIONAL_ATTRIBUTES, "LISTEN")
        return {
            "NAME": "vj",
            "EXTENSIONS": {**dict.fromkeys(offered, True), "PATH_CHANGED": False, "TAGS": False, "CRITICAL": False},
            "OSC_IP": own_host,
            "OSC_PORT": self._osc_address[1],
            "OSC_TRANSPORT": "UDP",
            "WS_IP": own_host,
            "WS_PORT": self.port,
        }

    def _told(self, reader: StateReader) -> Told:
        return {**reader.read(time.monotonic_ns()), **self._controls.store.snapshot()}

    # -- websockets ----------------------------------------------------------------------------------------------

    async def _listen(self, connection: ServerConnection) -> None:
        """Serve one websocket until it closes."""
        from websockets.exceptions import ConnectionClosed

        sender = connection.remote_address
        listener = self._listeners[sender] = _Listener(connection, sender)
        try:
            async for frame in connection:
                if isinstance(frame, str):
                    self._obey(listener, frame)
                else:
                    self._batch.add(frame, sender)
                    self._player.play(self._batch.take())
        except ConnectionClosed:
            pass
        finally:
            del self._listeners[sender]

    def _obey(self, listener: _Listener, text: str) -> None:
        """Take LISTEN and IGNORE; everything else is passed over, as the proposal asks."""
        try:
            command = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(command, dict) or not isinstance(command.get("DATA"), str):
            return
        path = command["DATA"]
        if command.get("COMMAND") == "LISTEN" and path in NODES:
            listener.nodes[path] = NODES[path]
            listener.told.pop(path, None)
            self._is_listened_to.set()
        elif command.get("COMMAND") == "IGNORE":
            listener.nodes.pop(path, None)

    async def _report(self) -> None:
        while True:
            await self._is_listened_to.wait()
            told, now_ns = self._told(self._reader), time.monotonic_ns()
            for listener in list(self._listeners.values()):
                self._tell(listener, told, now_ns)
            if not any(listener.nodes for listener in self._listeners.values()):
                self._is_listened_to.clear()
            await asyncio.sleep(REPORT_S)

    def _tell(self, listener: _Listener, told: Told, now_ns: int) -> None:
        sources = (f"oscquery {_name(listener.sender)}", f"osc {listener.sender[0]}")
        for path, node in listener.nodes.items():
            value = told.get(node.parameter.address)
            is_news = value == 1.0 if node.is_trigger else value != listener.told.get(path)
            if is_news and not is_moving(self._controls, node.parameter.address, sources, now_ns):
                listener.told[path] = value
                self._send(listener, node.message(told))

    def _send(self, listener: _Listener, packet: bytes) -> None:
        from websockets.asyncio.server import broadcast

        broadcast([listener.connection], packet)  # never waits for a slow one; one that answers no ping is closed

    def _answer(self, packet: bytes, sender: Sender) -> None:
        listener = self._listeners.get(sender)
        if listener is not None:
            self._send(listener, packet)


def _response(status: int, found: dict[str, Any] | None) -> Response:
    from websockets.datastructures import Headers
    from websockets.http11 import Response

    body = b"" if found is None else json.dumps(found, ensure_ascii=False).encode()
    reasons = {FOUND: "OK", NOT_OFFERED: "No Content", NO_SUCH_ATTRIBUTE: "Bad Request", NO_SUCH_PATH: "Not Found"}
    headers = Headers({"Content-Type": "application/json; charset=utf-8", "Connection": "close"})
    if status != NOT_OFFERED:
        headers["Content-Length"] = str(len(body))
    return Response(status, reasons[status], headers, body)


def _name(sender: Sender) -> str:
    return f"{sender[0]}:{sender[1]}"
