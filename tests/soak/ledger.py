"""What was acknowledged, and whether a log still has it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from server.log.sqlite import SqliteStore
from server.log.store import Entry

STREAM = "room:main"
_PAGE = 2000


class BrokenPromiseError(AssertionError):
    """An acknowledged event is not as it should be."""


class Acknowledgement(NamedTuple):
    author: str
    key: str
    epoch: str
    seq: int


@dataclass
class Ledger:
    """Everything that the senders were told, over all rounds on one log.

    Attributes:
        acknowledged: by author and key.
        epoch: of the stream; None before the first acknowledgement.
        head: the highest head that was seen.
        unanswered: events in the log whose acknowledgement nobody got: stored, and the answer was cut off.
    """

    acknowledged: dict[tuple[str, str], Acknowledgement] = field(default_factory=dict)
    epoch: str | None = None
    head: int = 0
    unanswered: int = 0
    _read: dict[tuple[str, str], int] = field(default_factory=dict)
    _unchecked: list[Acknowledgement] = field(default_factory=list)

    def hear(self, told: Acknowledgement) -> None:
        """A sender was told this."""
        require(self.acknowledged.setdefault(told[:2], told) == told, f"{told.key} was acknowledged twice: {told}")
        self._unchecked.append(told)
        self.see(told.epoch, told.seq)

    def see(self, epoch: str, head: int) -> None:
        """The stream has this epoch, and its head is at least there."""
        require(self.epoch in (None, epoch), f"the epoch changed from {self.epoch} to {epoch}")
        self.epoch = epoch
        self.head = max(self.head, head)

    async def compare(self, log: Path, *, whole: bool = False) -> None:
        """Open the log and compare what is new since the last time; with ``whole`` all of it.

        Raises:
            BrokenPromiseError: something acknowledged is missing, doubled, changed or in another order.
        """
        if whole:
            self._read.clear()
            self._unchecked = list(self.acknowledged.values())
        entries = await read(log, len(self._read))
        state_epoch, state_head = entries.epoch, entries.head
        if state_epoch is None:
            require(not self.acknowledged, "the log is empty")
            return
        require(state_head >= self.head, f"head went back from {self.head} to {state_head}")
        self.see(state_epoch, state_head)
        last = len(self._read)
        for entry in entries.entries:
            require(entry.seq == last + 1, f"{entry.seq} comes after {last}")
            require(entry.key is not None, f"{entry.seq} has no key")
            name = (entry.by, entry.key or "")
            require(name not in self._read, f"{name} is at {self._read.get(name)} and at {entry.seq}")
            self._read[name] = last = entry.seq
        require(last == state_head, f"the newest event is {last}, head is {state_head}")
        self._compare_order()
        for told in self._unchecked:
            found = self._read.get(told[:2])
            require(found == told.seq, f"{told} is at {found}")
        self._unchecked.clear()
        self.unanswered = len(self._read) - len(self.acknowledged)

    def _compare_order(self) -> None:
        """Each sender's events of one round stand in the order in which they were sent."""
        latest: dict[tuple[str, str], int] = {}
        for author, key in self._read:
            prefix, _, number = key.rpartition(".")
            require(int(number) == latest.get((author, prefix), -1) + 1, f"{key} of {author} is out of order")
            latest[author, prefix] = int(number)

    def missing(self, held: set[tuple[str, str]]) -> int:
        """How many acknowledged events are not among these."""
        return len(self.acknowledged.keys() - held)


class Contents(NamedTuple):
    epoch: str | None
    head: int
    entries: list[Entry]


async def read(log: Path, after: int = 0) -> Contents:
    """Open the log, read the stream above a seq, and close it in order."""
    store = SqliteStore(log, clock_ms=lambda: 0)
    await store.open()
    try:
        state = store.state(STREAM)
        if state is None:
            return Contents(None, 0, [])
        entries: list[Entry] = []
        while page := await store.read(STREAM, entries[-1].seq if entries else after, _PAGE):
            entries.extend(page)
        return Contents(state.epoch, state.head, entries)
    finally:
        await store.close()


def require(holds: bool, sentence: str) -> None:
    if not holds:
        raise BrokenPromiseError(sentence)
