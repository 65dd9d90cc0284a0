"""Listeners without a socket: they read the bytes that a cursor would have given to a transport."""

import json
from typing import Any, NamedTuple

from server.log.cursor import Cursor
from server.log.fanout import Fanout, Start
from server.log.streams import STATUS
from server.log.wire import SSE, SSE_PLAIN, WEBSOCKET_JSON, Wire
from server.service import named_position
from tests.server.log.listeners import ListSink
from tests.server.model import Due, Got, Said, Stream

#: How a listener is connected, by name.
WIRES = {"chat": WEBSOCKET_JSON, "stream": SSE, "stream of HTTP/1.0": SSE_PLAIN}


class Arrived(NamedTuple):
    """An event as the wire carries it; a chat's events carry no epoch."""

    epoch: str | None
    got: Got


class Connection:
    """One connection: an answer to where the listener was, and what came then."""

    def __init__(self, fanout: Fanout, stream: str, wire: Wire, start: Start, room: int | None) -> None:
        self.sink = ListSink(room)
        self.after = start.after
        self.epoch = start.epoch
        self.replay_end = start.head
        self._wire = wire
        self._stream = stream
        self._fanout = fanout
        self._read = 0
        self._got: list[Got] = []
        self.cursor: Cursor = fanout.attach(stream, wire, self.sink, start.after)

    def got(self) -> list[Got]:
        """Everything so far."""
        for data in self.sink.writes[self._read :]:
            for arrived in arrivals(data, self._wire, self._stream):
                assert arrived.epoch in (None, self.epoch)
                self._got.append(arrived.got)
        self._read = len(self.sink.writes)
        return self._got

    def at_rest(self) -> bool:
        """Whether nothing more will come by itself."""
        return self.sink.aborted or not self.sink.has_room() or self.cursor.position >= self.cursor.tail.head

    def drop(self) -> None:
        self._fanout.detach(self.cursor)


class Listener:
    """One client over all its connections.

    Attributes:
        held: the position it would come back with.
        epoch: of what it holds.
    """

    def __init__(self, stream: str, wire: str) -> None:
        self.stream = stream
        self.held: str | None = None
        self.connection: Connection | None = None
        self._wire = WIRES[wire]

    async def connect(self, fanout: Fanout, named: str | None, replay: int, room: int | None) -> tuple[Start, Due]:
        """Come (back); returns what was said, and nothing else has happened since it was decided."""
        start = await fanout.start(self.stream, named_position(named), replay)
        self.connection = Connection(fanout, self.stream, self._wire, start, room)
        self.held = f"{start.epoch}.{start.after}"
        lost = None if start.lost is None else (start.lost.after, start.lost.before)
        return start, Due(str(start.outcome), start.after, lost)

    def check(self, stream: Stream) -> None:
        """What came so far is what the model says; remember the position of the last of it."""
        connection = self.connection
        if connection is None:
            return
        got = connection.got()
        complete = connection.at_rest() and connection.sink.has_room() and not connection.sink.aborted
        if self.stream == STATUS:
            stream.check_spared(connection.after, connection.replay_end, got, complete=complete)
        else:
            stream.check(connection.after, got, complete=complete)
        position = got[-1].seq if got else connection.after
        self.held = f"{connection.epoch}.{position}"
        if connection.sink.aborted:
            assert stream.floor > position + 1, "cut off although everything was there"
            self.drop()

    def drop(self) -> None:
        if self.connection is not None:
            self.connection.drop()
            self.connection = None


def arrivals(data: bytes, wire: Wire, stream: str) -> list[Arrived]:
    """Read what was written in one piece."""
    if wire is WEBSOCKET_JSON:
        return [Arrived(None, _event(json.loads(payload))) for payload in frames(data)]
    text = data if wire is SSE_PLAIN else b"".join(chunks(data))
    return [_block(block, stream) for block in text.decode().removesuffix("\n\n").split("\n\n")]


def frames(data: bytes) -> list[bytes]:
    """The payloads of whole text frames: RFC 6455 section 5.2."""
    payloads = []
    while data:
        assert data[0] == 0x81
        length, start = data[1], 2
        if length == 126:
            length, start = int.from_bytes(data[2:4]), 4
        assert len(data) >= start + length
        payloads.append(data[start : start + length])
        data = data[start + length :]
    return payloads


def chunks(data: bytes) -> list[bytes]:
    """The contents of whole chunks: RFC 9112 section 7.1."""
    contents = []
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size, 16)
        assert rest[length : length + 2] == b"\r\n"
        contents.append(rest[:length])
        data = rest[length + 2 :]
    return contents


def _block(text: str, stream: str) -> Arrived:
    fields = dict(line.split(": ", 1) for line in text.split("\n"))
    epoch, _, seq = fields["id"].partition(".")
    data = json.loads(fields["data"])
    if stream == STATUS:
        said = Said(fields["event"], data["by"], data["text"], data.get("key"))
        return Arrived(epoch, Got(int(seq), said, data.get("skipped", 0)))
    arrived = _event(data)
    assert (arrived.seq, arrived.said.kind) == (int(seq), fields["event"])
    return Arrived(epoch, arrived)


def _event(event: dict[str, Any]) -> Got:
    assert event["type"] == "event"
    return Got(event["seq"], Said(event["kind"], event["by"], event["body"]["text"], event.get("key")))
