"""pushtui itself: ``pushtui serve`` on its log, every message on the disk before anyone sees it."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.load.message import MARK
from bench.load.opening import Opening, Step, get, post, text_frame, upgrade
from bench.load.speaker import HTTP_LANES, Way
from bench.peers.peer import Entrance, Peer, Wire
from server.log.sqlite import SqliteStore
from server.log.streams import room_stream
from server.main import LOG_FILE

_PING = b"\x89\x00"
_STAMP = slice(1, 17)


class Pushtui(Peer):
    """The server of this repository, as it is started by anyone."""

    name = "pushtui"
    title = "pushtui"
    stores = "on disk, before the ack"
    routes = (("ws", "ws"), ("post", "ws"), ("post", "sse"))

    def missing(self) -> str | None:
        """It is always there."""
        return None

    def command(self, port: int, folder: Path) -> Sequence[str]:
        """Full durability; no host is sampled while it is measured."""
        return [*serve_command(), *serve_options(port, folder)]

    def prepare(self, folder: Path, rooms: Sequence[str]) -> None:
        """People may not make hundreds of rooms at once, so they are in the log already."""
        asyncio.run(_make(folder / LOG_FILE, rooms))

    def listen(self, wire: Wire, room: str, number: int) -> Opening:
        """Somebody new, without a replay."""
        return coming(wire, room, number, None)

    def speak(self, entrance: Entrance, rooms: Sequence[str]) -> Way:
        """``send`` frames, acknowledged by the event itself; or POST."""
        if entrance == "post":
            return Way(
                Opening(()),
                lambda text, number: post(f"/rooms/{rooms[number % len(rooms)]}", text),
                b"HTTP/1.1 201",
                HTTP_LANES,
            )

        def send(text: bytes, number: int) -> bytes:
            room = rooms[number % len(rooms)].encode()
            return text_frame(b'{"type":"send","key":"%b","room":"%b","text":"%b"}' % (text[_STAMP], room, text))

        return Way(coming("ws", rooms[0], -1, None), send, MARK)


def serve_command() -> list[str]:
    """``pushtui serve`` of this working tree."""
    return [sys.executable, "-m", "pushtui", "serve"]


def serve_options(port: int, folder: Path) -> list[str]:
    """The options of every measurement: what protects a server from one address is switched off."""
    limits = ["--send-rate", "0", "--max-connections", "20000", "--max-connections-per-address", "20000"]
    return ["--port", str(port), "--data", str(folder), "--interval", "3600", "--log-level", "warning", *limits]


async def _make(path: Path, rooms: Sequence[str]) -> None:
    store = SqliteStore(path, clock_ms=lambda: time.time_ns() // 1_000_000)
    await store.open()
    for room in rooms:
        await store.create(room_stream(room))
    await store.close()


def coming(wire: Wire, room: str, number: int, position: str | None) -> Opening:
    """A listener who was at a position, or at none, and gets what came after it."""
    if wire == "sse":
        resume = () if position is None else (f"Last-Event-ID: {position}",)
        return Opening((get(f"/rooms/{room}?replay=0", b"event: resume", *resume),))
    nick = f"reads{number}" if number >= 0 else "speaks"
    hello = {"type": "hello", "nick": nick, "session": nick, "rooms": {room: position}, "replay": 0}
    say = text_frame(json.dumps(hello).encode())
    return Opening((upgrade("/chat"), Step(say, b'"type":"resume"')), _PING)
