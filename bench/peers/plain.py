"""Rooms without a log, as one writes them in an afternoon: same addresses, so that one description fits all."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.load.message import MARK
from bench.load.opening import Opening, get, post, text_frame, upgrade
from bench.load.speaker import HTTP_LANES, Way
from bench.peers.peer import CACHE, PROGRAMS, Entrance, Peer, Wire, has_modules, python


class PlainRoom(Peer):
    """``/rooms/NAME``: a WebSocket to talk and listen, an event stream to listen, POST to talk."""

    stores = "nowhere"
    routes: Sequence[tuple[Entrance, Wire]] = (("ws", "ws"), ("post", "ws"), ("post", "sse"))

    def listen(self, wire: Wire, room: str, number: int) -> Opening:
        """Nothing to say but where."""
        if wire == "sse":
            return Opening((get(f"/rooms/{room}", b"\r\n\r\n"),))
        return Opening((upgrade(f"/rooms/{room}"),))

    def speak(self, entrance: Entrance, rooms: Sequence[str]) -> Way:
        """Who talks by WebSocket hears itself, which is the ack."""
        if entrance == "ws":
            return Way(Opening((upgrade(f"/rooms/{rooms[0]}"),)), lambda text, _: text_frame(text), MARK)
        return Way(
            Opening(()),
            lambda text, number: post(f"/rooms/{rooms[number % len(rooms)]}", text),
            b"HTTP/1.1 20",
            HTTP_LANES,
        )


class Starlette(PlainRoom):
    """Starlette and uvicorn (uvloop, httptools), a queue for each client."""

    name = "starlette"
    title = "Starlette + uvicorn, a queue per client"

    def missing(self) -> str | None:
        """Two packages from PyPI."""
        return None if has_modules("starlette", "uvicorn") else "python -m bench peers"

    def command(self, port: int, folder: Path) -> Sequence[str]:
        """One worker, with all that makes it fast."""
        options = ["--port", str(port), "--no-access-log", "--log-level", "warning", "--backlog", "1024"]
        # Its pings carry four random bytes each, among which may be a mark.
        options += ["--ws-per-message-deflate", "false", "--ws-ping-interval", "3600", "--ws-ping-timeout", "3600"]
        # In a long burst a connection waits for its turn longer than the five seconds that are the default.
        options += ["--timeout-keep-alive", "120", "--app-dir", str(PROGRAMS)]
        return [python(), "-m", "uvicorn", "starlette_room:app", *options]


class Websockets(PlainRoom):
    """The server of the websockets library with its ``broadcast()``."""

    name = "websockets"
    title = "websockets.broadcast()"
    routes = (("ws", "ws"),)

    def missing(self) -> str | None:
        """A dependency of pushtui."""
        return None

    def command(self, port: int, folder: Path) -> Sequence[str]:
        """A script of 20 lines."""
        return [python(), str(PROGRAMS / "websockets_room.py"), str(port)]


class NodeWs(PlainRoom):
    """Node's ``ws``, and plain ``http`` for the rest."""

    name = "node"
    title = "Node, ws and http"

    def missing(self) -> str | None:
        """Node and one package from npm."""
        if shutil.which("node") is None:
            return "install Node"
        return None if (CACHE / "node" / "node_modules" / "ws").exists() else "python -m bench peers"

    def command(self, port: int, folder: Path) -> Sequence[str]:
        """One process."""
        return ["node", str(PROGRAMS / "node_room.js"), str(port), str(CACHE / "node" / "node_modules" / "ws")]
