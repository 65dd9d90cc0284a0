"""A running server on a port that the system chooses, and everyone who visits it."""

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from pushtui.protocol.limits import LIMITS, Limits, Protection, Rate
from pushtui.protocol.messages import JSON, MSGPACK
from server.access.access import Access
from server.access.identity import Author, Identity
from server.addresses import Addresses
from server.application import Server
from server.browsers import Browsers
from server.log.memory import MemoryStore
from server.log.sqlite import SqliteStore
from server.log.store import Store
from server.log.streams import room_stream
from server.service import Service
from server.timing import Timing
from tests.server.event_stream import EventStream
from tests.server.peer import Peer, Rooms
from tests.server.wire_client import WireClient


def ticking_clock() -> Callable[[], int]:
    """Every look at it is one millisecond later."""
    ticks = itertools.count(1_700_000_000_000)
    return lambda: next(ticks)


def timing(**seconds: float) -> Timing:
    """As the server's own, but who is lost is gone soon, and news wait for nothing: tests look at what is left."""
    return Timing(**{"grace": 0.01, "lull": 0} | seconds)


QUICK = timing()
NO_RATE = Rate(0, 0)
#: Tests send as fast as they can; those about floods ask for what they are about.
NO_FLOODS = Protection(
    sends=NO_RATE, sends_per_address=NO_RATE, frames=NO_RATE, new_rooms=NO_RATE, failed_logins=NO_RATE
)


def author(nick: str) -> Author:
    """Somebody without a token."""
    return Author(nick, Identity("127.0.0.1"))


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (nothing tells when)
            await asyncio.sleep(0.001)


@dataclass
class House:
    """One server that runs, and its visitors."""

    server: Server
    store: Store
    port: int
    before: set[asyncio.Task[Any]]
    host: str = "127.0.0.1"
    scheme: str = "http"
    visitors: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _http: httpx.AsyncClient | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def service(self) -> Service:
        assert self.server._service is not None
        return self.server._service

    async def knock(self, subprotocols: Sequence[str] | None = (JSON,), **options: Any) -> Peer:
        """Open a WebSocket without a hello."""
        ws = await self.visitors.enter_async_context(
            connect(
                f"ws://{self.host}:{self.port}/chat",
                subprotocols=None if subprotocols is None else [Subprotocol(name) for name in subprotocols],
                compression=None,
                proxy=None,
                **options,
            )
        )
        return Peer(ws)

    async def visit(
        self, nick: str = "ana", rooms: Rooms = ("main",), *, subprotocol: str = JSON, **fields: object
    ) -> Peer:
        """Come in and hear the welcome and how each room goes on."""
        peer = await self.knock((subprotocol,))
        await peer.hello(nick, rooms, **fields)
        await peer.resumes()
        return peer

    async def wire(self, *, receive_buffer: int | None = None) -> WireClient:
        """A connection without a library."""
        return await self.visitors.enter_async_context(
            await WireClient.connect(self.port, receive_buffer=receive_buffer)
        )

    async def http(self) -> httpx.AsyncClient:
        if self._http is None:
            client = httpx.AsyncClient(base_url=self.url, trust_env=False, verify=False, timeout=10)
            self._http = await self.visitors.enter_async_context(client)
        return self._http

    async def read_along(self, path: str = "/status", **options: Any) -> EventStream:
        """Open an event stream."""
        client = await self.http()
        response = await self.visitors.enter_async_context(client.stream("GET", path, **options))
        assert response.status_code == 200, await response.aread()
        return EventStream(response)

    async def post(self, text: str, room: str = "main", **fields: object) -> httpx.Response:
        client = await self.http()
        return await client.post(f"/rooms/{room}", json={"text": text, **fields})

    def head(self, room: str = "main") -> int:
        """The highest seq of a room, -1 when there is no such room."""
        state = self.store.state(room_stream(room))
        return -1 if state is None else state.head

    def heads(self) -> dict[str, int]:
        """The highest seq of every stream: what was stored changes it."""
        return {name: self.head_of(name) for name in self.store.streams()}

    def head_of(self, stream: str) -> int:
        state = self.store.state(stream)
        assert state is not None
        return state.head

    def is_empty(self) -> bool:
        """Whether nothing is left of anyone who was here."""
        service = self.service
        return (
            not service.connections.count()
            and not service.people
            and not service.rooms
            and not any(service.fanout.listeners(stream) for stream in self.store.streams())
        )

    async def close(self) -> None:
        """Let everyone go, see that nothing is left of them, then stop."""
        await self.visitors.aclose()
        if self.server._service is not None:
            await until(self.is_empty)
        await self.server.stop()
        here = asyncio.current_task()
        await until(lambda: asyncio.all_tasks() <= self.before | {here})


class Build(Protocol):
    """Starts a server; it stops when the test is over."""

    def __call__(
        self,
        store: Store | None = None,
        *,
        timing: Timing = QUICK,
        limits: Limits = LIMITS,
        protection: Protection = NO_FLOODS,
        access: Access | None = None,
        browsers: Browsers | None = None,
        addresses: Addresses | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> Awaitable[House]: ...


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    async with contextlib.AsyncExitStack() as houses:

        async def start(
            store: Store | None = None,
            *,
            timing: Timing = QUICK,
            limits: Limits = LIMITS,
            protection: Protection = NO_FLOODS,
            access: Access | None = None,
            browsers: Browsers | None = None,
            addresses: Addresses | None = None,
            tls: ssl.SSLContext | None = None,
            host: str = "127.0.0.1",
        ) -> House:
            held = store or MemoryStore(clock_ms=ticking_clock())
            before = asyncio.all_tasks()
            server = Server(
                held,
                name="test",
                timing=timing,
                limits=limits,
                protection=protection,
                access=access,
                browsers=browsers,
                addresses=addresses,
                tls=tls,
            )
            with socket.socket() as listener:
                listener.bind((host, 0))
                port = listener.getsockname()[1]
                await server.start(listener.dup())
            house = House(server, held, port, before, host, "https" if tls else "http")
            houses.push_async_callback(house.close)
            return house

        yield start


@pytest.fixture
async def house(build: Build) -> House:
    """A server with its log in memory."""
    return await build()


@pytest.fixture(params=["sqlite", "memory"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return SqliteStore(tmp_path / "log.sqlite3", clock_ms=ticking_clock())
    return MemoryStore(clock_ms=ticking_clock())


@pytest.fixture
async def any_house(build: Build, any_store: Store) -> House:
    """A server with each of the stores."""
    return await build(any_store)


@pytest.fixture(params=[JSON, MSGPACK], ids=["json", "msgpack"])
def subprotocol(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
