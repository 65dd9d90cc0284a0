"""Who is in which room now, and what the others are told about it."""

import time
from collections.abc import Iterable
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
    """The people in one room. Its events are the log's business."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._occupants: set[Occupant] = set()
        self._typing: Live[str, Typing] = Live(TYPING_SECONDS, time.monotonic)

    def __bool__(self) -> bool:
        return bool(self._occupants)

    def members(self) -> list[Member]:
        """Everyone, by nick."""
        by_nick = {occupant.nick: occupant.member() for occupant in self._occupants}
        return [by_nick[nick] for nick in sorted(by_nick, key=str.casefold)]

    def typing(self) -> Iterable[Typing]:
        """Who is typing, for somebody who comes in now."""
        return self._typing.snapshot().values()

    def enter(self, occupant: Occupant) -> None:
        """Somebody comes in; the others hear of it unless they see that nick already, doing just as well."""
        known = [other.member() for other in self._occupants if other.nick == occupant.nick]
        self._occupants.add(occupant)
        if occupant.member() not in known:
            self.tell_presence(occupant)

    def exit(self, occupant: Occupant) -> None:
        """Somebody goes; the others hear of it unless another connection of that nick is here. Idempotent."""
        if occupant not in self._occupants:
            return
        self._occupants.discard(occupant)
        if occupant.nick not in {other.nick for other in self._occupants}:
            self._typing.drop(occupant.nick)
            self._tell("presence", occupant.nick, Presence(self.name, occupant.nick, "gone"), besides=occupant)

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

    def _tell(self, what: str, nick: str, message: ServerMessage, besides: Occupant) -> None:
        frames: dict[str, bytes] = {}
        for occupant in self._occupants:
            if occupant is not besides:
                name = occupant.subprotocol
                if name not in frames:
                    frames[name] = WEBSOCKETS[name].wrap(CODECS[name].encode(message))
                occupant.hear((what, self.name, nick), frames[name])


class Rooms:
    """The rooms that somebody is in."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def enter(self, name: str, occupant: Occupant) -> Room:
        """Bring somebody into a room."""
        room = self._rooms.setdefault(name, Room(name))
        room.enter(occupant)
        return room

    def exit(self, room: Room, occupant: Occupant) -> None:
        """Take somebody out of a room. Idempotent."""
        room.exit(occupant)
        if not room and self._rooms.get(room.name) is room:
            del self._rooms[room.name]
