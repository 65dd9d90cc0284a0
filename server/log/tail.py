"""The hot end of one stream: its newest entries, encoded once for each wire, joined once for each position."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol, cast

from msgspec import structs

from server.log.conflation import conflated
from server.log.store import Entry
from server.log.wire import Wire

#: A span is at most this long, or one entry.
SPAN_BYTES = 64 * 1024
#: And of at most so many: to look at more, and to encode them, would take too long at once.
_SPAN_ENTRIES = 512
#: A span that is full ends at a place from which others go on as well: at every so many-th entry. So listeners who
#: fell behind from different places meet, and share what comes next.
_MEETING = 64
#: What is kept of spans at most: listeners at many places at once must not hold the stream many times over.
_SPANS_BYTES = 2 << 20
_SPAN_OVERHEAD = 300


class Selection(Protocol):
    """Which entries a listener wants. Hashable: listeners with equal selections share their bytes."""

    def admits(self, entry: Entry) -> bool:
        """Whether the entry is wanted."""
        ...

    def __hash__(self) -> int: ...


class Span(NamedTuple):
    """What lies between two positions: the bytes, how many entries, and the seq of the last one."""

    data: bytes
    entries: int
    upto: int


class Tail:
    """The newest entries of one stream.

    Attributes:
        epoch: the log's present life.
        head: seq of the newest entry, whether it is held or not.
        begin: positions from here on can be read; older ones are the store's business.
        encodings: how often an entry was encoded, ever.
        erasures: how many bodies were replaced in the stream since the tail is there, whether held or not.
    """

    def __init__(self, epoch: str, head: int, *, capacity: int = 4096, capacity_bytes: int = 4 << 20) -> None:
        self.epoch = epoch
        self.head = head
        self.begin = head
        self.encodings = 0
        self.erasures = 0
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._bytes = 0
        self._entries: list[Entry] = []
        self._seqs: list[int] = []
        #: For each entry its bytes, None as long as nobody wanted them.
        self._encoded: dict[Wire, list[bytes | None]] = {}
        #: How many have left it; each entry keeps its number.
        self._gone = 0
        self._spans: dict[tuple[int, Wire, Selection | None, bool], Span] = {}
        self._span_bytes = 0

    @property
    def size(self) -> int:
        """Bytes of all bodies that are held."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)

    def extend(self, entries: Sequence[Entry]) -> None:
        """Take what became durable, oldest first."""
        # Those that ended at the head could be longer now.
        for key in [key for key, span in self._spans.items() if span.upto == self.head]:
            self._span_bytes -= len(self._spans.pop(key).data) + _SPAN_OVERHEAD
        for entry in entries:
            self._entries.append(entry)
            self._seqs.append(entry.seq)
            self._bytes += len(entry.body)
        for encoded in self._encoded.values():
            encoded += [None] * len(entries)
        for seq, body in (erased for entry in entries for erased in entry.erased):
            self.erasures += 1
            self._replace(seq, body)
        self.head = self._seqs[-1]
        # Lists lose their front in one go, now and then, rather than entry by entry.
        if len(self._entries) > 2 * self._capacity or self._bytes > 2 * self._capacity_bytes:
            self.shed(self._capacity_bytes)

    def preload(self, older: Sequence[Entry]) -> None:
        """Put entries in front that were read from the store: all of those right before `begin`."""
        if not older or self.begin != older[-1].seq:
            return
        sizes = accumulate(len(entry.body) for entry in reversed(older))
        older = older[-max(1, sum(size <= self._capacity_bytes for size in sizes)) :]
        self._entries[:0] = older
        for encoded in self._encoded.values():
            encoded[:0] = [None] * len(older)
        self._gone -= len(older)
        self._seqs[:0] = [entry.seq for entry in older]
        self._bytes += sum(len(entry.body) for entry in older)
        self.begin = older[0].seq - 1

    def count_above(self, seq: int) -> int:
        """How many entries are held that are newer."""
        return len(self._seqs) - bisect_right(self._seqs, seq)

    def newest(self, count: int) -> int | None:
        """The position with exactly ``count`` entries above it; None when fewer are held."""
        if count > len(self._entries):
            return None
        if count == 0:
            return self.head
        return self._seqs[-count] - 1

    def span(self, after: int, wire: Wire, selection: Selection | None = None, *, lagging: bool = False) -> Span:
        """What comes after a position that is not before `begin`, and not at `head`.

        Args:
            after: the position.
            wire: the encoding.
            selection: which entries; all of them if None.
            lagging: for a reader who is spared what is no longer true (`server.log.conflation`).
        """
        key = (after, wire, selection, lagging)
        found = self._spans.get(key)
        if found is None:
            if self._span_bytes > _SPANS_BYTES:
                self._forget_spans()
            join = self._join_conflated if lagging else self._join
            found = self._spans[key] = join(after, wire, selection)
            self._span_bytes += len(found.data) + _SPAN_OVERHEAD
        return found

    def _join(self, after: int, wire: Wire, selection: Selection | None) -> Span:
        begin = bisect_right(self._seqs, after)
        end = min(begin + _SPAN_ENTRIES, len(self._entries))
        if wire not in self._encoded:
            self._encoded[wire] = [None] * len(self._entries)
        wanted: Sequence[int] = range(begin, end)
        if selection is not None:
            wanted = [index for index in wanted if selection.admits(self._entries[index])]
        parts = self._parts(wire, wanted)
        count = bisect_right(list(accumulate(map(len, parts))), SPAN_BYTES) or min(1, len(parts))
        if count < len(parts) and selection is None:
            meeting = (self._gone + begin + count) // _MEETING * _MEETING - self._gone
            count = meeting - begin if 2 * (meeting - begin) > count else count
        if count < len(parts):
            end = wanted[count]
            parts = parts[:count]
        return Span(parts[0] if len(parts) == 1 else b"".join(parts), len(parts), self._seqs[end - 1])

    def _parts(self, wire: Wire, wanted: Sequence[int]) -> list[bytes]:
        encoded = self._encoded[wire]
        found = encoded[wanted.start : wanted.stop] if isinstance(wanted, range) else [encoded[i] for i in wanted]
        if not all(found):
            for place, index in enumerate(wanted):
                if found[place] is None:
                    found[place] = encoded[index] = wire.encode(self._entries[index], self.epoch)
                    self.encodings += 1
        return cast(list[bytes], found)

    def _join_conflated(self, after: int, wire: Wire, selection: Selection | None) -> Span:
        entries = self._entries[bisect_right(self._seqs, after) :]
        while True:
            kept = conflated([entry for entry in entries if selection is None or selection.admits(entry)])
            parts = [wire.encode(entry, self.epoch) for entry in kept]
            data = b"".join(parts)
            # What is skipped is counted up to where the span ends, so a span that is too long is made anew.
            if len(data) <= SPAN_BYTES or len(entries) == 1:
                return Span(data, len(parts), entries[-1].seq)
            entries = entries[: max(1, len(entries) // 2)]

    def _replace(self, seq: int, body: bytes) -> None:
        index = bisect_right(self._seqs, seq) - 1
        if index >= 0 and self._seqs[index] == seq:
            self._forget_spans()
            old = self._entries[index]
            self._entries[index] = structs.replace(old, body=body)
            for encoded in self._encoded.values():
                encoded[index] = None
            self._bytes += len(body) - len(old.body)

    def _forget_spans(self) -> None:
        self._spans.clear()
        self._span_bytes = 0

    def shed(self, most: int) -> None:
        """Leave the oldest to the store, until no more than ``most`` bytes of bodies are held, or one entry."""
        drop = max(0, len(self._entries) - self._capacity)
        kept_bytes = self._bytes - sum(len(entry.body) for entry in self._entries[:drop])
        while kept_bytes > most and drop < len(self._entries) - 1:
            kept_bytes -= len(self._entries[drop].body)
            drop += 1
        if drop == 0:
            return
        self.begin = self._seqs[drop - 1]
        self._bytes = kept_bytes
        self._gone += drop
        del self._entries[:drop]
        del self._seqs[:drop]
        for encoded in self._encoded.values():
            del encoded[:drop]
