"""Clients that tell what a test lets them tell, and remember what the screen asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Generic, Self, TypeVar

from pushtui.client.address import Address
from pushtui.client.happenings import (
    CaughtUp,
    ChatHappening,
    Delivery,
    Link,
    LinkState,
    RoomEvent,
    StatusEvent,
    StatusHappening,
    StatusResume,
)
from pushtui.client.traffic import Traffic
from pushtui.protocol.bodies import Mark, Message, Notice, RoomBody
from pushtui.protocol.limits import Limits
from pushtui.protocol.messages import Action, Member, Resume, RoomState, Welcome, You
from pushtui.protocol.positions import Lost, Outcome, Position
from pushtui.protocol.samples import Cpu, Disk, DiskIo, Memory, Network, Process, Processes, Sample
from pushtui.wire.watch import Watch
from tui.clients import Clients
from tui.clock import Clock

EPOCH = "f3k9q2ab"
HappeningT = TypeVar("HappeningT")


class Script(Generic[HappeningT]):
    """What both clients have in common: an open end for happenings, and an account of what was called."""

    def __init__(self) -> None:
        self.link = Link(LinkState.CONNECTING)
        self.traffic = Traffic()
        self.watch = Watch()
        self.calls: list[tuple[object, ...]] = []
        self.entered = asyncio.Event()
        self.left = asyncio.Event()
        self._told: asyncio.Queue[HappeningT | Exception | None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self.entered.set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left.set()

    async def __aiter__(self) -> AsyncIterator[HappeningT]:
        while (happening := await self._told.get()) is not None:
            if isinstance(happening, Exception):
                raise happening
            if isinstance(happening, Link):
                self.link = happening
            self.traffic.received_frames += not isinstance(happening, Link)
            yield happening

    @property
    def idle(self) -> bool:
        """Whether all that was told has been heard."""
        return self.entered.is_set() and self._told.empty()

    def tell(self, *happenings: HappeningT) -> None:
        for happening in happenings:
            self._told.put_nowait(happening)

    def fail(self, error: Exception) -> None:
        self._told.put_nowait(error)

    def end(self) -> None:
        self._told.put_nowait(None)

    def retry_now(self) -> None:
        self.calls.append(("retry_now",))


class ScriptedChat(Script[ChatHappening]):
    """A chat. ``seq`` is the last position told in each room."""

    def __init__(self, address: Address, nick: str, rooms: Sequence[str]) -> None:
        super().__init__()
        self.address = address
        self.nick = nick
        self.rooms = tuple(rooms)
        self.first_room = rooms[0]
        self.latency_ms: float | None = None
        self.seq = dict.fromkeys(rooms, 1000)
        self.keys = 0
        self.kept = False
        self.said: dict[str, str] = {}

    # What the screen calls

    def _said(self, *call: object) -> str:
        self.keys += 1
        self.calls.append(call)
        return f"key-{self.keys}"

    def say(self, room: str, text: str, reply_to: int | None = None) -> str:
        key = self._said("say", room, text)
        self.said[key] = text
        return key

    def topic(self, room: str, text: str) -> str:
        return self._said("topic", room, text)

    def mark(self, room: str, text: str) -> str:
        return self._said("mark", room, text)

    def join(self, room: str) -> None:
        self.calls.append(("join", room))

    def leave(self, room: str) -> None:
        self.calls.append(("leave", room))

    def typing(self, room: str, on: bool) -> None:
        self.calls.append(("typing", room, on))

    def away(self, on: bool, text: str | None = None) -> None:
        self.calls.append(("away", on, text))

    def history(self, room: str, before: int, limit: int = 100) -> str:
        self.calls.append(("history", room, before))
        return "page-1"

    def moderate(
        self,
        action: Action,
        *,
        nick: str | None = None,
        room: str | None = None,
        address: str | None = None,
        seconds: int | None = None,
        reason: str | None = None,
        on: bool = True,
    ) -> str:
        asked = {"nick": nick, "room": room, "address": address, "seconds": seconds, "reason": reason}
        given = {name: value for name, value in asked.items() if value is not None}
        return self._said("moderate", action, given | ({} if on else {"on": False}))

    def direct(self, nick: str) -> str:
        return self._said("direct", nick)

    def take_back(self, key: str) -> str | None:
        self.calls.append(("take_back", key))
        return self.said.pop(key, None)

    def retry(self, key: str) -> None:
        self.calls.append(("retry", key))

    def rename(self, nick: str) -> None:
        self.calls.append(("rename", nick))

    # What a test lets happen

    def welcome(
        self,
        *,
        topic: str = "",
        members: list[Member] | None = None,
        outcome: Outcome = Outcome.FRESH,
        floor: int | None = None,
        role: str = "member",
        read_only: bool = False,
    ) -> None:
        """Connected: the room as it is, and how it goes on; `caught_up` ends the replay.

        Nothing is older than what is told, unless a ``floor`` says so.
        """
        self.latency_ms = 12.0
        room = self.first_room
        head = self.seq[room]
        here = members if members is not None else [Member(self.nick, "here")]
        state = RoomState(room, EPOCH, head, floor or head + 1, topic, here, read_only=read_only)
        self.tell(
            Link(LinkState.LIVE),
            Welcome("pushtui", "0.1.0", You(self.nick, role), Limits(), [state]),
            Resume(room, outcome, EPOCH, head, head),
        )

    def caught_up(self, replayed: int = 0, outcome: Outcome = Outcome.FRESH, lost: Lost | None = None) -> None:
        self.tell(CaughtUp(self.first_room, outcome, replayed, lost))

    def joined(self, room: str, *, topic: str = "", private: bool = False, direct: str | None = None) -> None:
        """The answer to a join."""
        self.seq[room] = 0
        here = [Member(nick, "here") for nick in (self.nick, direct) if nick]
        self.tell(
            Resume(room, Outcome.FRESH, EPOCH, 0, 0, topic=topic, members=here, private=private, direct=direct),
            CaughtUp(room, Outcome.FRESH, 0),
        )

    def event(
        self,
        by: str,
        body: RoomBody | str,
        at: int,
        *,
        room: str | None = None,
        key: str | None = None,
        replayed: bool = False,
    ) -> int:
        """Somebody said something, or did something else that the log keeps; returns its seq."""
        name = room or self.first_room
        self.seq[name] += 1
        said = Message(body) if isinstance(body, str) else body
        kind = type(said).__name__.lower()
        self.tell(RoomEvent(name, self.seq[name], at, kind, by, said, key=key, replayed=replayed))
        return self.seq[name]

    def stored(self, key: str, text: str, at: int) -> None:
        """Our own message went its whole way."""
        self.tell(Delivery(key, "sent"))
        self.event(self.nick, text, at, key=key)
        self.tell(Delivery(key, "stored"))


class ScriptedStatus(Script[StatusHappening]):
    """A status stream."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self.address = address
        self.retry_ms: int | None = None
        self.last_event_id = ""
        self.seq = 5500

    def live(self) -> None:
        """Connected, with nothing to replay."""
        self.retry_ms = 3000
        self.tell(
            Link(LinkState.LIVE),
            StatusResume(Outcome.FRESH, EPOCH, self.seq, self.seq),
            CaughtUp(None, Outcome.FRESH, 0),
        )

    def event(self, kind: str, body: Sample | Notice | Mark, *, replayed: bool = False) -> None:
        self.seq += 1
        self.last_event_id = f"{EPOCH}.{self.seq}"
        self.tell(StatusEvent(Position(EPOCH, self.seq), kind, body, replayed))

    def next_sample(self, at: int, host: str = "ops-1") -> Sample:
        return sample(at, self.seq, host)

    def samples(self, until: int, count: int = 60, host: str = "ops-1") -> None:
        """One sample a second up to ``until`` (ms), with figures that go up and down in a steady way."""
        for number in range(count):
            self.event("sample", sample(until - 1000 * (count - 1 - number), number, host))


def sample(at: int, number: int, host: str = "ops-1") -> Sample:
    wave = abs(number % 40 - 20)
    return Sample(
        host=host,
        at=at,
        interval=1.0,
        cpu=Cpu(20 + 2.5 * wave, [10 + 3 * wave % 90, 40, 12 + wave, 75, 3, 22, 31, 8], 8, (0.42, 0.38, 0.30)),
        memory=Memory(16 * 2**30, int((0.55 + wave / 300) * 16 * 2**30), round(55 + wave / 3, 1), 0.0),
        disks=[Disk("/", 10**11, 85 * 10**9, 85.0), Disk("/var", 10**11, 41 * 10**9, 41.0)],
        disk_io=DiskIo(1.2e6 * (1 + wave % 5), 0.3e6),
        network=Network(1.2e6, 0.3e6 * (1 + wave % 3)),
        processes=Processes(212, [Process(1, "postgres", 22, 9 * 2**28), Process(2, "node", 9, 2**28)]),
        uptime_seconds=12 * 86400,
    )


class Cast:
    """Hands scripted clients to an app; the newest of each is ``chat`` and ``status``."""

    def __init__(self) -> None:
        self.chats: list[ScriptedChat] = []
        self.statuses: list[ScriptedStatus] = []

    @property
    def chat(self) -> ScriptedChat:
        return self.chats[-1]

    @property
    def status(self) -> ScriptedStatus:
        return self.statuses[-1]

    @property
    def clients(self) -> Clients:
        def chat(address: Address, nick: str, rooms: Sequence[str]) -> ScriptedChat:
            self.chats.append(ScriptedChat(address, nick, rooms))
            return self.chats[-1]

        def status(address: Address) -> ScriptedStatus:
            self.statuses.append(ScriptedStatus(address))
            return self.statuses[-1]

        return Clients(chat, status)


class HandClock:
    """A clock that a test moves by hand; it begins on Sunday, 22 November 2026, 14:07:31 UTC."""

    def __init__(self) -> None:
        self.ms = 1_795_356_451_000
        self.clock = Clock(wall_ms=lambda: self.ms, steady=lambda: self.ms / 1000, runs=False)

    def advance(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)
