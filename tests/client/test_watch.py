"""What the clients tell of their own links, against bytes written by hand and against the real server."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec
import pytest

from pushtui.client.address import Address
from pushtui.client.clock import SystemClock
from pushtui.client.event_stream import EventStream
from pushtui.client.happenings import Delivery, LinkState
from pushtui.client.status import StatusClient
from pushtui.protocol import messages
from pushtui.protocol.limits import LIMITS
from pushtui.wire.frames import FrameReader, WireFrame, unmasked
from pushtui.wire.records import (
    Close,
    Dispatch,
    Frame,
    Line,
    Record,
    Request,
    Response,
    RoundTrip,
    Wait,
)
from pushtui.wire.watch import Watch
from tests.client.chatting import client, is_link, slow
from tests.client.peers import (
    EPOCH,
    PATIENCE,
    TOKEN,
    Caller,
    FakeClock,
    Room,
    chat_peer,
    collect,
    forever,
    http_peer,
)
from tests.client.peers import Request as Asked

SECRET = TOKEN.header.rpartition("_")[2]
Kind = TypeVar("Kind")


class Watcher:
    """Keeps what it is told, and can be waited for."""

    def __init__(self) -> None:
        self.told: list[Record] = []
        self._more = asyncio.Event()

    def __call__(self, record: Record, /) -> None:
        self.told.append(record)
        self._more.set()

    def all(self, kind: type[Kind]) -> list[Kind]:
        return [record for record in self.told if isinstance(record, kind)]

    def frames(self, direction: str) -> list[Frame]:
        return [record for record in self.all(Frame) if record.direction == direction]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self._more.clear()
                await self._more.wait()


# The WebSocket


class ByHand:
    """A WebSocket server of bytes: what came, and what is sent, exactly."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.head = b""
        self.received = b""
        self.frames: list[WireFrame] = []
        self._frames = FrameReader(1 << 20)

    async def shake_hands(self) -> None:
        self.head = await self.reader.readuntil(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in self.head.decode().split("\r\n")[1:-2])
        digest = hashlib.sha1(f"{headers['Sec-WebSocket-Key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode())
        self.send(
            b"HTTP/1.1 101 Fine\r\nupgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + b64encode(digest.digest())
            + b"\r\nSec-WebSocket-Protocol: pushtui.v1.json\r\n\r\n"
        )

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self, count: int) -> None:
        """Read until so many frames have come in all."""
        while len(self.frames) < count:
            data = await self.reader.read(65536)
            assert data, self.frames
            self.received += data
            self.frames += self._frames.feed(data)


@asynccontextmanager
async def by_hand(script: Callable[[ByHand], object]) -> AsyncIterator[Address]:
    tasks: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(ByHand(reader, writer))  # type: ignore[misc]
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.ensure_future(handle(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield Address.parse(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


WELCOME = msgspec.json.encode(
    messages.Welcome(
        "peer", "1", messages.You("ana", "member"), LIMITS, [messages.RoomState("main", EPOCH, 0, 1, "", [])]
    )
)


async def test_every_frame_to_the_byte_from_the_handshake_to_the_close() -> None:
    peers: list[ByHand] = []

    async def script(peer: ByHand) -> None:
        peers.append(peer)
        await peer.shake_hands()
        await peer.hear(1)
        peer.send(b"\x89\x02hi" + b"\x81\x7e" + len(WELCOME).to_bytes(2) + WELCOME)
        await peer.hear(3)  # hello, the pong, a ping
        ping = peer.frames[2]
        peer.send(b"\x8a" + bytes([len(ping.payload)]) + ping.payload)
        peer.send(b"\x88\x05\x03\xf4bye")
        await peer.hear(4)

    watcher = Watcher()
    async with by_hand(script) as address:
        chat = client(address, token=TOKEN, backoff=slow(), clock=SystemClock())
        chat.watch.open(watcher)
        async with chat:
            await watcher.until(lambda: bool(watcher.all(Wait)))
    peer, told = peers[0], watcher.told
    asked, answered = told[:2]
    assert isinstance(asked, Request)
    assert isinstance(answered, Response)
    lines = [f"GET {asked.target} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.headers), "", ""]
    assert "\r\n".join(lines) == peer.head.decode().replace(SECRET, "…")
    assert asked.wire_bytes == len(peer.head)
    assert (answered.status, answered.reason, answered.headers[0]) == (101, "Fine", ("upgrade", "websocket"))
    up, down = watcher.frames("up"), watcher.frames("down")
    seen = [(one.fin, one.rsv, one.opcode, one.mask, one.payload, one.wire_bytes) for one in up]
    assert seen[: len(peer.frames)] == peer.frames
    hello, pong, ping, *_ = up
    assert hello.mask is not None
    assert peer.received.startswith(
        bytes((0x81, 0x80 | len(hello.payload))) + hello.mask + unmasked(hello.payload, hello.mask)
    )
    assert (pong.opcode, pong.payload, ping.opcode) == (10, b"hi", 9)
    assert told.index(pong) > told.index(down[0])
    assert [(one.opcode, one.mask, one.payload, one.wire_bytes) for one in down] == [
        (9, None, b"hi", 4),
        (1, None, WELCOME, 4 + len(WELCOME)),
        (10, None, ping.payload, 2 + len(ping.payload)),
        (8, None, b"\x03\xf4bye", 7),
    ]
    (trip,) = watcher.all(RoundTrip)
    assert 0 <= trip.seconds <= trip.at
    (close,) = watcher.all(Close)
    assert (close.reason, close.code, close.by) == ("bye", 1012, "server")
    (wait,) = watcher.all(Wait)
    assert told.index(close) < told.index(wait)
    assert wait.reason == "bye"
    assert [one.at for one in told] == sorted(one.at for one in told)
    assert SECRET not in repr(told)


async def test_who_opens_it_later_sees_how_the_link_began_and_whole_frames_from_then_on() -> None:
    room = Room()
    watcher = Watcher()
    async with chat_peer(room) as address, client(address) as chat:
        await collect(chat, is_link(LinkState.LIVE))
        chat.say("main", "before")
        await collect(chat, lambda one: isinstance(one, Delivery) and one.state == "stored")
        chat.watch.open(watcher)
        assert [type(record) for record in watcher.told] == [Request, Response]
        chat.say("main", "during")
        await watcher.until(lambda: len(watcher.all(Frame)) == 2)
        chat.watch.close()
        chat.say("main", "after")
        await collect(chat, lambda one: isinstance(one, Delivery) and one.state == "stored")
        await collect(chat, lambda one: isinstance(one, Delivery) and one.state == "stored")
    up, down = watcher.all(Frame)
    assert (up.direction, down.direction) == ("up", "down")
    assert msgspec.json.decode(up.payload)["text"] == "during"
    assert msgspec.json.decode(down.payload)["body"] == {"text": "during"}
    assert len(watcher.told) == 4


async def test_binary_frames_are_what_they_are() -> None:
    watcher = Watcher()
    async with chat_peer(Room()) as address, client(address, subprotocol=messages.MSGPACK) as chat:
        chat.watch.open(watcher)
        await watcher.until(lambda: len(watcher.frames("down")) >= 2)
    hello = watcher.frames("up")[0]
    assert hello.opcode == 2
    assert msgspec.msgpack.decode(hello.payload)["type"] == "hello"


async def test_a_link_that_is_cut() -> None:
    async def cut(caller: Caller) -> None:
        await caller.hear()
        caller.cut()

    watcher = Watcher()
    async with chat_peer(cut) as address:
        chat = client(address)
        chat.watch.open(watcher)
        async with chat:
            await watcher.until(lambda: bool(watcher.all(Wait)))
    close, wait = watcher.told[3:5]
    assert isinstance(close, Close)
    assert (close.code, close.by, close.reason) == (1006, "nobody", "the connection broke")
    assert isinstance(wait, Wait)
    assert wait.reason == "the server hung up"


async def test_a_link_that_the_client_ends() -> None:
    watcher = Watcher()
    async with chat_peer(Room()) as address:
        chat = client(address)
        chat.watch.open(watcher)
        async with chat:
            await collect(chat, is_link(LinkState.LIVE))
    (close,) = watcher.all(Close)
    assert (close.code, close.by) == (1000, "client")
    assert [one.payload for one in watcher.all(Frame) if one.opcode == 8] == 2 * [b"\x03\xe8"]


async def test_what_is_sent_of_a_token_is_never_told() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(messages.Bye(4500, f"not {TOKEN.header}"))
        await caller.connection.close(4500, f"not {TOKEN.header}"[:120])

    watcher = Watcher()
    async with chat_peer(peer) as address:
        chat = client(address, token=TOKEN)
        chat.watch.open(watcher)
        async with chat:
            chat.say("main", f"my token is {TOKEN.header}")
            await watcher.until(lambda: len(watcher.frames("down")) >= 2)
    assert ("Authorization", f"Bearer ptk_{TOKEN.id}_…") in watcher.all(Request)[0].headers
    assert SECRET[:8] not in repr(watcher.told)


# The event stream


async def test_every_line_and_what_came_of_it_over_two_links() -> None:
    blocks = iter(
        (b"\xef\xbb\xbf: hi\r\nid: e.1\rdata: a\ndata: b\r\n\r\nevent: x\n\nretry: 20\ndata: c", b": again\n\n")
    )

    async def peer(request: Asked) -> None:
        await request.open_stream(next(blocks))
        if "last-event-id" in request.headers:
            await forever()

    watcher = Watcher()
    async with http_peer(peer) as address:
        status = StatusClient(address, token=TOKEN, clock=FakeClock())
        status.watch.open(watcher)
        async with status:
            await watcher.until(lambda: len(watcher.all(Line)) == 10)
    told = [record for record in watcher.told if not isinstance(record, Request | Response)]
    assert [record for record in told if isinstance(record, Line | Dispatch)] == [
        Line(told[0].at, b"\xef\xbb\xbf: hi", 9),
        Line(told[1].at, b"id: e.1", 8),
        Line(told[2].at, b"data: a", 8),
        Line(told[3].at, b"data: b", 9),
        Line(told[4].at, b"", 2),
        Dispatch(told[5].at, "message", "e.1", 3),
        Line(told[6].at, b"event: x", 9),
        Line(told[7].at, b"", 1),
        Dispatch(told[8].at, "", "e.1", 0),
        Line(told[9].at, b"retry: 20", 10),
        Line(told[12].at, b": again", 8),
        *[record for record in told[13:] if isinstance(record, Line | Dispatch)],
    ]
    assert isinstance(told[10], Close)
    assert (told[10].reason, told[10].by, told[10].code) == ("the server hung up", "server", None)
    assert isinstance(told[11], Wait)
    assert (told[11].last_event_id, told[11].reason) == ("e.1", "the server hung up")
    first, second = watcher.all(Request)
    assert ("Last-Event-ID", "e.1") in second.headers
    assert "Last-Event-ID" not in dict(first.headers)
    assert SECRET not in repr(watcher.told)


def test_lines_are_told_however_they_are_cut() -> None:
    stream = b"id: 1\r\ndata: x\r\n\r\n\r\r\n: end\n"
    whole: list[Record] | None = None
    for size in range(1, len(stream) + 1):
        watcher = Watcher()
        watch = Watch(lambda: 0.0)
        watch.open(watcher)
        reader = EventStream(watch=watch)
        for place in range(0, len(stream), size):
            list(reader.feed(stream[place : place + size]))
        found = [record.line if isinstance(record, Line) else record for record in watcher.told]
        whole = whole or found  # type: ignore[assignment]
        assert found == whole
        assert sum(record.wire_bytes for record in watcher.all(Line)) == len(stream)


def test_who_opens_it_in_the_middle_of_a_line_sees_all_of_that_line() -> None:
    watcher = Watcher()
    watch = Watch(lambda: 0.0)
    reader = EventStream(watch=watch)
    list(reader.feed(b"data: 1\ndata: "))
    assert watcher.told == []
    watch.open(watcher)
    list(reader.feed(b"2\n\n"))
    watch.close()
    list(reader.feed(b"data: 3\n\n"))
    assert watcher.told == [Line(0, b"data: 2", 8), Line(0, b"", 1), Dispatch(0, "message", "", 3)]


@pytest.mark.parametrize(
    ("status", "reason"),
    [("204 No Content", "the server has nothing more to say (HTTP 204)"), ("404 Not Found", "HTTP 404")],
)
async def test_an_answer_without_a_stream(status: str, reason: str) -> None:
    watcher = Watcher()
    async with http_peer(lambda request: request.answer(status)) as address:
        client_of_status = StatusClient(address, clock=FakeClock())
        client_of_status.watch.open(watcher)
        async with client_of_status:
            await watcher.until(lambda: bool(watcher.all(Close)))
    asked, answered, close = watcher.told
    assert isinstance(asked, Request)
    assert isinstance(answered, Response)
    assert answered.status == int(status[:3])
    assert isinstance(close, Close)
    assert (close.reason, close.by) == (reason, "client")


async def test_no_request_is_told_where_none_was_sent() -> None:
    async with http_peer(lambda request: forever()) as gone:
        pass
    watcher = Watcher()
    status, chat = StatusClient(gone), client(gone)
    status.watch.open(watcher)
    chat.watch.open(watcher)
    async with status, chat:
        await watcher.until(lambda: len(watcher.told) >= 2)
    assert {type(record) for record in watcher.told} == {Wait}
    assert all(record.reason == f"no server at {gone.authority}" for record in watcher.all(Wait))
