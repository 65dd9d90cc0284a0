"""What was said and is not stored yet."""

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec import Struct

from pushtui.protocol.messages import Edit, React, Redact, Send, SetMark, SetTopic

Keyed = Send | Edit | Redact | React | SetTopic | SetMark

#: How many may wait for a link: days of a person's talk, and no more than 32 MiB of the longest texts.
LIMIT = 2_000
#: How many that failed are held for another try; beyond that the oldest is given up. Each was told when it failed.
FAILED_LIMIT = 500


class Entry(Struct, frozen=True, omit_defaults=True):
    """Something said that is not stored.

    Attributes:
        said: what, with its key.
        at: when, in ms since the epoch.
        reason: why it failed; None for what is still to be sent.
    """

    said: Keyed
    at: int
    reason: str | None = None

    @property
    def key(self) -> str:
        """Its key."""
        return self.said.key


class Shelf(Protocol):
    """Where an outbox keeps its entries so that they outlive the program. None of this raises."""

    @property
    def entries(self) -> Iterable[Entry]:
        """All of them, oldest first."""

    @property
    def problem(self) -> str:
        """Why what is said now would not outlive the program; empty while it would."""

    def put(self, entry: Entry) -> None:
        """Keep it, as the newest; one with the same key before is replaced."""

    def remove(self, key: str) -> None:
        """Keep it no longer; one that is not kept is fine."""

    def close(self) -> None:
        """Let go of what is kept, so that another program can take it up."""


class NoShelf:
    """Keeps nothing: what waits ends with the program.

    Args:
        problem: why, if somebody wanted it kept.
    """

    def __init__(self, problem: str = "") -> None:
        self.entries: Iterable[Entry] = ()
        self.problem = problem

    def put(self, entry: Entry) -> None:
        """See `Shelf.put`."""

    def remove(self, key: str) -> None:
        """See `Shelf.remove`."""

    def close(self) -> None:
        """See `Shelf.close`."""


def now_ms() -> int:
    """The present, in ms since the epoch."""
    return time.time_ns() // 1_000_000


class Outbox:
    """What was said, in order, until the server has stored it.

    One at a time is on its way. A server that is busy may refuse one and take the next; were both on their way,
    the second would be stored before the first comes again. So what is said is stored in the order in which it was
    said, and what was cut off is said again, with its key, before anything that came later.

    What the server will not take leaves the row and stays aside, with the reason, until it is retried or taken
    back.

    Args:
        limit: how many may wait.
        failed_limit: how many that failed are held.
        clock_ms: the time in ms since the epoch.
    """

    def __init__(
        self, limit: int = LIMIT, failed_limit: int = FAILED_LIMIT, clock_ms: Callable[[], int] = now_ms
    ) -> None:
        self._limit = limit
        self._failed_limit = failed_limit
        self._clock_ms = clock_ms
        self._shelf: Shelf = NoShelf()
        self._waiting: dict[str, Entry] = {}
        self._failed: dict[str, Entry] = {}
        self._sent: str | None = None
        self._unsure: str | None = None
        self._not_before = 0.0

    def __len__(self) -> int:
        """How many wait to be stored; what failed does not."""
        return len(self._waiting)

    @property
    def unsure(self) -> bool:
        """Whether something was sent, and may be stored, but no answer came yet."""
        return self._unsure is not None

    @property
    def sent(self) -> str | None:
        """The key of what is on its way over this link."""
        return self._sent

    @property
    def problem(self) -> str:
        """Why what is said now would not outlive the program, if somebody wanted that."""
        return self._shelf.problem

    def is_waiting(self, key: str) -> bool:
        """Whether it is queued or on its way."""
        return key in self._waiting

    def keep_on(self, shelf: Shelf) -> list[Entry]:
        """From now on keep everything on this shelf, and nothing on the one before; returns what it held.

        What it held comes first. The first of that may have been sent by the program that put it there.
        """
        held = [entry for entry in shelf.entries if entry.key not in self._waiting | self._failed]
        own = [*self._waiting.values(), *self._failed.values()]
        waiting = {entry.key: entry for entry in held if entry.reason is None}
        self._unsure = self._unsure or next(iter(waiting), None)
        self._waiting = waiting | self._waiting
        self._failed = {entry.key: entry for entry in held if entry.reason is not None} | self._failed
        former, self._shelf = self._shelf, shelf
        # In this order a program that is killed in between leaves an entry on both shelves rather than on none.
        for entry in own:
            shelf.put(entry)
        for entry in own:
            former.remove(entry.key)
        former.close()
        return held

    def close(self) -> None:
        """The program ends; what is on the shelf stays there."""
        self._shelf.close()
        self._shelf = NoShelf()

    def add(self, said: Keyed) -> bool:
        """Put it at the end; False when too much is waiting."""
        if len(self._waiting) >= self._limit:
            return False
        self._waiting[said.key] = entry = Entry(said, self._clock_ms())
        self._shelf.put(entry)
        return True

    def next(self, now: float) -> Keyed | None:
        """What is to be sent now, None while that has to wait. It counts as sent."""
        if self._sent is not None or not self._waiting or now < self._not_before:
            return None
        said = next(iter(self._waiting.values())).said
        self._sent = said.key
        self._unsure = said.key
        return said

    def pause(self, now: float) -> float | None:
        """The seconds until `next` may have something, None when that takes an answer or something new."""
        if self._sent is not None or not self._waiting:
            return None
        return max(0.0, self._not_before - now)

    def link_lost(self) -> str | None:
        """What was on its way may or may not be stored: it is sent again on the next link. Returns its key."""
        key, self._sent = self._sent, None
        return key

    def stored(self, key: str) -> bool:
        """The server has stored it; False for a key that is not known."""
        self._answered(key)
        return self._drop(key) is not None

    def again(self, key: str, not_before: float) -> bool:
        """The server could not take it now; it stays first in the row. False for a key that is not waiting."""
        if key not in self._waiting:
            return False
        self._answered(key)
        self._not_before = not_before
        return True

    def failed(self, key: str, reason: str) -> Keyed | None:
        """The server will not take it: returns what it was, None for a key that is not waiting."""
        self._answered(key)
        entry = self._waiting.pop(key, None)
        if entry is None:
            return None
        self._set_aside(entry.said, entry.at, reason)
        return entry.said

    def add_failed(self, said: Keyed, reason: str) -> None:
        """Hold something that never could be sent."""
        self._set_aside(said, self._clock_ms(), reason)

    def retry(self, key: str) -> bool:
        """Put one that failed at the end of the row; False if it did not fail, or when the row is full."""
        entry = self._failed.get(key)
        if entry is None or not self.add(entry.said):
            return False
        del self._failed[key]
        return True

    def take_back(self, key: str) -> Keyed | None:
        """Give up one that failed or was never sent; returns what it was.

        None for a key that is not known, or for what was sent and may be stored.
        """
        if key in (self._sent, self._unsure):
            return None
        entry = self._drop(key)
        return None if entry is None else entry.said

    def _set_aside(self, said: Keyed, at: int, reason: str) -> None:
        entry = self._failed[said.key] = Entry(said, at, reason)
        self._shelf.put(entry)
        if len(self._failed) > self._failed_limit:
            oldest = next(iter(self._failed))
            del self._failed[oldest]
            self._shelf.remove(oldest)

    def _drop(self, key: str) -> Entry | None:
        entry = self._waiting.pop(key, None) or self._failed.pop(key, None)
        if entry is not None:
            self._shelf.remove(key)
        return entry

    def _answered(self, key: str) -> None:
        if key == self._sent:
            self._sent = None
        if key == self._unsure:
            self._unsure = None
