"""What is too old, too much or too big leaves the log, a little at a time."""

import sqlite3
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping

from server.log.feed import Feed
from server.log.retention import Keep
from server.log.transaction import Row

#: How often it is looked at which streams have grown too old or too big, in seconds.
LOOK_SECONDS = 10.0
#: How many rows make a step, and how many have to be due before there is one.
SWEEP_ROWS = 64
_MOST_ROWS = 512
#: How long the sweeper rests after a step, in steps: a fifth of the writer's time is for it.
_REST = 4
_LOOK_STREAMS = 32

_ENTRY = "SELECT at, start FROM entries WHERE stream = ? AND seq >= ? ORDER BY seq LIMIT 1"
_REMOVE = "DELETE FROM entries WHERE stream = ? AND seq >= ? AND seq < ?"


class Sweeper:
    """Finds the floors that have to rise, and removes the rows below those that rose. The writer thread's own.

    Both in small steps, between two batches, so that whoever appends waits for one step at most. A floor rises
    at once, however far; its rows go later, and only below floors that the loop knows already: whoever reads, and
    finds entries missing, finds the floor moved as well. Between two steps there is a rest; only what is stored
    meanwhile is made up for at once, so that a stream which is always at its limit does not grow.

    Where a floor has to be is searched by halving: some twenty rows are looked at, not all of them. Should the
    clock have been turned back meanwhile, an entry may go or stay as much too early or late.

    Args:
        connection: the writer's.
        rows: the streams, as they are committed.
        feed: knows the floors that the loop knows.
        keep: what each stream keeps.
        clock_ms: the time in ms since the epoch.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        rows: Mapping[str, Row],
        feed: Feed,
        *,
        keep: Keep,
        clock_ms: Callable[[], int],
    ) -> None:
        self._execute = connection.execute
        self._rows = rows
        self._feed = feed
        self._keep = keep
        self._clock_ms = clock_ms
        self._overdue: set[str] = set()
        self._unseen: deque[str] = deque()
        self._oldest: dict[str, tuple[int, int, int]] = {}
        self._next_look = self._next_step = time.monotonic()
        self._stored = 0
        self.take_over(rows)

    def take_over(self, rows: Mapping[str, Row], stored: int = 0) -> None:
        """These streams have changed, and so many entries were stored in them."""
        self._stored += stored
        for name, row in rows.items():
            if row.floor - row.lowest >= SWEEP_ROWS:
                self._overdue.add(name)

    @property
    def overdue(self) -> bool:
        """Whether there is much to remove that nobody can be reading any more; any thread may look."""
        return bool(self._overdue)

    def idle_seconds(self) -> float:
        """For how long there is nothing to do; 0 when there is."""
        if self._unseen:
            return 0
        due = any(self._due(name) >= SWEEP_ROWS for name in self._overdue)
        return max(0.0, (min(self._next_step, self._next_look) if due else self._next_look) - time.monotonic())

    def lapsed(self) -> dict[str, int]:
        """Look at some streams, if it is time to; returns the floors that have to rise, and to where.

        Raises:
            sqlite3.Error: the log cannot be read.
        """
        if not self._unseen and time.monotonic() >= self._next_look:
            self._unseen.extend(self._rows)
            self._next_look = time.monotonic() + LOOK_SECONDS
        floors: dict[str, int] = {}
        for _ in range(min(_LOOK_STREAMS, len(self._unseen))):
            name = self._unseen.popleft()
            row = self._rows[name]
            if (floor := self._floor(name, row)) > row.floor:
                floors[name] = floor
        return floors

    def sweep(self) -> None:
        """Remove some rows of one stream, if it is time to, in a transaction of its own.

        Raises:
            sqlite3.Error: the log cannot be written.
        """
        if not self._overdue:
            self._stored = 0
            return
        began = time.monotonic()
        if began < self._next_step and self._stored < SWEEP_ROWS:
            return
        name = next((name for name in self._overdue if self._due(name) >= SWEEP_ROWS), None)
        most, self._stored = max(SWEEP_ROWS, min(self._stored, _MOST_ROWS)), 0
        if name is None:
            return
        row = self._rows[name]
        below = row.lowest + min(most, self._due(name))
        self._execute(_REMOVE, (row.id, row.lowest, below))
        row.lowest = below
        if row.floor - row.lowest < SWEEP_ROWS:
            self._overdue.discard(name)
        now = time.monotonic()
        self._next_step = now + _REST * (now - began)

    def _due(self, name: str) -> int:
        state = self._feed.state(name)
        return 0 if state is None else state.floor - self._rows[name].lowest

    def _floor(self, name: str, row: Row) -> int:
        kept = self._keep(name)
        if row.floor > row.head or (kept.age_ms is None and kept.bytes is None):
            return row.floor
        floor, at, start = self._oldest.get(name, (0, 0, 0))
        if floor != row.floor:
            at, start = self._entry(row, row.floor)
            self._oldest[name] = row.floor, at, start
        floor = row.floor
        if kept.bytes is not None and start < (least := row.bytes - kept.bytes):
            floor = self._first(row, floor, lambda _, start: start >= least)
        if kept.age_ms is not None and at < (oldest := self._clock_ms() - kept.age_ms):
            floor = self._first(row, floor, lambda at, _: at >= oldest)
        return floor

    def _first(self, row: Row, low: int, fits: Callable[[int, int], bool]) -> int:
        """The first entry that fits, from seq ``low`` on; head + 1 if none does."""
        high = row.head + 1
        while low < high:
            middle = (low + high) // 2
            if fits(*self._entry(row, middle)):
                high = middle
            else:
                low = middle + 1
        return low

    def _entry(self, row: Row, seq: int) -> tuple[int, int]:
        found = self._execute(_ENTRY, (row.id, seq)).fetchone()
        at, start = found or (sys.maxsize, sys.maxsize)
        return at, start
