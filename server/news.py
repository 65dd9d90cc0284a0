"""What the people in a room are told about each other: gathered for a moment, encoded once, said in one write."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from pushtui.protocol.codec import CODECS
from pushtui.protocol.messages import ServerMessage
from server.log.wire import WEBSOCKETS

#: The kind of news, the room, and the nick; the nick is empty for what is about everyone there.
About = tuple[str, str, str]


class News(NamedTuple):
    """Whole frames of one encoding that are true now.

    Attributes:
        frames: by what they are about, in the order in which they hold.
        joined: the same bytes, for one write.
    """

    frames: dict[About, bytes]
    joined: bytes


class Listener(Protocol):
    """One connection that is told."""

    subprotocol: str

    def hear(self, news: News) -> None:
        """Take what is true now; while there is no room, newer news take the place of older about the same."""
        ...


class _Change(NamedTuple):
    number: int
    message: ServerMessage
    source: Listener | None


class Digest:
    """What has changed in one room since its people were last told. Of one thing only the last change counts."""

    def __init__(self) -> None:
        self._changes: dict[About, _Change] = {}
        self._newcomers: dict[Listener, int] = {}
        self._number = 0

    def __bool__(self) -> bool:
        return bool(self._changes)

    def add(self, about: About, message: ServerMessage, source: Listener | None = None) -> None:
        """Something changed; ``source`` knows it already."""
        self._number += 1
        # Taken out first: it gets its place by its last change, or it could end up before what it follows.
        self._changes.pop(about, None)
        self._changes[about] = _Change(self._number, message, source)

    def greet(self, listener: Listener) -> None:
        """Somebody is shown everything as it is now, and needs to be told only of what comes after."""
        if self._changes:
            self._newcomers[listener] = self._number

    def edition(self) -> "Edition":
        """All of it, to be told; the digest is empty then."""
        edition = Edition(self._changes, self._newcomers)
        self._changes, self._newcomers = {}, {}
        return edition


class Edition:
    """One time that a room is told its news: the same bytes for all, but for who is news or new there."""

    def __init__(self, changes: dict[About, _Change], newcomers: dict[Listener, int]) -> None:
        self._changes = changes
        self._newcomers = newcomers
        self._apart: set[Listener | None] = {change.source for change in changes.values()}
        self._apart |= newcomers.keys()
        self._news: dict[str, News] = {}

    def tell(self, listener: Listener) -> None:
        """Tell one of them what they do not know."""
        news = self._news.get(listener.subprotocol)
        if news is None:
            news = self._news[listener.subprotocol] = self._encoded(listener.subprotocol)
        if listener in self._apart:
            known = self._newcomers.get(listener, 0)
            news = _news(
                (about, news.frames[about])
                for about, change in self._changes.items()
                if change.number > known and change.source is not listener
            )
        if news.frames:
            listener.hear(news)

    def _encoded(self, subprotocol: str) -> News:
        encode, wrap = CODECS[subprotocol].encode, WEBSOCKETS[subprotocol].wrap
        return _news((about, wrap(encode(change.message))) for about, change in self._changes.items())


def _news(frames: Iterable[tuple[About, bytes]]) -> News:
    by_subject = dict(frames)
    return News(by_subject, b"".join(by_subject.values()))
