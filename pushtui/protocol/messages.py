"""The frames of the WebSocket conversation, both ways: one struct for each ``type``."""

from typing import Any, Literal

from msgspec import Struct, field

from pushtui.protocol.limits import Limits
from pushtui.protocol.positions import Lost, Outcome

JSON = "pushtui.v1.json"
MSGPACK = "pushtui.v1.msgpack"
SUBPROTOCOLS = (JSON, MSGPACK)

PresenceState = Literal["here", "away", "gone"]
Action = Literal[
    "remove", "mute", "unmute", "ban", "unban", "read_only", "private", "admit", "expel", "list",
]  # fmt: skip


class _Frame(Struct, frozen=True, omit_defaults=True, tag_field="type", tag=str.lower):
    """A frame; its ``type`` is the struct's name in lower case."""


# Client to server


class Hello(_Frame, frozen=True):
    """The first frame. ``rooms`` maps each room to the last position seen there, or to None."""

    nick: str
    session: str
    rooms: dict[str, str | None]
    replay: int | None = None
    token: str | None = None


class Send(_Frame, frozen=True):
    """Say something. ``key`` is unique per author: sent again, it is stored once."""

    key: str
    room: str
    text: str
    reply_to: int | None = None


class Edit(_Frame, frozen=True):
    """Put an own message in other words."""

    key: str
    room: str
    target: int
    text: str


class Redact(_Frame, frozen=True):
    """Take an own message back."""

    key: str
    room: str
    target: int


class React(_Frame, frozen=True):
    """Set or take back a reaction."""

    key: str
    room: str
    target: int
    emoji: str
    on: bool


class SetTopic(_Frame, frozen=True, tag="topic"):
    """Set the room's topic."""

    key: str
    room: str
    text: str


class SetMark(_Frame, frozen=True, tag="mark"):
    """Put a mark on the timeline of the room and of the status stream."""

    key: str
    room: str
    text: str


class Join(_Frame, frozen=True):
    """One more room on this connection."""

    room: str
    after: str | None = None


class Leave(_Frame, frozen=True):
    """One room less on this connection."""

    room: str


class Typing(_Frame, frozen=True):
    """Somebody begins or stops to type. From the server with ``nick``; it ends by itself after 6 s."""

    room: str
    on: bool
    nick: str | None = None


class Away(_Frame, frozen=True):
    """Away, or back."""

    on: bool
    text: str | None = None


class History(_Frame, frozen=True):
    """Asks for at most ``limit`` events older than ``before``."""

    id: str
    room: str
    before: int
    limit: int


class Moderate(_Frame, frozen=True):
    """An act of moderation, answered by `Done` or an `Error` with its ``key``.

    Attributes:
        action: what to do.
        nick: whom it is about.
        room: where; a mute without it holds everywhere.
        address: an IP address to ban, or to unban.
        seconds: how long it holds, None for no end.
        reason: why, for whoever it is about.
        on: for ``read_only`` and ``private``: from now on, or no longer.
    """

    key: str
    action: Action
    nick: str | None = None
    room: str | None = None
    address: str | None = None
    seconds: int | None = None
    reason: str | None = None
    on: bool = True


class Direct(_Frame, frozen=True):
    """Asks for the room of two that one has with somebody; `Done` names it."""

    key: str
    nick: str


ClientMessage = (
    Hello
    | Send
    | Edit
    | Redact
    | React
    | SetTopic
    | SetMark
    | Join
    | Leave
    | Typing
    | Away
    | History
    | Moderate
    | Direct
)

# Server to client


class You(Struct, frozen=True):
    """Who the server takes this connection for."""

    nick: str
    role: str


class Member(Struct, frozen=True, omit_defaults=True):
    """Somebody who is in a room now."""

    nick: str
    state: PresenceState
    text: str | None = None


class RoomState(Struct, frozen=True, omit_defaults=True):
    """One room as it is now.

    Attributes:
        floor: the lowest seq that can be read.
        head: the highest seq handed out.
        read_only: only moderators write there.
        private: only who was admitted is there.
        direct: whom one shares a room of two with.
        count: how many are there, if that are more than ``members`` names.
    """

    room: str
    epoch: str
    head: int
    floor: int
    topic: str
    members: list[Member]
    read_only: bool = False
    private: bool = False
    direct: str | None = None
    count: int | None = None


class Welcome(_Frame, frozen=True):
    """The answer to ``hello``."""

    server: str
    version: str
    you: You
    limits: Limits
    rooms: list[RoomState]


class Resume(_Frame, frozen=True):
    """How one room goes on: the outcome, then its replay. All from ``topic`` on comes after a ``join`` only."""

    room: str
    outcome: Outcome
    epoch: str
    after: int
    head: int
    lost: Lost | None = None
    topic: str | None = None
    members: list[Member] | None = None
    read_only: bool = False
    private: bool = False
    direct: str | None = None
    count: int | None = None


class Rules(_Frame, frozen=True):
    """What holds in a room has changed to this."""

    room: str
    read_only: bool = False
    private: bool = False


class Event(_Frame, frozen=True):
    """A durable event. ``body`` is what `pushtui.protocol.bodies` has for its ``kind``."""

    room: str
    seq: int
    at: int
    kind: str
    by: str
    body: Any
    key: str | None = None


class Ack(_Frame, frozen=True):
    """This key was stored before, at ``seq``. Otherwise the sender's own event is the ack."""

    key: str
    room: str
    seq: int
    duplicate: bool


class Presence(_Frame, frozen=True):
    """Somebody came, went, or is away. Not stored."""

    room: str
    nick: str
    state: PresenceState
    text: str | None = None


class Crowd(_Frame, frozen=True):
    """There are too many in a room to tell of each: only how many. It holds until `Members`. Not stored."""

    room: str
    count: int


class Members(_Frame, frozen=True):
    """Everyone in a room that was a crowd; from here on each is told of again. Not stored."""

    room: str
    members: list[Member]


class Page(_Frame, frozen=True, tag="history"):
    """The answer to `History`, oldest first; ``more`` when still older events are kept."""

    id: str
    room: str
    events: list[Event]
    more: bool


class Done(_Frame, frozen=True):
    """What `Moderate` or `Direct` asked for is done; ``message`` says what, in one or more lines."""

    key: str
    message: str
    room: str | None = None


class Invited(_Frame, frozen=True):
    """One may come into a private room now. ``by`` is absent when that was while one was not here.

    Attributes:
        direct: it is a room of two.
        other: who else is in a room of two; ``with`` on the wire.
    """

    room: str
    by: str | None = None
    direct: bool = False
    other: str | None = field(default=None, name="with")


class Left(_Frame, frozen=True):
    """One is not in the room, or no longer, and cannot be; the connection stays up."""

    room: str
    reason: str


class Error(_Frame, frozen=True):
    """Something was refused; the connection stays up."""

    code: str
    message: str
    key: str | None = None
    retry_after_ms: int | None = None


class Bye(_Frame, frozen=True):
    """The last frame before the server closes; ``code`` is the close code."""

    code: int
    reason: str
    retry_ms: int | None = None


ServerMessage = (
    Welcome
    | Resume
    | Rules
    | Event
    | Ack
    | Presence
    | Typing
    | Crowd
    | Members
    | Page
    | Done
    | Invited
    | Left
    | Error
    | Bye
)
