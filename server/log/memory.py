"""The log in memory: for trying out and for tests. It ends with the process."""

from collections.abc import Callable, Sequence

import msgspec

from pushtui.protocol.bodies import Topic
from pushtui.retention import Retention
from server.log.epoch import draw_epoch
from server.log.feed import Feed
from server.log.retention import Keep, keep_by_kind
from server.log.store import Draft, Entry, Follower, StoreBusyError, Stored, StreamState, bounded
from server.log.transaction import ENTRY_BYTES

#: What a stream keeps at most, whatever `Keep` says: memory has an end.
MOST_ENTRIES = 20_000

_topic = msgspec.json.Decoder(Topic)


class _Stream:
    """The entries of one stream; their seqs are consecutive."""

    def __init__(self, epoch: str, keep: Retention) -> None:
        self.epoch = epoch
        self.keep = keep
        self.floor = 1
        self.head = 0
        self.topic = ""
        self.bytes = 0
        self.entries: dict[int, Entry] = {}
        self.keys: dict[tuple[str, str], int] = {}

    @property
    def state(self) -> StreamState:
        return StreamState(self.epoch, self.floor, self.head, self.topic)

    def known(self, draft: Draft) -> int | None:
        return None if draft.key is None else self.keys.get((draft.by, draft.key))

    def append(self, draft: Draft, at: int) -> Entry:
        self.head += 1
        entry = Entry(draft.stream, self.head, at, draft.kind, draft.by, draft.key, draft.body)
        self.entries[self.head] = entry
        self.bytes += len(entry.body) + ENTRY_BYTES
        if draft.key is not None:
            self.keys[draft.by, draft.key] = self.head
        for target, body in draft.erase:
            if (old := self.entries.get(target)) is not None:
                self.entries[target] = msgspec.structs.replace(old, body=body)
                self.bytes += len(body) - len(old.body)
        self._retain(at)
        return msgspec.structs.replace(entry, erased=draft.erase)

    def trim(self, below: int) -> None:
        below = min(below, self.head + 1)
        for seq in range(self.floor, below):
            entry = self.entries.pop(seq)
            self.bytes -= len(entry.body) + ENTRY_BYTES
            if entry.key is not None:
                del self.keys[entry.by, entry.key]
        self.floor = max(self.floor, below)

    def _retain(self, now: int) -> None:
        keep = self.keep
        self.trim(self.head + 1 - min(keep.entries or MOST_ENTRIES, MOST_ENTRIES))
        while self.floor <= self.head and (
            (keep.age_ms is not None and self.entries[self.floor].at < now - keep.age_ms)
            or (keep.bytes is not None and self.bytes > keep.bytes)
        ):
            self.trim(self.floor + 1)


class MemoryStore:
    """A `server.log.store.Store` without a file. Nothing waits: an append is done when it is called.

    Args:
        clock_ms: the time in ms since the epoch.
        keep: what each stream keeps, `MOST_ENTRIES` at most; looked at when something is appended.
        epoch: draws the epoch of a new stream.
    """

    def __init__(
        self,
        *,
        clock_ms: Callable[[], int],
        keep: Keep | None = None,
        epoch: Callable[[], str] = draw_epoch,
    ) -> None:
        self._clock_ms = clock_ms
        self._keep = keep or keep_by_kind()
        self._epoch = epoch
        self._feed = Feed()
        self._streams: dict[str, _Stream] = {}
        self._open = False

    async def open(self) -> None:
        """See `Store.open`."""
        self._open = True

    async def close(self) -> None:
        """See `Store.close`."""
        self._open = False

    def streams(self) -> Sequence[str]:
        """See `Store.streams`."""
        return self._feed.streams()

    def state(self, stream: str) -> StreamState | None:
        """See `Store.state`."""
        return self._feed.state(stream)

    def follow(self, follower: Follower) -> Callable[[], None]:
        """See `Store.follow`."""
        return self._feed.follow(follower)

    def trouble(self) -> str | None:
        """See `Store.trouble`."""
        return None if self._open else _NOT_OPEN

    async def create(self, stream: str) -> StreamState:
        """See `Store.create`."""
        self._require_open()
        state = self._stream(stream).state
        self._feed.publish({stream: state}, ())
        return state

    async def append(self, *drafts: Draft) -> Stored:
        """See `Store.append`."""
        self._require_open()
        topics = [_topic.decode(draft.body).text if draft.kind == "topic" else None for draft in drafts]
        at = self._clock_ms()
        first = self._stream(drafts[0].stream)
        if (earlier := first.known(drafts[0])) is not None:
            return Stored(first.epoch, earlier, duplicate=True)
        states: dict[str, StreamState] = {}
        entries: list[Entry] = []
        for draft, topic in zip(drafts, topics, strict=True):
            stream = self._stream(draft.stream)
            if stream.known(draft) is None:
                entries.append(stream.append(draft, at))
                if topic is not None:
                    stream.topic = topic
                states[draft.stream] = stream.state
        self._feed.publish(states, entries)
        return Stored(first.epoch, entries[0].seq, duplicate=False)

    async def read(self, stream: str, after: int, limit: int, most_bytes: int | None = None) -> Sequence[Entry]:
        """See `Store.read`."""
        self._require_open()
        if (held := self._streams.get(stream)) is None:
            return ()
        start = max(after + 1, held.floor)
        return bounded((held.entries[seq] for seq in range(start, min(start + limit, held.head + 1))), most_bytes)

    async def read_before(self, stream: str, before: int, limit: int) -> Sequence[Entry]:
        """See `Store.read_before`."""
        self._require_open()
        if (held := self._streams.get(stream)) is None:
            return ()
        end = min(before, held.head + 1)
        return [held.entries[seq] for seq in range(max(end - max(limit, 0), held.floor), end)]

    async def get(self, stream: str, seq: int) -> Entry | None:
        """See `Store.get`."""
        self._require_open()
        held = self._streams.get(stream)
        return None if held is None else held.entries.get(seq)

    async def find(self, stream: str, by: str, key: str) -> Entry | None:
        """See `Store.find`."""
        self._require_open()
        held = self._streams.get(stream)
        return None if held is None else held.entries.get(held.keys.get((by, key), 0))

    async def trim(self, stream: str, below: int) -> None:
        """See `Store.trim`."""
        self._require_open()
        if (held := self._streams.get(stream)) is not None:
            held.trim(below)
            self._feed.publish({stream: held.state}, ())

    def _require_open(self) -> None:
        if not self._open:
            raise StoreBusyError(_NOT_OPEN)

    def _stream(self, name: str) -> _Stream:
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = _Stream(self._epoch(), self._keep(name))
        return stream


_NOT_OPEN = "the log is not open"
