"""What stands in a room's timeline: messages, and the dim lines that nobody wrote."""

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from pushtui.protocol.bodies import Level

#: A message that begins so says what its author does.
EMOTE = "/me "


class Kind(StrEnum):
    """What an item is, which decides its sign and how loud it is."""

    MESSAGE = "message"
    EMOTE = "emote"
    MARK = "mark"
    TOPIC = "topic"
    NOTICE = "notice"
    PRESENCE = "presence"
    OUTCOME = "outcome"


class State(StrEnum):
    """What became of an own message; the words are those of `pushtui.client.happenings.Delivery`."""

    QUEUED = "queued"
    SENT = "sent"
    STORED = "stored"
    FAILED = "failed"


class Place(NamedTuple):
    """Where an item stands. What is not in the log stands after the event that was the newest when it came.

    Attributes:
        seq: of the event, or of the newest one before.
        after: 0 for the event itself, else 1, 2, 3 … for what came after it.
    """

    seq: int
    after: int = 0


class Reply(NamedTuple):
    """The message that an item answers. Its words are not repeated: they may be taken back."""

    by: str
    at: int


class Item(Struct, frozen=True, eq=False):
    """One entry. It is replaced by another, never changed, so what was computed for it holds as long as it lives.

    Attributes:
        place: where it stands.
        at: ms since the Unix epoch; of the server for events, else of this machine.
        kind: what it is.
        text: what was said, made safe by the client (an emote: without ``/me``).
        by: who said it, empty for what nobody said.
        own: whether that was me.
        key: of an own message.
        state: what became of an own message.
        reason: why it failed, one sentence.
        edited: whether other words were found since.
        removed: whether it was taken back; its text is empty then.
        removed_by: the moderator who did, empty when it was its author.
        reactions: each emoji and how many set it, in the order in which they first came.
        reply: the message it answers; with an empty ``by`` when that one is not held.
        level: of a notice.
        sign: stands where an author would, for what nobody said.
    """

    place: Place
    at: int
    kind: Kind
    text: str
    by: str = ""
    own: bool = False
    key: str | None = None
    state: State | None = None
    reason: str = ""
    edited: bool = False
    removed: bool = False
    removed_by: str = ""
    reactions: tuple[tuple[str, int], ...] = ()
    reply: Reply | None = None
    level: Level | None = None
    sign: str = ""

    @property
    def said(self) -> bool:
        """Whether a person said it, so that it counts as unread."""
        return self.kind is Kind.MESSAGE or self.kind is Kind.EMOTE

    @property
    def written(self) -> str:
        """The words as their author wrote them."""
        return EMOTE + self.text if self.kind is Kind.EMOTE else self.text
