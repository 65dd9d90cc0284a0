"""What a log has to be able to do. `sqlite` and `memory` do it; one contract suite holds them to it."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct


class Entry(Struct, frozen=True, gc=False):
    """A durable event. ``at`` in ms since the epoch; ``body`` is JSON, as it goes onto the wire.

    ``erased`` is only in the feed, never in what is read: the older seqs whose bodies this event replaced
    (see `Draft.erase`), for followers that keep copies.
    """

    stream: str
    seq: int
    at: int
    kind: str
    by: str
    key: str | None
    body: bytes
    erased: tuple[tuple[int, bytes], ...] = ()


class Draft(Struct, frozen=True, gc=False):
    """An event that is not stored yet.

    ``key`` is unique per author and stream: a second draft with it is a duplicate, however late it comes,
    as long as the first one's entry is kept.
    ``erase`` names older seqs of the stream, each with the body that replaces theirs in the same transaction.
    """

    stream: str
    kind: str
    by: str
    body: bytes
    key: str | None = None
    erase: tuple[tuple[int, bytes], ...] = ()


class Stored(NamedTuple):
    """Where a draft went; with ``duplicate``, where its key went the first time."""

    epoch: str
    seq: int
    duplicate: bool


class StreamState(Struct, frozen=True):
    """One stream as far as its followers have seen it.

    ``floor`` is the lowest seq that can still be read (head + 1 when nothing is kept), ``head`` the highest
    handed out (0 for none). ``topic`` is the text of the last ``topic`` event, kept when that is trimmed.
    """

    epoch: str
    floor: int
    head: int
    topic: str


class StoreBusyError(Exception):
    """Nothing can be stored now; the message says why. What was asked for is not stored, and never will be."""


class StoreUnusableError(Exception):
    """The store cannot be opened; the message is one sentence: what, why, what to do."""


Follower = Callable[[Sequence[Entry]], None]


class Store(Protocol):
    """An append-only log for each stream, and one feed of what became durable.

    Every method is called on the event loop's thread. `state` and the feed move together: whatever `state`
    counts, followers have been told, so a reader that takes `state` and then listens misses nothing.
    """

    async def open(self) -> None:
        """Make the store ready.

        Raises:
            StoreUnusableError: it cannot be, with the reason.
        """
        ...

    async def close(self) -> None:
        """Store what was accepted, then let go. Idempotent."""
        ...

    def streams(self) -> Sequence[str]:
        """The names of all streams."""
        ...

    def state(self, stream: str) -> StreamState | None:
        """One stream's state, None when there is no such stream."""
        ...

    async def create(self, stream: str) -> StreamState:
        """Make the stream if there is none yet; its epoch is drawn then.

        Raises:
            StoreBusyError: it could not be made.
        """
        ...

    async def append(self, *drafts: Draft) -> Stored:
        """Make the drafts durable, all or none, and answer for the first.

        If the first one's key was stored before, nothing is stored; of the others, those are left out whose
        key was. Streams that do not exist are made. Followers are told before this returns.

        Raises:
            StoreBusyError: too much is waiting, or the storage refuses.
            msgspec.DecodeError: the body of a ``topic`` draft is not one.
        """
        ...

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Call ``follower`` with each batch that became durable, in order; returns what ends that.

        Entries of several streams may stand in one batch; each stream's are in the order of their seqs.
        """
        ...

    async def read(self, stream: str, after: int, limit: int, most_bytes: int | None = None) -> Sequence[Entry]:
        """At most ``limit`` entries above ``after``, oldest first. None of them is newer than `state` says.

        With ``most_bytes`` the first one whose body brings all of them to as many is the last one. What was
        trimmed meanwhile is missing; `state` shows it then: its floor moved before this returned.

        Raises:
            StoreBusyError: the storage cannot be read.
        """
        ...

    async def read_before(self, stream: str, before: int, limit: int) -> Sequence[Entry]:
        """The newest ``limit`` entries below ``before``, oldest first; as `read` else."""
        ...

    async def get(self, stream: str, seq: int) -> Entry | None:
        """One entry, None when it is not there (any more); as `read` else."""
        ...

    async def find(self, stream: str, by: str, key: str) -> Entry | None:
        """The entry that this author's key was stored for, None when there is none (any more); as `read` else."""
        ...

    async def trim(self, stream: str, below: int) -> None:
        """Forget the entries below seq ``below``; `floor` becomes ``below`` (at most head + 1) and never sinks.

        Raises:
            StoreBusyError: as `append`.
        """
        ...

    def trouble(self) -> str | None:
        """Why the log does not accept writes now; None while it does."""
        ...


def bounded(entries: Iterable[Entry], most_bytes: int | None) -> list[Entry]:
    """The first entries, up to the one whose body brings all of them to so many bytes; without a bound all."""
    if most_bytes is None:
        return list(entries)
    found = []
    size = 0
    for entry in entries:
        found.append(entry)
        size += len(entry.body)
        if size >= most_bytes:
            break
    return found
