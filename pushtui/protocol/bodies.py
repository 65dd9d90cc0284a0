"""What an event says: one struct for each kind.

Positions, times and authors are the event's, not the body's. On the status stream, where only the body
travels, the server adds the time as ``at``, in ms since the epoch.
"""

from typing import Literal

from msgspec import Struct

Level = Literal["info", "success", "warning", "critical"]
AlertState = Literal["firing", "acked", "resolved", "unknown"]


class Message(Struct, frozen=True, omit_defaults=True):
    """Somebody said something."""

    text: str
    reply_to: int | None = None


class Edit(Struct, frozen=True):
    """The author put the message at ``target`` in other words."""

    target: int
    text: str


class Redact(Struct, frozen=True):
    """The message at ``target`` was taken back; its text is gone from the log too."""

    target: int


class React(Struct, frozen=True):
    """A reaction to ``target`` was set (``on``) or taken back."""

    target: int
    emoji: str
    on: bool


class Topic(Struct, frozen=True):
    """The room's topic from here on."""

    text: str


class Mark(Struct, frozen=True, omit_defaults=True):
    """A mark on the timeline. On the status stream it says whose it is and from which room."""

    text: str
    room: str | None = None
    by: str | None = None
    at: int | None = None


class Notice(Struct, frozen=True, omit_defaults=True):
    """A push notification."""

    text: str
    level: Level
    by: str
    title: str | None = None
    at: int | None = None


class Alert(Struct, frozen=True, omit_defaults=True):
    """A threshold of a host was crossed, or is no longer. ``since`` and ``until`` in ms since the epoch."""

    id: str
    host: str
    metric: str
    state: AlertState
    value: float
    threshold: float
    since: int
    by: str | None = None
    until: int | None = None
    at: int | None = None


RoomBody = Message | Edit | Redact | React | Topic | Mark | Alert | Notice

#: The kinds of events in a room's log, and what each one's body is.
ROOM_KINDS: dict[str, type[RoomBody]] = {
    "message": Message,
    "edit": Edit,
    "redact": Redact,
    "react": React,
    "topic": Topic,
    "mark": Mark,
    "alert": Alert,
    "notice": Notice,
}
