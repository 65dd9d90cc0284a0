"""A server where people have tokens, kept in a folder, and a clock that the test sets."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import httpx

from pushtui.protocol.limits import Protection
from pushtui.protocol.messages import JSON
from pushtui.protocol.roles import Role
from server.access.access import Access
from server.access.file import AccessFile
from server.access.tokens import create
from server.log.sqlite import SqliteStore
from tests.server.conftest import NO_FLOODS, Build, House, ticking_clock
from tests.server.event_stream import EventStream
from tests.server.peer import Frame, Peer, Rooms

PEOPLE = {
    "root": Role.ADMIN,
    "boss": Role.ADMIN,
    "mo": Role.MODERATOR,
    "max": Role.MODERATOR,
    "ana": Role.MEMBER,
    "bob": Role.MEMBER,
    "eve": Role.MEMBER,
    "rea": Role.READER,
    "agi": Role.AGENT,
}
#: 2027-01-15 08:00 UTC.
MORNING = 1_800_000_000_000
ELSEWHERE = "127.0.0.2"


class Town:
    """One data folder, its people, and the server that runs on it now."""

    def __init__(
        self, build: Build, folder: Path, *, open_to_all: bool = False, protection: Protection = NO_FLOODS
    ) -> None:
        self.build = build
        self.folder = folder
        self.open_to_all = open_to_all
        self.protection = protection
        self.now = MORNING
        with contextlib.closing(AccessFile.open(folder)) as file:
            self.tokens = {name: str(create(file, name, role, now=1)) for name, role in PEOPLE.items()}
        self.visitors = contextlib.AsyncExitStack()
        self.house: House

    @classmethod
    @contextlib.asynccontextmanager
    async def founded(cls, build: Build, folder: Path, **options: Any) -> AsyncIterator[Self]:
        town = cls(build, folder, **options)
        await town.start()
        try:
            yield town
        finally:
            await town.visitors.aclose()

    async def start(self) -> None:
        access = Access(
            AccessFile.open(self.folder), clock_ms=lambda: self.now, open_to_all=self.open_to_all, look=0.01
        )
        store = SqliteStore(self.folder / "log.sqlite3", clock_ms=ticking_clock())
        self.house = await self.build(store, access=access, protection=self.protection)

    async def restart(self) -> None:
        """Another server on the same folder; everyone has gone."""
        await self.house.close()
        await self.start()

    def headers(self, name: str | None) -> dict[str, str]:
        return {} if name is None or name not in self.tokens else {"Authorization": f"Bearer {self.tokens[name]}"}

    async def knock(self, name: str, subprotocol: str = JSON, **options: Any) -> Peer:
        return await self.house.knock((subprotocol,), additional_headers=self.headers(name), **options)

    async def visit(
        self,
        name: str,
        rooms: Rooms = ("main",),
        *,
        at: str | None = None,
        subprotocol: str = JSON,
        **fields: object,
    ) -> Peer:
        """Come in, with the token of that name if there is one, perhaps from another address."""
        options: dict[str, Any] = {} if at is None else {"local_addr": (at, 0)}
        peer = await self.knock(name, subprotocol, **options)
        await peer.hello(name, rooms, **fields)
        await peer.resumes()
        return peer

    async def http(self, name: str | None, at: str | None = None) -> httpx.AsyncClient:
        return await self.visitors.enter_async_context(
            httpx.AsyncClient(
                base_url=self.house.url,
                headers=self.headers(name),
                timeout=10,
                transport=httpx.AsyncHTTPTransport(local_address=at),
            )
        )

    async def post(self, name: str | None, text: str, room: str = "main", at: str | None = None) -> httpx.Response:
        return await (await self.http(name, at)).post(
            f"/rooms/{room}", json={"text": text, "from": name or "nobody"}
        )

    async def read_along(self, name: str | None, path: str, at: str | None = None) -> EventStream:
        client = await self.http(name, at)
        response = await self.visitors.enter_async_context(client.stream("GET", path))
        assert response.status_code == 200, await response.aread()
        stream = EventStream(response)
        await stream.opening()
        return stream

    async def status_of(self, name: str | None, path: str, at: str | None = None) -> tuple[int, Frame]:
        """The status and the body of a GET that is refused."""
        response = await (await self.http(name, at)).get(path)
        return response.status_code, response.json()


async def act(peer: Peer, action: str, **fields: object) -> str:
    """Moderate; returns what is said to be done."""
    await peer.say("moderate", key="act", action=action, **fields)
    frame = await answer(peer, "act")
    assert frame["type"] == "done", frame
    message: str = frame["message"]
    return message


async def refused(peer: Peer, action: str, **fields: object) -> tuple[str, str]:
    """Moderate in vain; returns the code and the sentence."""
    await peer.say("moderate", key="no", action=action, **fields)
    frame = await answer(peer, "no")
    assert frame["type"] == "error", frame
    return frame["code"], frame["message"]


async def direct(peer: Peer, nick: str) -> Frame:
    """Ask for the room of two; returns the answer."""
    await peer.say("direct", key="two", nick=nick)
    return await answer(peer, "two")


async def answer(peer: Peer, key: str) -> Frame:
    """The next ``done`` or ``error`` of that key; what comes before it is passed over."""
    while (frame := await peer.hear())["type"] not in ("done", "error") or frame.get("key") != key:
        pass
    return frame


async def says(peer: Peer, text: str, room: str = "main") -> Frame:
    """Say something; returns one's own event, or the error."""
    await peer.say("send", key=text, room=room, text=text)
    while (frame := await peer.hear()).get("key") != text:
        pass
    return frame
