"""Whatever happens in a room, at a quiet moment everyone in it believes what is true.

The server's room and its listeners' ears are the real ones; transports are lists, and time goes by when asked to.
"""

import asyncio
import random
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from pushtui.protocol.codec import CODECS
from pushtui.protocol.messages import JSON, MSGPACK, Crowd, Member, Members, Presence, ServerMessage, Typing
from server import rooms
from server.hearing import Hearing
from server.news import News
from server.rooms import Room, Rooms
from server.timing import Timing
from tests.server.log.listeners import ListSink

NICKS = ["ana", "Bo", "carla", "dan", "Eve", "fay"]
MOST = 3
TIMING = Timing(grace=4, lull=0.05, recount=2)
#: Long enough for all that was lost to be gone, and told.
QUIET_SECONDS = TIMING.grace + 2 * TIMING.recount + 1
SEEDS, PLAYS, STEPS = 8, 40, 40


class HandLoop(asyncio.SelectorEventLoop):
    """Time stands still, unless the loop would wait."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Patience(self))

    def time(self) -> float:
        return self.now


class _Patience(selectors.DefaultSelector):
    def __init__(self, loop: HandLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "it would wait for ever"
        self._loop.now += max(0, timeout)
        return super().select(0)


class Transport(ListSink):
    """One whose other end may stop reading."""

    def take_room(self) -> None:
        self._room = 0


class Connection:
    """An occupant, and what the client behind it believes."""

    def __init__(self, nick: str, number: int) -> None:
        self.nick = nick
        self.subprotocol = (JSON, MSGPACK)[number]
        self.away: str | None = None
        self.sink = Transport()
        self.hearing = Hearing(self.sink)
        self.members: dict[str, Member] = {}
        self.count: int | None = None

    def member(self) -> Member:
        return Member(self.nick, "here") if self.away is None else Member(self.nick, "away", self.away)

    def hear(self, news: News) -> None:
        assert b"".join(news.frames.values()) == news.joined
        self.hearing.take(news)

    def look(self, room: Room) -> None:
        self.hearing.forget(room.name)
        self.sink.writes.clear()
        members, self.count = room.snapshot(self)
        self.members = {member.nick: member for member in members}
        assert len(self.members) == len(members)
        assert self.nick in self.members

    def listen(self) -> Iterator[ServerMessage]:
        """Believe what came."""
        for frame in self.frames():
            match frame:
                case Presence(nick=nick, state="gone"):
                    self.members.pop(nick, None)
                case Presence(nick=nick, state=state, text=text):
                    self.members[nick] = Member(nick, state, text)
                case Members(members=members):
                    self.members = {member.nick: member for member in members}
                    self.count = None
                case Crowd(count=count):
                    self.count = count
            yield frame

    def frames(self) -> Iterator[ServerMessage]:
        data = b"".join(self.sink.writes)
        self.sink.writes.clear()
        codec = CODECS[self.subprotocol]
        while data:
            length, start = data[1], 2
            if length > 125:
                length, start = int.from_bytes(data[2:4]), 4
            yield codec.decode_server(data[start : start + length])
            data = data[start + length :]


class Play:
    """A room, who is in it, and what is true."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.loop = runner.get_loop()
        self.crowds = 0
        self.rooms = Rooms(TIMING, MOST)
        #: The connections of each nick, that one last which had the last word.
        self.here: dict[str, list[Connection]] = {}
        self.at: dict[Connection, Room] = {}
        self.lost: dict[str, tuple[float, Member]] = {}
        self.departures: Counter[str] = Counter()
        self.connections = [Connection(nick, number) for nick in NICKS for number in (0, 1)]

    def _do(self, doing: Coroutine[Any, Any, None]) -> None:
        self._runner.run(doing)

    # What may happen

    def enter(self, one: Connection) -> None:
        """Come in, or join once more."""
        nick = one.nick
        if one not in self.at:
            one.away = None
            self._expire()
            self.lost.pop(nick, None)
            self.here.setdefault(nick, []).append(one)

        async def doing() -> None:
            self.at[one] = self.rooms.enter("main", one)
            one.look(self.at[one])

        self._do(doing())
        truth = {nick: here[-1].member() for nick, here in self.here.items()}
        truth |= {nick: member for nick, (_, member) in self.lost.items()}
        assert one.count in (None, len(truth))
        if one.count is None:
            assert one.members == truth
        else:
            assert min(MOST, len(truth)) <= len(one.members) <= MOST + 1
            assert one.members.items() <= truth.items()

    def exit(self, one: Connection, *, lost: bool = False) -> None:
        if one not in self.at:
            return
        nick = one.nick
        self._expire()
        self.here[nick].remove(one)
        if not self.here[nick]:
            del self.here[nick]
            if lost:
                self.lost[nick] = self.loop.time() + TIMING.grace, one.member()
            else:
                self.departures[nick] += 1

        async def doing() -> None:
            self.at.pop(one).exit(one, lost=lost)

        self._do(doing())

    def be_away(self, one: Connection, text: str | None) -> None:
        if one not in self.at:
            return
        one.away = text
        self.here[one.nick].remove(one)
        self.here[one.nick].append(one)

        async def doing() -> None:
            self.at[one].tell_presence(one)

        self._do(doing())

    def types(self, one: Connection, on: bool) -> None:
        async def doing() -> None:
            if one in self.at:
                self.at[one].tell_typing(one, on)

        self._do(doing())

    def wait(self, seconds: float) -> None:
        self._do(asyncio.sleep(seconds))

    # What holds

    def they_hear_what_they_may(self) -> None:
        """Nobody hears that somebody is gone who never was, nor, in a crowd, of anyone."""
        self._expire()
        for one in self.connections:
            gone: Counter[str] = Counter()
            for frame in one.listen():
                if isinstance(frame, Presence) and frame.state == "gone":
                    gone[frame.nick] += 1
                if isinstance(frame, Presence | Typing):
                    assert frame.nick is not None
                    assert self.departures[frame.nick] or frame.nick in self.here or frame.nick in self.lost
            assert gone <= self.departures

    def everyone_believes_what_is_true(self) -> None:
        for one in self.connections:
            one.sink.give_room()
        self.wait(QUIET_SECONDS)
        self.they_hear_what_they_may()
        assert not self.lost
        truth = {nick: here[-1].member() for nick, here in self.here.items()}
        for one in self.at:
            assert one.sink.has_room()
            if one.count is None:
                assert len(truth) <= MOST
                # How oneself is doing, one knows better than the server.
                assert one.members | {one.nick: truth[one.nick]} == truth
            else:
                self.crowds += 1
                assert one.count == len(truth) >= 0.75 * MOST

    def _expire(self) -> None:
        for nick, (due, _) in list(self.lost.items()):
            if due <= self.loop.time() + 1e-6:
                del self.lost[nick]
                self.departures[nick] += 1

    def end(self) -> None:
        self.everyone_believes_what_is_true()
        for one in self.connections:
            self.exit(one)
        self.wait(QUIET_SECONDS)
        assert not self.rooms


def next_happening(play: Play, dice: random.Random) -> Callable[[], None]:
    """Anything that may happen next; coming and going in waves, so that crowds come to be and cease."""
    one = dice.choice(play.connections)
    few = dice.sample(play.connections, dice.randint(1, len(play.connections)))

    def each(do: Callable[[Connection], None]) -> None:
        for other in few:
            do(other)

    seconds = dice.choice([0, 0, 0.013, 0.051, 0.3, 1.9, 2.1, 3.7])
    chances: list[tuple[int, Callable[[], None]]] = [
        (6, lambda: play.enter(one)),
        (2, lambda: each(play.enter)),
        (4, lambda: play.exit(one)),
        (3, lambda: play.exit(one, lost=True)),
        (2, lambda: each(play.exit)),
        (4, lambda: play.be_away(one, dice.choice([None, "", "lunch"]))),
        (2, lambda: play.types(one, dice.random() < 0.5)),
        (2, one.sink.take_room),
        (2, one.sink.give_room),
        (6, lambda: play.wait(seconds)),
        (1, play.everyone_believes_what_is_true),
    ]
    return dice.choices([do for _, do in chances], [weight for weight, _ in chances])[0]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_everyone_believes_what_is_true(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "_TOLD_AT_ONCE", 3)
    dice = random.Random(seed)
    crowds = 0
    with asyncio.Runner(loop_factory=HandLoop) as runner:
        for _ in range(PLAYS):
            play = Play(runner)
            for _ in range(STEPS):
                next_happening(play, dice)()
                play.they_hear_what_they_may()
            play.end()
            crowds += play.crowds
    assert crowds > PLAYS
