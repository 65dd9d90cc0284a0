"""Wakes the cursors of streams that grew: once per turn of the loop, in slices that leave it responsive."""

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter

from pushtui.protocol.limits import PROTECTION
from pushtui.protocol.positions import Lost, Outcome, Position, Resumption, resumption
from server.log.cursor import Cursor, Sink, advance_all
from server.log.pace import Pace
from server.log.store import Entry, Store, StreamState
from server.log.streams import STATUS
from server.log.tail import Selection, Tail
from server.log.wire import Wire

#: A slice of a flush ends after this many seconds, so that reading, pings and new listeners get their turn.
#: What is said meanwhile needs several such turns until its author hears that it is stored.
SLICE_SECONDS = 0.0004
_CURSORS_PER_LOOK = 16
_give_way = getattr(os, "sched_yield", lambda: None)
_PRELOAD = 512
#: How many entries are looked at to find the newest ones that a listener wants: hours of one host's samples.
LOOK_BACK = 20_000
_PAGE = 500


class Start:
    """Where a listener starts, and what it is told about that.

    Attributes:
        outcome: exactly one of PROTOCOL's four.
        after: the position that the first event follows.
        head: the highest seq there is now; events up to it are the replay.
    """

    __slots__ = ("after", "epoch", "head", "lost", "outcome")

    def __init__(self, outcome: Outcome, epoch: str, after: int, head: int, lost: Lost | None) -> None:
        self.outcome = outcome
        self.epoch = epoch
        self.after = after
        self.head = head
        self.lost = lost


class _Round:
    """One time over all cursors of a stream, however many slices it takes."""

    __slots__ = ("cursors", "seconds", "stream")

    def __init__(self, stream: str, cursors: Iterator[Cursor]) -> None:
        self.stream = stream
        self.cursors = cursors
        self.seconds = 0.0


class Fanout:
    """All listeners of all streams.

    A stream's tail is there while somebody listens, or is about to; that of the status stream always.

    Args:
        store: the log.
        tails_bytes: what all tails may hold together; see `pushtui.protocol.limits.Protection`.
    """

    def __init__(self, store: Store, tails_bytes: int = PROTECTION.tails_bytes) -> None:
        self._delivered_before = 0
        self._store = store
        self._tails: dict[str, Tail] = {}
        self._cursors: dict[str, set[Cursor]] = {}
        self._holds: Counter[str] = Counter()
        self._size = 0
        self._tails_bytes = self._most = tails_bytes
        self._dirty: dict[str, None] = {}
        self._round: _Round | None = None
        self._resting: dict[str, asyncio.TimerHandle] = {}
        self._paces: dict[str, Pace] = {}
        self._scheduled = False
        self._unfollow = store.follow(self._follow)

    def close(self) -> None:
        """Let go of the store and of every cursor."""
        self._unfollow()
        for cursors in self._cursors.values():
            for cursor in cursors:
                cursor.close()
        self._cursors.clear()
        self._dirty.clear()
        self._round = None
        for timer in self._resting.values():
            timer.cancel()
        self._resting.clear()

    async def open(self, stream: str) -> Tail:
        """The stream's tail, with the newest entries of the store in it. Makes the stream if need be.

        It is kept up until the next turn of the loop, and after that while somebody listens.

        Raises:
            StoreBusyError: there is no such stream and it cannot be made now.
        """
        with self._hold(stream):
            tail = self._tails.get(stream)
            if tail is None:
                if self._store.state(stream) is None:
                    await self._store.create(stream)
                tail = self._tails.get(stream)
            if tail is None:
                # Not what `create` answered: somebody may have written since, and no tail was there to take it.
                state = self._state(stream)
                tail = self._tails[stream] = Tail(state.epoch, state.head)
                erasures = tail.erasures
                older = await self._store.read_before(stream, tail.begin + 1, _PRELOAD)
                # What was read may still hold what was erased while it was on its way.
                if tail.erasures == erasures:
                    before = tail.size
                    tail.preload(older)
                    self._grew(tail.size - before)
            return tail

    async def start(
        self, stream: str, position: Position | None, replay: int, selection: Selection | None = None
    ) -> Start:
        """Decide where a listener starts: see `pushtui.protocol.positions.resumption`.

        Whoever calls this attaches in the same turn of the loop, or what is said here may be old.

        Args:
            stream: its name.
            position: where the listener was, if it says so.
            replay: how many of the newest entries it wants if it starts afresh.
            selection: which entries count for that; all of them if None.

        Raises:
            StoreBusyError: there is no such stream and it cannot be made now, or the log cannot be read.
        """
        with self._hold(stream):
            tail = await self.open(stream)
            if self._decide(stream, position).after is not None:
                after = 0
            elif selection is None:
                after = await self._before_newest(stream, tail, replay)
            else:
                after = await self._before_selected(stream, tail, replay, selection)
            state = self._state(stream)
            decided = self._decide(stream, position)
            # What the tail still holds of what was trimmed is shown to nobody new.
            after = max(after, state.floor - 1) if decided.after is None else decided.after
            return Start(decided.outcome, state.epoch, after, state.head, decided.lost)

    def attach(
        self, stream: str, wire: Wire, sink: Sink, after: int, selection: Selection | None = None
    ) -> Cursor:
        """Listen from a position on. What is there already is written at once, as far as there is room."""
        cursor = Cursor(stream, self._tails[stream], self._store, wire, sink, after, selection)
        self._cursors.setdefault(stream, set()).add(cursor)
        cursor.advance()
        return cursor

    def detach(self, cursor: Cursor) -> None:
        """Listen no longer. Idempotent."""
        cursor.close()
        cursors = self._cursors.get(cursor.stream, set())
        if cursor in cursors:
            self._delivered_before += cursor.delivered
            cursors.remove(cursor)
            self._release(cursor.stream)

    def listeners(self, stream: str) -> int:
        """How many listen to a stream now."""
        return len(self._cursors.get(stream, ()))

    def delivered(self) -> int:
        """Entries handed to transports, ever; each listener counts."""
        now = sum(cursor.delivered for cursors in self._cursors.values() for cursor in cursors)
        return self._delivered_before + now

    @contextlib.contextmanager
    def _hold(self, stream: str) -> Iterator[None]:
        """Keep the tail for somebody who is about to listen, and does so in the turn in which this ends."""
        self._holds[stream] += 1
        try:
            yield
        finally:
            asyncio.get_running_loop().call_soon(self._let_go, stream)

    def _let_go(self, stream: str) -> None:
        self._holds[stream] -= 1
        if not self._holds[stream]:
            del self._holds[stream]
            self._release(stream)

    def _release(self, stream: str) -> None:
        """Forget the tail if nobody needs it; who opens the stream again reads what is newest then."""
        if not self._cursors.get(stream) and stream not in self._holds and stream != STATUS:
            tail = self._tails.pop(stream, None)
            self._cursors.pop(stream, None)
            self._paces.pop(stream, None)
            self._size -= tail.size if tail is not None else 0

    def _grew(self, size: int) -> None:
        """Count what tails hold; when it is too much, the largest leave more to the store."""
        self._size += size
        if self._size <= self._most:
            return
        for tail in sorted(self._tails.values(), key=attrgetter("size"), reverse=True):
            before = tail.size
            tail.shed(before // 4)
            self._size -= before - tail.size
            if self._size <= self._tails_bytes // 2:
                break
        # Each keeps an entry: with so many that this is too much already, it is not tried anew for each event.
        self._most = max(self._tails_bytes, self._size + self._tails_bytes // 8)

    async def _before_newest(self, stream: str, tail: Tail, count: int) -> int:
        held = tail.newest(count)
        if held is not None:
            return held
        head, begin = tail.head, tail.begin
        older = await self._store.read_before(stream, head + 1, count)
        # What came while they were read is newer: as many of them are not asked for any more.
        surplus = max(0, len(older) + tail.count_above(head) - count)
        if surplus < len(older):
            return older[surplus].seq - 1
        held = tail.newest(count)
        return begin if held is None else held

    async def _before_selected(self, stream: str, tail: Tail, count: int, selection: Selection) -> int:
        """The position with the newest ``count`` wanted entries above it, as far back as is looked."""
        after = before = tail.head
        before += 1
        looked = 0
        while count > 0 and looked < LOOK_BACK:
            page = await self._store.read_before(stream, before, _PAGE)
            if not page:
                break
            wanted = [entry.seq for entry in page if selection.admits(entry)][-count:]
            if wanted:
                after = wanted[0] - 1
            count -= len(wanted)
            looked += len(page)
            before = page[0].seq
        return after

    def _decide(self, stream: str, position: Position | None) -> Resumption:
        state = self._state(stream)
        return resumption(position, epoch=state.epoch, floor=state.floor, head=state.head)

    def _state(self, stream: str) -> StreamState:
        state = self._store.state(stream)
        if state is None:
            raise KeyError(stream)
        return state

    def _follow(self, entries: Sequence[Entry]) -> None:
        # Entries of one stream keep their order under a stable sort.
        for stream, group in groupby(sorted(entries, key=attrgetter("stream")), attrgetter("stream")):
            tail = self._tails.get(stream)
            if tail is not None:
                before = tail.size
                tail.extend(list(group))
                self._grew(tail.size - before)
                self._dirty[stream] = None
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and any(stream not in self._resting for stream in self._dirty):
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Advance cursors until the slice is over; the rest goes on in the next turn."""
        begin = time.monotonic()
        deadline = begin + SLICE_SECONDS
        while True:
            if self._round is None:
                stream = next((name for name in self._dirty if name not in self._resting), None)
                if stream is None:
                    self._scheduled = False
                    return
                del self._dirty[stream]
                self._round = _Round(stream, iter(list(self._cursors.get(stream, ()))))
            while some := list(islice(self._round.cursors, _CURSORS_PER_LOOK)):
                advance_all(some)
                if (now := time.monotonic()) > deadline:
                    self._round.seconds += now - begin
                    asyncio.get_running_loop().call_soon(self._flush)
                    # With one core for all threads, the one that writes to the disk would wait for half a round.
                    _give_way()
                    return
            now = time.monotonic()
            self._rest(self._round.stream, self._round.seconds + now - begin, now)
            begin, self._round = now, None

    def _rest(self, stream: str, seconds: float, now: float) -> None:
        tail = self._tails.get(stream)
        if tail is None:
            return
        pace = self._paces.setdefault(stream, Pace(tail.head, now))
        if rest := pace.rest(tail.head, seconds, now):
            # What comes meanwhile shares one write for each listener.
            self._resting[stream] = asyncio.get_running_loop().call_later(rest, self._rested, stream)

    def _rested(self, stream: str) -> None:
        del self._resting[stream]
        self._schedule()
