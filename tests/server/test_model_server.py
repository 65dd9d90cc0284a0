"""As `test_model`, over a real server and real sockets: fewer plays, each with everything in between."""

import asyncio
import contextlib
import itertools
import os
import socket
import tempfile
from collections import deque
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pushtui.protocol.messages import JSON, MSGPACK
from server.application import Server
from server.log.streams import STATUS, room_stream
from tests.server.conftest import NO_FLOODS, House, author, timing
from tests.server.event_stream import EventStream
from tests.server.model import Due, Got, Said
from tests.server.modelled_log import CLAIMS, ModelledLog
from tests.server.peer import Peer

#: A quarter of the plays of `test_model`: each costs several times as much.
EXAMPLES = int(os.environ.get("PUSHTUI_MODEL_EXAMPLES", "40")) // 4
ROOMS = ("main", "ops")

rooms = st.sampled_from(ROOMS)
places = st.integers(0, 30)
claims = st.just("what it holds") | st.sampled_from(sorted(CLAIMS))
replays = st.integers(0, 12)


class Visitor:
    """One client over all its connections: a chat in either encoding, an event stream, or long polling."""

    def __init__(self, nick: str, room: str, kind: str) -> None:
        self.nick = nick
        self.stream = STATUS if kind == "status" else room_stream(room)
        self.held: str | None = None
        self.open = False
        self._room = room
        self._kind = kind
        self._visit = contextlib.AsyncExitStack()
        self._peer: Peer | None = None
        self._events: EventStream | None = None
        self._client: httpx.AsyncClient
        self._position = ""
        self._page: deque[dict[str, Any]] = deque()

    async def come(self, house: House, named: str | None, replay: int) -> tuple[str, Due]:
        """Come (back); returns the epoch, and what was said."""
        self.open = True
        await house.http()  # is for all
        # What a connection leaves open is closed when it is dropped, not with the house.
        theirs, house.visitors = house.visitors, self._visit
        try:
            if self._kind in (JSON, MSGPACK):
                self._peer = await house.visit(
                    self.nick, {self._room: named}, subprotocol=self._kind, replay=replay
                )
                resume = next(frame for frame in self._peer.heard if frame["type"] == "resume")
            elif self._kind == "polling":
                self._client = await self._visit.enter_async_context(
                    httpx.AsyncClient(base_url=house.url, trust_env=False, verify=False, timeout=20)
                )
                resume = await self._poll({} if named is None else {"after": named}, replay=replay, wait=0)
            else:
                path = "/status" if self._kind == "status" else f"/rooms/{self._room}"
                headers = {} if named is None else {"Last-Event-ID": named}
                self._events = await house.read_along(f"{path}?replay={replay}", headers=headers)
                opening = await self._events.opening()
                resume = opening.data
                assert opening.id == f"{resume['epoch']}.{resume['after']}"
        finally:
            house.visitors = theirs
        self.held = f"{resume['epoch']}.{resume['after']}"
        lost = (resume["lost"]["after"], resume["lost"]["before"]) if "lost" in resume else None
        return resume["epoch"], Due(resume["outcome"], resume["after"], lost)

    async def hears(self, count: int) -> list[Got]:
        """The next events, that many."""
        got = [await self._hear() for _ in range(count)]
        if got:
            assert self.held is not None
            self.held = f"{self.held[:8]}.{got[-1].seq}"
        return got

    async def drop(self) -> None:
        """Be gone without a word."""
        self.open = False
        if self._peer is not None:
            self._peer.ws.transport.abort()
        await self._visit.aclose()
        self._peer = self._events = None
        self._page.clear()

    async def _poll(self, where: dict[str, str], **query: int) -> dict[str, Any]:
        """Ask for one page; what is in it follows the position of the one before."""
        answer = await self._client.get(
            f"/rooms/{self._room}", params=where | {k: str(v) for k, v in query.items()}
        )
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        self._page.extend(page["events"])
        seqs = [page["after"], *(event["seq"] for event in page["events"])]
        assert page["position"] == f"{page['epoch']}.{seqs[-1]}"
        assert page["more"] == (seqs[-1] < page["head"])
        self._position = page["position"]
        return page

    async def _hear(self) -> Got:
        if self._kind == "polling":
            while not self._page:
                assert (await self._poll({"after": self._position}, wait=10))["outcome"] == "caught_up"
            event = self._page.popleft()
            return Got(event["seq"], Said(event["kind"], event["by"], event["body"]["text"], event.get("key")))
        if self._peer is not None:
            event = await self._peer.hear_of("event")
            seq = event["seq"]
        else:
            assert self._events is not None
            block = await self._events.block()
            assert self.held is not None
            epoch, _, text = str(block.id).partition(".")
            assert epoch == self.held[:8]
            event, seq = block.data, int(text)
            if self.stream == STATUS:
                return Got(seq, Said(str(block.event), event["by"], event["text"], event.get("key")))
            assert event["seq"] == seq
        return Got(seq, Said(event["kind"], event["by"], event["body"]["text"], event.get("key")))


class ServedRecovery(RuleBasedStateMachine):
    """One server over all its lives, and everyone who visits it."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._numbers = itertools.count()
        self.log = ModelledLog(Path(self._folder.name) / "log.sqlite3")
        self.visitors: list[Visitor] = []
        self.said: list[tuple[str, Said]] = []

    def _run(self, doing: Awaitable[Any]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(30):
                await doing

        self._runner.run(bounded())

    async def _begin(self) -> None:
        store = self.log.prepare()
        server = Server(store, timing=timing(farewell=0.2), protection=NO_FLOODS)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            await server.start(listener.dup())
        self.house = House(server, store, port, set())
        for name in store.streams():
            self.log.stream(name)

    async def _close(self) -> None:
        await self.house.visitors.aclose()
        await self.house.server.stop()

    async def _drop_all(self) -> None:
        for visitor in self.visitors:
            if visitor.open:
                await visitor.drop()

    async def _post(self, room: str, said: Said) -> None:
        """Over HTTP; a second time with the same key is answered with the first position."""
        stream = room_stream(room)
        known = self.log.known(stream, said)
        answer = await self.house.post(said.text, room, key=said.key, **{"from": said.by})
        assert answer.status_code == 201
        epoch, _, seq = answer.json()["position"].partition(".")
        assert epoch == self.log.stream(stream).epoch
        assert self.log.stream(stream).entries[int(seq) - 1] == said
        assert known in (None, int(seq))
        assert answer.json()["duplicate"] or known is None

    async def _all_hear(self) -> None:
        """Everyone who is there hears everything that they have not heard."""
        for visitor in self.visitors:
            if visitor.open:
                assert visitor.held is not None
                stream = self.log.stream(visitor.stream)
                after = int(visitor.held[9:])
                stream.check(after, await visitor.hears(stream.head - after), complete=True)

    async def _come(self, visitor: Visitor, claim: str | None, replay: int) -> None:
        held = visitor.held
        named = None if held is None or claim is None else CLAIMS[claim](held)
        if visitor.stream not in self.log.streams:
            if not visitor.stream.startswith("room:ops"):
                return
            await self._post("ops", self._new("ops", "a"))
        epoch, due = await visitor.come(self.house, named, replay)
        stream = self.log.stream(visitor.stream)
        assert (epoch, due) == (stream.epoch, stream.due(named, replay))
        if named is not None and named == held and due.outcome == "reset":
            assert named[:8] != epoch

    def _new(self, room: str, by: str) -> Said:
        number = next(self._numbers)
        said = Said("message", by, f"n{number}", f"k{number}")
        self.said.append((room, said))
        return said

    @initialize(count=st.integers(0, 30))
    def open(self, count: int) -> None:
        async def opening() -> None:
            await self._begin()
            await asyncio.gather(*(self._post("main", self._new("main", "a")) for _ in range(count)))

        self._run(opening())

    @rule(room=rooms, by=st.sampled_from("ab"), count=st.integers(1, 20), place=places)
    def say(self, room: str, by: str, count: int, place: int) -> None:
        said = [(room, self._new(room, by)) for _ in range(count)]
        if place < len(self.said):
            said.append(self.said[place])

        async def saying() -> None:
            await asyncio.gather(*(self._post(*one) for one in said))
            await self._all_hear()

        self._run(saying())

    @rule()
    def notify(self) -> None:
        text = f"n{next(self._numbers)}"

        async def notifying() -> None:
            answer = await (await self.house.http()).post("/notices", content=text)
            assert answer.status_code == 201
            assert self.log.stream(STATUS).entries[-1].text == text
            await self._all_hear()

        self._run(notifying())

    @rule(
        room=rooms,
        kind=st.sampled_from([JSON, MSGPACK, "room", "status", "polling"]),
        claim=st.none() | claims,
        replay=replays,
    )
    def come_in(self, room: str, kind: str, claim: str | None, replay: int) -> None:
        visitor = Visitor(f"v{len(self.visitors)}", room, kind)
        self.visitors.append(visitor)
        if claim is not None and visitor.stream in self.log.streams:
            stream = self.log.stream(visitor.stream)
            visitor.held = f"{stream.epoch}.{stream.head}"

        async def coming() -> None:
            await self._come(visitor, claim, replay)
            await self._all_hear()

        self._run(coming())

    @precondition(lambda self: any(not one.open for one in self.visitors))
    @rule(place=places, claim=claims, replay=replays)
    def come_back(self, place: int, claim: str, replay: int) -> None:
        away = [one for one in self.visitors if not one.open]

        async def coming() -> None:
            await self._come(away[place % len(away)], claim, replay)
            await self._all_hear()

        self._run(coming())

    @precondition(lambda self: any(one.open for one in self.visitors))
    @rule(place=places)
    def drop(self, place: int) -> None:
        here = [one for one in self.visitors if one.open]
        self._run(here[place % len(here)].drop())

    @rule(room=rooms, below=st.integers(-6, 2))
    def trim(self, room: str, below: int) -> None:
        name = room_stream(room)
        if name in self.log.streams:
            self._run(self.log.trim(name, self.log.stream(name).head + 1 + below))

    @rule()
    def back_up(self) -> None:
        self.log.back_up()

    @rule(how=st.sampled_from(["restart", "kill", "restore"]), count=st.integers(0, 9), back=st.booleans())
    def end(self, how: str, count: int, back: bool) -> None:
        """The server ends while others talk, and comes again, and everyone who was there perhaps too."""
        here = [one for one in self.visitors if one.open]

        async def ending() -> None:
            await self._drop_all()
            if how == "kill":
                await self._kill(count)
            elif how == "restart":
                await self.log.restart(self._close, self._begin)
            else:
                await self.log.restore(self._close, self._begin, replaced=True)
            for visitor in here if back else ():
                await self._come(visitor, "what it holds", 3)
            await self._all_hear()

        self._run(ending())

    async def _kill(self, count: int) -> None:
        said = [self._new("main", "a") for _ in range(count)]
        write = self.house.service.writing.message
        asked = [asyncio.ensure_future(write(author("a"), "main", one.text, one.key)) for one in said]
        await asyncio.sleep(0)

        async def close() -> None:
            await asyncio.gather(*asked)
            await self._close()

        await self.log.kill(close, self._begin, [(room_stream("main"), one) for one in said])

    def teardown(self) -> None:
        async def ending() -> None:
            await self._drop_all()
            await self._close()

        try:
            self._run(ending())
        finally:
            self._runner.close()
            self._folder.cleanup()


TestServedRecovery = ServedRecovery.TestCase
TestServedRecovery.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
