"""Positions in a log, and what becomes of a client that comes back with one."""

from enum import StrEnum
from typing import NamedTuple, Self

from msgspec import Struct

EPOCH_LENGTH = 8
_EPOCH_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_SEQ_DIGITS = 18  # fits the signed 64 bits of SQLite and MessagePack


class Position(NamedTuple):
    """An event's place in one life of a log, written ``<epoch>.<seq>``.

    ``seq`` only grows. It is an order, not an index; 0 stands before the first event.
    """

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``f3k9q2ab.1042``.

        Raises:
            ValueError: the text is not a position.
        """
        epoch, dot, seq = text.partition(".")
        if (
            len(epoch) != EPOCH_LENGTH
            or not _EPOCH_CHARACTERS.issuperset(epoch)
            or not dot
            or not (seq.isascii() and seq.isdigit() and len(seq) <= _SEQ_DIGITS)
        ):
            raise ValueError(f"{text[:40]!r} is not a position such as f3k9q2ab.1042")
        return cls(epoch, int(seq))


class Outcome(StrEnum):
    """What a server answers to a client that comes (back) to a stream. Exactly one, before any event."""

    FRESH = "fresh"
    CAUGHT_UP = "caught_up"
    GAP = "gap"
    RESET = "reset"


class Lost(Struct, frozen=True):
    """The events strictly between these two were trimmed before the client came back for them."""

    after: int
    before: int

    @property
    def count(self) -> int:
        """How many they were at most (an order is not an index)."""
        return self.before - self.after - 1


class Resumption(NamedTuple):
    """How a stream goes on for one listener.

    ``after`` is None when the newest events are due (``fresh`` and ``reset``): where they begin
    depends on how many the client asked for.
    """

    outcome: Outcome
    after: int | None
    lost: Lost | None


def resumption(position: Position | None, *, epoch: str, floor: int, head: int) -> Resumption:
    """Decide how a client that holds ``position`` goes on.

    Args:
        position: the last position the client has seen, None if it names none.
        epoch: the log's present life.
        floor: the lowest seq that can still be read; head + 1 when nothing is kept.
        head: the highest seq handed out, 0 for none.
    """
    if position is None:
        return Resumption(Outcome.FRESH, None, None)
    if position.epoch != epoch or position.seq > head:
        return Resumption(Outcome.RESET, None, None)
    if position.seq < floor - 1:
        return Resumption(Outcome.GAP, floor - 1, Lost(after=position.seq, before=floor))
    return Resumption(Outcome.CAUGHT_UP, position.seq, None)
