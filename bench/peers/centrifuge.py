"""Centrifuge: the library in Go that Centrifugo is built on, with its own protocol; a small program around it."""

import os
from collections.abc import Sequence
from pathlib import Path

from bench.load.opening import Opening, Step, get, post, text_frame, upgrade
from bench.load.speaker import HTTP_LANES, Way
from bench.peers.peer import CACHE, Entrance, Peer, Wire


class Centrifuge(Peer):
    """Centrifuge, its memory broker with history, as Centrifugo has it by default with recovery on."""

    name = "centrifuge"
    title = "Centrifuge (Go)"
    stores = "in memory"
    routes = (("ws", "ws"), ("post", "ws"), ("post", "sse"))

    def missing(self) -> str | None:
        """Go builds it."""
        return None if _binary().exists() else "python -m bench peers (needs Go)"

    def command(self, port: int, folder: Path) -> Sequence[str]:
        """On one core the Go runtime takes one thread for its work."""
        return [str(_binary()), str(port)]

    def listen(self, wire: Wire, room: str, number: int) -> Opening:
        """Connect, then subscribe; event streams are its one-way transport."""
        if wire == "sse":
            return Opening((get(f"/rooms/{room}", b'"subs":'),))
        subscribe = b'{"id":2,"subscribe":{"channel":"%b"}}' % room.encode()
        return Opening(
            (
                upgrade("/websocket"),
                Step(text_frame(b'{"id":1,"connect":{}}'), b'"connect":'),
                Step(text_frame(subscribe), b'"subscribe":'),
            )
        )

    def speak(self, entrance: Entrance, rooms: Sequence[str]) -> Way:
        """Each message is answered, either way."""
        if entrance == "post":
            return Way(
                Opening(()),
                lambda text, number: post(f"/rooms/{rooms[number % len(rooms)]}", text),
                b"HTTP/1.1 20",
                HTTP_LANES,
            )
        opening = Opening((upgrade("/websocket"), Step(text_frame(b'{"id":1,"connect":{}}'), b'"connect":')))

        def publish(text: bytes, number: int) -> bytes:
            room = rooms[number % len(rooms)].encode()
            frame = b'{"id":%d,"publish":{"channel":"%b","data":"%b"}}' % (number + 2, room, text)
            return text_frame(frame)

        return Way(opening, publish, b'"publish":')


def _binary() -> Path:
    return Path(os.environ.get("PUSHTUI_BENCH_BIN") or CACHE / "bin") / "centrifuge_room"
