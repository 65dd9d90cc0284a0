"""Who is in which room now, and what the others are told about it."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import islice
from typing import NamedTuple, Protocol

from pushtui.protocol.messages import Crowd, Member, Members, Presence, Typing
from server.live import Live
from server.news import Digest, Listener
from server.timing import Timing

TYPING_SECONDS = 6
#: Below this share of the most that are named, a crowd is one no longer: not at each coming and going.
_FEW_AGAIN = 0.75
#: So many are told in one turn of the loop.
_TOLD_AT_ONCE = 256


class Occupant(Listener, Protocol):
    """One connection of somebody."""

    nick: str

    def member(self) -> Member:
        """How it is doing."""
        ...


class Snapshot(NamedTuple):
    """Who is in a room, for somebody who is there.

    Attributes:
        members: by nick. In a crowd some of them only, and who asks.
        people: how many there are, if those are not all.
    """

    members: list[Member]
    people: int | None


class Room:
    """The people in one room. Its events are the log's business.

    Who is lost without a word is still here for a grace: most come back at once, and nobody needs to see it.

    Changes are told together, after a lull in which more may have come. When there are too many people to tell
    everyone about everyone, the room is a crowd: then now and then all are told how many they are, and no more.

    Args:
        name: the room's name.
        timing: the grace, and the pauses between two tellings.
        most: how many people are told of by name.
        emptied: called when nobody is here any more.
    """

    def __init__(self, name: str, timing: Timing, most: int, emptied: Callable[["Room"], None]) -> None:
        self.name = name
        self._timing = timing
        self._most = most
        self._emptied = emptied
        self._loop = asyncio.get_running_loop()
        self._here: dict[str, list[Occupant]] = {}
        self._members: dict[str, Member] = {}
        self._listed: dict[str, Member] = {}
        self._lost: dict[str, asyncio.TimerHandle] = {}
        self._typing: Live[str, Typing] = Live(TYPING_SECONDS, self._loop.time)
        self._crowd = False
        self._count = 0
        self._digest = Digest()
        self._edition = self._digest.edition()
        self._untold: dict[Occupant, None] = {}
        self._next: asyncio.Handle | None = None

    def members(self) -> list[Member]:
        """Everyone, by nick."""
        return _by_nick(self._members.values())

    def snapshot(self, occupant: Occupant) -> Snapshot:
        """Who is here, for one of them; what they are told from now on comes on top of it."""
        if not self._listed:
            named = islice(self._members.values(), self._most if self._crowd else None)
            self._listed = {member.nick: member for member in _by_nick(named)}
        members = list(self._listed.values())
        if not self._crowd:
            return Snapshot(members, None)
        if occupant.nick not in self._listed:
            members.append(self._members[occupant.nick])
        return Snapshot(members, len(self._members))

    def typing(self, besides: str) -> list[Typing]:
        """Who is typing, for somebody who comes in now under that nick."""
        return [typing for nick, typing in self._typing.snapshot().items() if nick != besides]

    def enter(self, occupant: Occupant) -> None:
        """Somebody comes in; the others hear of it unless they see that nick already, doing just as well."""
        nick = occupant.nick
        if nick in self._lost:
            self._lost.pop(nick).cancel()
        here = self._here.setdefault(nick, [])
        if occupant not in here:
            here.append(occupant)
        self._look_at(nick, occupant)
        self._untold.pop(occupant, None)
        self._digest.greet(occupant)

    def exit(self, occupant: Occupant, *, lost: bool = False) -> None:
        """Somebody goes, or is ``lost`` without a word. Idempotent.

        The others hear of it, after the grace if lost, unless another connection of that nick is here.
        """
        nick = occupant.nick
        here = self._here.get(nick, [])
        if occupant not in here:
            return
        here.remove(occupant)
        self._untold.pop(occupant, None)
        if here:
            self._look_at(nick, None)
            return
        del self._here[nick]
        if lost:
            self._lost[nick] = self._loop.call_later(self._timing.grace, self._gone, nick)
        else:
            self._gone(nick)

    def close(self) -> None:
        """Wait for nobody any more, and tell nothing."""
        for timer in self._lost.values():
            timer.cancel()
        self._lost.clear()
        if self._next is not None:
            self._next.cancel()

    def tell_presence(self, occupant: Occupant) -> None:
        """Tell the others how somebody is doing; of several connections, the last one that said so counts."""
        here = self._here[occupant.nick]
        here.remove(occupant)
        here.append(occupant)
        self._look_at(occupant.nick, occupant)

    def tell_typing(self, occupant: Occupant, on: bool) -> None:
        """Tell the others that somebody types, or no longer does."""
        if self._crowd:
            return
        typing = Typing(self.name, on, occupant.nick)
        if on:
            self._typing.set(occupant.nick, typing)
        else:
            self._typing.drop(occupant.nick)
        self._digest.add(("typing", self.name, occupant.nick), typing, occupant)
        self._stir()

    def _look_at(self, nick: str, source: Occupant | None) -> None:
        """See how somebody is doing who is here."""
        member = self._here[nick][-1].member()
        known = self._members.get(nick)
        if member == known:
            return
        self._members[nick] = member
        if known is not None or len(self._listed) < self._most:
            # Else they are enough: in a crowd those are named who came first.
            self._listed = {}
        self._changed(Presence(self.name, nick, member.state, member.text), source)

    def _gone(self, nick: str) -> None:
        self._lost.pop(nick, None)
        self._typing.drop(nick)
        del self._members[nick]
        self._listed = {}
        if self._members:
            self._changed(Presence(self.name, nick, "gone"), None)
        else:
            self.close()
            self._emptied(self)

    def _changed(self, presence: Presence, source: Occupant | None) -> None:
        count = len(self._members)
        if count > self._most and not self._crowd:
            self._crowd = True
            self._listed = {}
            self._typing.clear()
            self._digest = Digest()
        elif count < _FEW_AGAIN * self._most and self._crowd:
            self._crowd = False
            self._listed = {}
            self._digest = Digest()
            self._digest.add(("members", self.name, ""), Members(self.name, self.members()))
        elif not self._crowd:
            self._digest.add(("presence", self.name, presence.nick), presence, source)
        if self._crowd and count != self._count:
            self._digest.add(("crowd", self.name, ""), Crowd(self.name, count))
        self._count = count
        self._stir()

    def _stir(self) -> None:
        if self._digest and self._next is None:
            # Not at once: who comes in is told of the room itself first.
            self._next = self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        if not self._untold:
            self._edition = self._digest.edition()
            self._untold = {occupant: None for here in self._here.values() for occupant in here}
        for _ in range(min(_TOLD_AT_ONCE, len(self._untold))):
            self._edition.tell(self._untold.popitem()[0])
        if self._untold:
            self._next = self._loop.call_soon(self._tell)
        else:
            pause = self._timing.recount if self._crowd else self._timing.lull
            self._next = self._loop.call_later(pause, self._rested)

    def _rested(self) -> None:
        self._next = None
        self._stir()


class Rooms:
    """The rooms that somebody is in.

    Args:
        timing: see `Room`.
        most: how many people of one room are told of by name.
    """

    def __init__(self, timing: Timing, most: int) -> None:
        self._timing = timing
        self._most = most
        self._rooms: dict[str, Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def enter(self, name: str, occupant: Occupant) -> Room:
        """Bring somebody into a room."""
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(name, self._timing, self._most, self._forget)
        room.enter(occupant)
        return room

    def close(self) -> None:
        """Wait for nobody any more."""
        for room in self._rooms.values():
            room.close()

    def _forget(self, room: Room) -> None:
        del self._rooms[room.name]


def _by_nick(members: Iterable[Member]) -> list[Member]:
    return sorted(members, key=lambda member: member.nick.casefold())
