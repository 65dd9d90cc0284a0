"""What a client tells its user: typed events, and how the link is doing.

Both clients are asynchronous iterators of these. They come in the order in which they happened, and a
`Link` comes for every change of state, so a screen needs nothing else. Every text in them that came from a
server is clean (see `pushtui.protocol.text`): messages, edits and notices may have several lines, all else
has one.
"""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from pushtui.protocol.bodies import Alert, Mark, Notice, RoomBody
from pushtui.protocol.messages import (
    Ack,
    Bye,
    Crowd,
    Done,
    Error,
    Invited,
    Left,
    Members,
    Presence,
    Resume,
    Rules,
    Typing,
    Welcome,
)
from pushtui.protocol.positions import Lost, Outcome, Position
from pushtui.protocol.samples import Sample


class LinkState(StrEnum):
    """How a link is doing: ``refused`` and ``closed`` do not come back by themselves."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"
    REFUSED = "refused"
    CLOSED = "closed"


class Link(Struct, frozen=True):
    """The link changed its state.

    Attributes:
        state: the state from now on.
        reason: one sentence on why, empty while all is well.
        retry_in: seconds until the next try, when ``lost``.
        attempt: the number of the try that is meant (when ``lost``: of the next one), from 1, since the last
            session that proved itself.
        down_for: seconds without a link, when ``live`` again after having been ``lost``.
        code: the WebSocket close code or HTTP status behind it, if there was one.
    """

    state: LinkState
    reason: str = ""
    retry_in: float | None = None
    attempt: int = 1
    down_for: float | None = None
    code: int | None = None


class RoomEvent(Struct, frozen=True):
    """A durable event of a room. ``body`` is None for one that this version cannot read."""

    room: str
    seq: int
    at: int
    kind: str
    by: str
    body: RoomBody | None
    key: str | None = None
    replayed: bool = False


class Page(Struct, frozen=True):
    """Older events, oldest first: the answer to ``history``; ``more`` when still older ones are kept."""

    id: str
    room: str
    events: list[RoomEvent]
    more: bool


class StatusEvent(Struct, frozen=True):
    """An event of the status stream.

    ``position`` is None for one that is not durable; ``body`` is None for one that this version cannot read.
    """

    position: Position | None
    kind: str
    body: Sample | Notice | Mark | Alert | None
    replayed: bool = False


class StatusResume(Struct, frozen=True):
    """How the status stream goes on."""

    outcome: Outcome
    epoch: str
    after: int
    head: int
    lost: Lost | None = None


class CaughtUp(Struct, frozen=True):
    """The replay that a resume announced is over; ``replayed`` events came of it. ``room`` None: status."""

    room: str | None
    outcome: Outcome
    replayed: int
    lost: Lost | None = None


class Delivery(Struct, frozen=True):
    """What became of something said: ``queued``, on its way (``sent``), ``stored``, or ``failed``.

    From ``sent`` it goes back to ``queued`` when the link is lost or the server is busy, and from ``failed`` when
    it is retried.
    """

    key: str
    state: Literal["queued", "sent", "stored", "failed"]


class Pending(Struct, frozen=True):
    """Something said before, by an earlier run of this program, that is not stored yet.

    Those that are ``queued`` are sent by themselves, in this order; a ``failed`` one waits to be retried or taken
    back. What becomes of each is told as for things said now.

    Attributes:
        key: its key.
        room: the room it was said in.
        kind: the kind of event it is to be: ``message``, ``edit``, ``redact``, ``react``, ``topic`` or ``mark``.
        text: its text, empty for a kind that has none.
        state: as in `Delivery`.
        at: when it was said, in ms since the epoch.
        reason: why it failed.
    """

    key: str
    room: str
    kind: str
    text: str
    state: Literal["queued", "failed"]
    at: int
    reason: str = ""


class Undeliverable(Struct, frozen=True):
    """Something said was not stored; ``text`` is what it was. It stays until it is retried or taken back."""

    key: str
    room: str
    text: str
    reason: str


ChatHappening = (
    Link
    | Welcome
    | Resume
    | CaughtUp
    | RoomEvent
    | Ack
    | Presence
    | Typing
    | Crowd
    | Members
    | Page
    | Rules
    | Done
    | Invited
    | Left
    | Error
    | Delivery
    | Pending
    | Undeliverable
    | Bye
)
StatusHappening = Link | StatusResume | CaughtUp | StatusEvent
