"""What the server is asked for besides saying things: acts of moderation, rooms of two; and invitations."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from pushtui.protocol.messages import Done, Error, Invited

if TYPE_CHECKING:
    from tui.acts import Act
    from tui.clients import Chat

#: Rooms of two from before that are opened on coming in. /dm opens any other.
_OPENED = 8
#: Private rooms that one sentence names.
_NAMED = 4


class Note(NamedTuple):
    """One sentence to read above the composer; ``grave`` when the server refused something."""

    text: str
    grave: bool


class Request(NamedTuple):
    """Something asked for and not answered yet.

    Attributes:
        title: the command; empty if the answer is not for reading.
        undo: the line that takes it back, empty if none does.
        nick: whom one wants to talk with alone, empty for an act of moderation.
        text: what is to be said to them.
    """

    title: str
    undo: str = ""
    nick: str = ""
    text: str = ""

    @property
    def line(self) -> str:
        """What is to come back to the composer if it is refused: words are never lost."""
        return _line(self.nick, self.text)


class Enter(NamedTuple):
    """A room of two is there: go to it, and say the text if there is one."""

    room: str
    nick: str
    text: str

    @property
    def line(self) -> str:
        """As `Request.line`."""
        return _line(self.nick, self.text)


class Listing(NamedTuple):
    """An answer of several lines."""

    title: str
    text: str


class GivenBack(NamedTuple):
    """A line that could not be done."""

    line: str


class Invitation(NamedTuple):
    """What follows from being let into a room.

    Attributes:
        opens: whether it is opened at once, where it disturbs nobody: a room of two that the other one opened just
            now, or one of the first from before.
        note: what there is to read about it.
    """

    opens: bool
    note: Note | None


Answer = Enter | Listing | GivenBack


class Requests:
    """Keeps what was asked for until it is answered, and turns answers into what is to be shown.

    Attributes:
        answers: what there is to do about answers; whoever shows the room takes them out.
        invited: the rooms that one may come into, by name, and whom one shares them with if it is a room of two.
    """

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.invited: dict[str, str] = {}
        self._asked: dict[str, Request] = {}
        self._left: set[str] = set()
        self._opened = 0

    def moderate(self, client: Chat, command: str, act: Act, room: str) -> None:
        """Ask for an act of moderation; ``room`` is the one that is shown."""
        key = client.moderate(
            act.action,
            nick=act.nick,
            room=room if act.here else None,
            address=act.address,
            seconds=act.seconds,
            reason=act.reason,
            on=act.on,
        )
        self._asked[key] = Request(command, act.undo)

    def direct(self, client: Chat, nick: str, text: str) -> None:
        """Ask for the room of two with somebody, to say the text there."""
        self._asked[client.direct(nick)] = Request("dm", nick=nick, text=text)

    def call(self, client: Chat, nick: str) -> None:
        """Have somebody called into the room of two that one is in; there is nothing to read about it."""
        self._asked[client.direct(nick)] = Request("")

    def done(self, done: Done) -> Note | None:
        """What was asked for is done; returns what there is to read about it."""
        request = self._asked.pop(done.key, None)
        if request is None:
            return None
        if not request.title:
            return None
        if request.nick and done.room is not None:
            self.answers.append(Enter(done.room, request.nick, request.text))
            return None
        if "\n" in done.message:
            self.answers.append(Listing(request.title, done.message))
            return None
        return Note(f"{done.message} · {request.undo} undoes it" if request.undo else done.message, grave=False)

    def refused(self, error: Error) -> Request | None:
        """Something was refused; returns what was asked for, None when it was none of these."""
        request = self._asked.pop(error.key or "", None)
        if request is not None and request.line:
            self.answers.append(GivenBack(request.line))
        return request

    def left(self, room: str) -> None:
        """A room was left on purpose: that one may come in is no reason to open it again."""
        self._left.add(room)

    def entered(self, room: str) -> None:
        """One is in a room."""
        self.invited.pop(room, None)
        self._left.discard(room)

    def invitation(self, invited: Invited) -> Invitation:
        """One may come into a room: what follows from it. On each new link that is told again, and is no news."""
        news = invited.room not in self.invited
        self.invited[invited.room] = invited.other or ""
        if not invited.direct or not invited.other:
            return Invitation(False, self._admitted(invited) if news or invited.by is not None else None)
        if invited.by is not None:
            words = f"{invited.by} opened a room for you two: /dm {invited.other} goes there"
            return Invitation(True, Note(words, grave=False))
        opens = news and invited.room not in self._left and self._opened < _OPENED
        self._opened += opens
        return Invitation(opens, None)

    def _admitted(self, invited: Invited) -> Note:
        if invited.by is not None:
            return Note(f"{invited.by} lets you into {invited.room}: /join {invited.room}", grave=False)
        rooms = [room for room, other in self.invited.items() if not other]
        more = f" and {len(rooms) - _NAMED} more" if len(rooms) > _NAMED else ""
        return Note(f"you may come into {', '.join(rooms[:_NAMED])}{more}: /join {rooms[0]}", grave=False)


def _line(nick: str, text: str) -> str:
    return f"/dm {nick} {text}" if text else ""
