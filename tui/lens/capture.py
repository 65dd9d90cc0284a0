"""What was captured, and what of it is shown: bounded, filtered, perhaps standing still. Pure."""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence

import msgspec

from pushtui.wire.lines import Reading
from pushtui.wire.records import Record
from tui.lens.entry import Entry
from tui.lens.filter import Filter

MOST_RECORDS = 10_000
MOST_BYTES = 8 << 20
#: So many entries that are gone may still be shown before the list is cut: each cut moves all the rest.
_SLACK = 256


class Capture:
    """Takes records as they pass; the oldest give way.

    Args:
        most_records: how many are remembered.
        most_bytes: how much they take together, roughly.

    Attributes:
        filter: which of them are shown.
        shown: those that are, oldest first; it changes in place.
        unfolded: the numbers of those of which all is shown.
        revision: grows with every change but an entry more at the end of `shown`.
        paused: whether `shown` stands still.
        new: how many more would be shown if it did not.
        passed: how many have passed in all since the beginning, or since `clear`.
        dropped: how many of them gave way.
    """

    def __init__(self, most_records: int = MOST_RECORDS, most_bytes: int = MOST_BYTES) -> None:
        self.filter = Filter()
        self.shown: list[Entry] = []
        self.unfolded: set[int] = set()
        self.revision = 0
        self.paused = False
        self.new = 0
        self.passed = 0
        self.dropped = 0
        self._most_records = most_records
        self._most_bytes = most_bytes
        self._entries: deque[Entry] = deque()
        self._held = 0
        self._number = 0
        self._paused_after = 0
        self._reading = Reading()
        self._last = 0.0
        self._shift = 0.0

    @property
    def records(self) -> Sequence[Record]:
        """All that are remembered, oldest first."""
        return [entry.record for entry in self._entries]

    def take(self, record: Record) -> None:
        """One more passed."""
        if self._shift:
            record = msgspec.structs.replace(record, at=record.at + self._shift)
        self._last = max(self._last, record.at)
        self._number += 1
        entry = Entry(self._number, record, self._reading.context(record))
        self._entries.append(entry)
        self._held += entry.held_bytes
        self.passed += 1
        if entry.begins_open:
            self.unfolded.add(entry.number)
        if self.filter.passes(entry):
            if self.paused:
                self.new += 1
            else:
                self.shown.append(entry)
        while len(self._entries) > self._most_records or (
            self._held > self._most_bytes and len(self._entries) > 1
        ):
            gone = self._entries.popleft()
            self._held -= gone.held_bytes
            self.dropped += 1
        if not self.paused and len(self.shown) > len(self._entries) + _SLACK:
            self.trim()

    def trim(self) -> None:
        """Show no longer what is gone, unless the view stands still."""
        if self.paused or not self.shown or self.shown[0].number >= (first := self._first):
            return
        del self.shown[: self.index_of(first)]
        self.unfolded = {number for number in self.unfolded if number >= first}
        self.revision += 1

    def begin_anew(self) -> None:
        """Another source follows, whose times begin at 0 again."""
        self._shift = self._last

    def index_of(self, number: int) -> int:
        """Where in `shown` the entry with that number is, or the next one after it."""
        return bisect_left(self.shown, number, key=_number)

    def filter_by(self, asked: Filter) -> None:
        """Show others from now on."""
        self.filter = asked
        self._choose()

    def pause(self) -> None:
        """Let what is shown stand still."""
        if not self.paused:
            self.paused = True
            self._paused_after = self._number

    def go_on(self) -> None:
        """Show what has passed meanwhile."""
        self.paused = False
        self._choose()

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._held = 0
        self.passed = self.dropped = 0
        self.unfolded.clear()
        self._paused_after = self._number
        self._choose()

    def fold(self, number: int) -> None:
        """Show all of an entry, or one line of it again."""
        self.unfolded ^= {number}
        self.revision += 1

    def find(self, text: str, after: int, step: int) -> int | None:
        """Look for text, whatever its case, and begin again at the other end.

        Args:
            text: what to look for.
            after: the index in `shown` to begin behind.
            step: 1 towards the newest, -1 towards the oldest.

        Returns:
            The index of the next entry that has it; None if none has.
        """
        wanted, count = text.lower(), len(self.shown)
        for distance in range(1, count + 1):
            index = (after + step * distance) % count
            if wanted in self.shown[index].words:
                return index
        return None

    @property
    def _first(self) -> int:
        return self._entries[0].number if self._entries else self._number + 1

    def _choose(self) -> None:
        chosen = [entry for entry in self._entries if self.filter.passes(entry)]
        self.new = sum(entry.number > self._paused_after for entry in chosen) if self.paused else 0
        self.shown[:] = chosen[: len(chosen) - self.new]
        self.revision += 1


def _number(entry: Entry) -> int:
    return entry.number
