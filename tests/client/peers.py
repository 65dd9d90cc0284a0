"""Small scripted servers on real sockets, a clock that does not wait, and a way to collect what a client tells."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from pushtui.client.address import Address
from pushtui.protocol import messages
from pushtui.protocol.codec import CODECS
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.positions import Outcome, Position, resumption
from pushtui.protocol.token import Token

PATIENCE = 10.0
EPOCH = "abcdefgh"
TOKEN = Token("ptk_0123456789ab_" + 16 * "5ec4e7")

Told = TypeVar("Told", covariant=True)
Collected = TypeVar("Collected")


class FakeClock:
    """Time that passes only by waiting; no wait takes any time."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.waited: list[float] = []

    def now(self) -> float:
        return self.time

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        if seconds is None:
            await event.wait()
        else:
            self.waited.append(seconds)
            self.time += seconds
            await asyncio.sleep(0)


class Client(Protocol[Told]):
    async def __anext__(self) -> Told: ...


async def collect(client: Client[Collected], last: Callable[[Collected], bool]) -> list[Collected]:
    """What the client tells, up to and with the first thing that is ``last``."""
    told = []
    async with asyncio.timeout(PATIENCE):
        while True:
            told.append(await client.__anext__())
            if last(told[-1]):
                return told


async def until(holds: Callable[[], bool]) -> None:
    """Let everything else run until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  # conditions of the code under test have no event of their own
            await asyncio.sleep(0)


async def remainder(client: Client[Collected]) -> list[Collected]:
    """What the client tells until it ends."""
    told: list[Collected] = []
    async with asyncio.timeout(PATIENCE):
        try:
            while True:
                told.append(await client.__anext__())
        except StopAsyncIteration:
            return told


# WebSocket


class Caller:
    """One connection as the peer sees it."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self._codec = CODECS[connection.subprotocol or messages.JSON]

    async def hear(self) -> Any:
        return self._codec.decode_client(await self.connection.recv())

    async def tell(self, frame: messages.ServerMessage) -> None:
        await self.connection.send(self._codec.encode(frame), text=not self._codec.binary)

    async def tell_raw(self, frame: Any) -> None:
        """A frame of any shape."""
        data = msgspec.msgpack.encode(frame) if self._codec.binary else msgspec.json.encode(frame)
        await self.connection.send(data, text=not self._codec.binary)

    async def welcome(self, *rooms: str, nick: str = "ana", head: int = 0) -> None:
        states = [messages.RoomState(room, EPOCH, head, 1, "", []) for room in rooms]
        await self.tell(messages.Welcome("peer", "1", messages.You(nick, "member"), LIMITS, states))

    def cut(self) -> None:
        """End the connection without a word."""
        self.connection.transport.abort()


@asynccontextmanager
async def chat_peer(script: Callable[[Caller], Awaitable[None]]) -> AsyncIterator[Address]:
    """A WebSocket server that runs the script for each connection and then closes it."""

    scripts: set[asyncio.Task[None]] = set()

    async def handle(connection: ServerConnection) -> None:
        running = asyncio.ensure_future(script(Caller(connection)))
        scripts.add(running)
        try:
            await asyncio.wait([running])
            if not running.cancelled():
                running.result()
        except ConnectionClosed:
            pass

    protocols = [Subprotocol(name) for name in messages.SUBPROTOCOLS]
    async with serve(handle, "127.0.0.1", 0, subprotocols=protocols, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        try:
            yield Address.parse(f"127.0.0.1:{port}")
        finally:
            for running in scripts:
                running.cancel()


class Room:
    """A peer with one room that remembers: what a client may expect of a server, in the fewest lines.

    Args:
        cuts: for each connection in turn, after how many frames (heard or told) it is cut; then never again.
    """

    def __init__(self, *cuts: int) -> None:
        self.events: list[messages.Event] = []
        self.hellos: list[messages.Hello] = []
        self.epoch = EPOCH
        self.floor = 1
        self._cuts = iter(cuts)

    def add(self, text: str, by: str = "ben", key: str | None = None) -> messages.Event:
        seq = self.events[-1].seq + 1 if self.events else 1
        self.events.append(messages.Event("main", seq, seq, "message", by, {"text": text}, key))
        return self.events[-1]

    @property
    def head(self) -> int:
        return self.events[-1].seq if self.events else 0

    @property
    def texts(self) -> list[str]:
        return [event.body["text"] for event in self.events]

    async def __call__(self, caller: Caller) -> None:
        left = next(self._cuts, None)
        frames = itertools.count(1)

        async def tell(frame: messages.ServerMessage) -> None:
            if left is not None and next(frames) > left:
                caller.cut()
            await caller.tell(frame)

        hello = await caller.hear()
        self.hellos.append(hello)
        await tell(
            messages.Welcome(
                "peer",
                "1",
                messages.You(hello.nick, "member"),
                LIMITS,
                [messages.RoomState("main", self.epoch, self.head, self.floor, "", [])],
            )
        )
        held = hello.rooms["main"]
        how = resumption(
            None if held is None else Position.parse(held), epoch=self.epoch, floor=self.floor, head=self.head
        )
        after = max(self.floor - 1, self.head - hello.replay) if how.after is None else how.after
        await tell(messages.Resume("main", how.outcome, self.epoch, after, self.head, how.lost))
        for event in [event for event in self.events if event.seq > after]:
            await tell(event)
        while True:
            said = await caller.hear()
            if not isinstance(said, messages.Send):
                continue
            known = [event for event in self.events if event.key == said.key]
            if known:
                await tell(messages.Ack(said.key, "main", known[0].seq, True))
            else:
                await tell(self.add(said.text, hello.nick, said.key))


def fresh(room: str = "main", *, after: int = 0, head: int = 0, epoch: str = EPOCH) -> messages.Resume:
    return messages.Resume(room, Outcome.FRESH, epoch, after, head)


# Server-sent events


class Request:
    """One request that came in over a raw socket, and what is sent back."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
        }
        self.body = b""
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def open_stream(self, *blocks: bytes, content_type: str = "text/event-stream; charset=utf-8") -> None:
        await self.send(f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode())
        await self.send(b"".join(blocks))

    async def answer(self, status: str, *headers: str, body: bytes = b"") -> None:
        head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close"])
        await self.send(head.encode() + b"\r\n\r\n" + body)

    async def hung_up(self) -> None:
        """Return when the client has closed the connection."""
        await self._reader.read()

    def cut(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def http_peer(script: Callable[[Request], Awaitable[None]]) -> AsyncIterator[Address]:
    """A TCP server that reads one request of each connection, runs the script, and closes the connection."""
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        request = Request(head, reader, writer)
        request.body = await reader.readexactly(int(request.headers.get("content-length", "0")))
        await script(request)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_closing(handle(reader, writer), writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield Address.parse(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


async def _closing(handling: Awaitable[None], writer: asyncio.StreamWriter) -> None:
    try:
        await handling
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def forever() -> None:
    """Keep a connection open until the peer is stopped."""
    await asyncio.Event().wait()
