"""Who is in which room now, and what the others are told about it."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from pushtui.protocol.codec import CODECS
from pushtui.protocol.messages import Member, Presence, ServerMessage, Typing
from server.live import Live
from server.log.wire import WEBSOCKETS

TYPING_SECONDS = 6


class Occupant(Protocol):
    """One connection of somebody."""

    nick: str
    subprotocol: str

    def member(self) -> Member:
        """How it is doing."""
        ...

    def hear(self, about: tuple[str, str, str], frame: bytes) -> None:
        """Take a frame that is true now. A newer one about the same may take its place while there is no room."""
        ...


class Room:
    """The people in one room. Its events are the log's business.

    Who is lost without a word is still here for a grace: most come back at once, and nobody needs to see it.

    Args:
        name: the room's name.
        grace: seconds until the others hear that somebody is gone who was lost.
        emptied: called when nobody is here any more.
    """

    def __init__(self, name: str, grace: float, emptied: Callable[["Room"], None]) -> None:
        self.name = name
        self._grace = grace
        self._emptied = emptied
        self._occupants: set[Occupant] = set()
        self._lost: dict[str, tuple[Member, asyncio.TimerHandle]] = {}
        self._typing: Live[str, Typing] = Live(TYPING_SECONDS, time.monotonic)

    def members(self) -> list[Member]:
        """Everyone, by nick."""
        by_nick = {nick: member for nick, (member, _) in self._lost.items()}
        by_nick |= {occupant.nick: occupant.member() for occupant in self._occupants}
        return [by_nick[nick] for nick in sorted(by_nick, key=str.casefold)]

    def typing(self) -> Iterable[Typing]:
        """Who is typing, for somebody who comes in now."""
        return self._typing.snapshot().values()

    def enter(self, occupant: Occupant) -> None:
        """Somebody comes in; the others hear of it unless they see that nick already, doing just as well."""
        known = [other.member() for other in self._occupants if other.nick == occupant.nick]
        if occupant.nick in self._lost:
            member, timer = self._lost.pop(occupant.nick)
            timer.cancel()
            known.append(member)
        self._occupants.add(occupant)
        if occupant.member() not in known:
            self.tell_presence(occupant)

    def exit(self, occupant: Occupant, *, lost: bool = False) -> None:
        """Somebody goes, or is ``lost`` without a word. Idempotent.

        The others hear of it, after the grace if lost, unless another connection of that nick is here.
        """
        if occupant not in self._occupants:
            return
        self._occupants.discard(occupant)
        nick = occupant.nick
        if nick not in {other.nick for other in self._occupants}:
            if lost:
                timer = asyncio.get_running_loop().call_later(self._grace, self._gone, nick)
                self._lost[nick] = (occupant.member(), timer)
            else:
                self._gone(nick)

    def close(self) -> None:
        """Wait for nobody any more."""
        for _, timer in self._lost.values():
            timer.cancel()
        self._lost.clear()

    def tell_presence(self, occupant: Occupant) -> None:
        """Tell the others how somebody is doing."""
        member = occupant.member()
        self._tell(
            "presence", member.nick, Presence(self.name, member.nick, member.state, member.text), besides=occupant
        )

    def tell_typing(self, occupant: Occupant, on: bool) -> None:
        """Tell the others that somebody types, or no longer does."""
        typing = Typing(self.name, on, occupant.nick)
        if on:
            self._typing.set(occupant.nick, typing)
        else:
            self._typing.drop(occupant.nick)
        self._tell("typing", occupant.nick, typing, besides=occupant)

    def _gone(self, nick: str) -> None:
        self._lost.pop(nick, None)
        self._typing.drop(nick)
        self._tell("presence", nick, Presence(self.name, nick, "gone"))
        if not self._occupants and not self._lost:
            self._emptied(self)

    def _tell(self, what: str, nick: str, message: ServerMessage, besides: Occupant | None = None) -> None:
        frames: dict[str, bytes] = {}
        for occupant in self._occupants:
            if occupant is not besides:
                name = occupant.subprotocol
                if name not in frames:
                    frames[name] = WEBSOCKETS[name].wrap(CODECS[name].encode(message))
                occupant.hear((what, self.name, nick), frames[name])


class Rooms:
    """The rooms that somebody is in.

    Args:
        grace: seconds for who was lost to come back unnoticed.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._rooms: dict[str, Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def enter(self, name: str, occupant: Occupant) -> Room:
        """Bring somebody into a room."""
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(name, self._grace, self._forget)
        room.enter(occupant)
        return room

    def close(self) -> None:
        """Wait for nobody any more."""
        for room in self._rooms.values():
            room.close()

    def _forget(self, room: Room) -> None:
        del self._rooms[room.name]
