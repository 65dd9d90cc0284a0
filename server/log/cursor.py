"""A listener: a position in one stream, a wire, a sink. Falling behind is a number here, not a queue."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from server.log.conflation import conflated
from server.log.store import Entry, Store
from server.log.streams import STATUS
from server.log.tail import SPAN_BYTES, Selection, Span, Tail
from server.log.wire import Wire

logger = logging.getLogger(__name__)

_PAGE = 256
#: Of bodies in one page: a listener that takes its time holds it meanwhile.
_PAGE_BYTES = 2 * SPAN_BYTES


class Sink(Protocol):
    """Where a cursor writes: a transport with an end to its patience."""

    def write(self, data: bytes) -> None:
        """Hand the bytes over; never waits, and does nothing once the listener is gone."""
        ...

    def offer(self, data: bytes) -> bool:
        """Hand the bytes over the short way; False, with nothing done, where there is none at the moment."""
        ...

    def has_room(self) -> bool:
        """Whether the transport takes more now."""
        ...

    def when_room(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` once when there is room again; never when the listener is gone."""
        ...

    async def room(self) -> bool:
        """Wait until there is room; False when the listener is gone."""
        ...

    def abort(self) -> None:
        """Cut the listener off; it knows its position and can come back."""
        ...


class Cursor:
    """Reads one stream from a position on, as fast as its sink takes it.

    It holds nothing but the position: what was written is the transport's, what is ahead is the tail's or
    the store's.

    Attributes:
        position: seq of the last entry written.
        delivered: entries written so far.
        at_rest: nothing is under way: it neither waits for room nor reads from the store, and is not closed.
    """

    __slots__ = ("_closed", "_lagging", "_paging", "_replay_end", "_store", "at_rest", "delivered", "position",
                 "selection", "sink", "stream", "tail", "wire")  # fmt: skip

    def __init__(
        self,
        stream: str,
        tail: Tail,
        store: Store,
        wire: Wire,
        sink: Sink,
        position: int,
        selection: Selection | None = None,
    ) -> None:
        self.stream = stream
        self.tail = tail
        self.wire = wire
        self.position = position
        self.delivered = 0
        self.at_rest = True
        self._store = store
        self.sink = sink
        self.selection = selection
        self._paging: asyncio.Task[None] | None = None
        # What a listener came back for it gets in full; only what piles up afterwards is thinned out.
        self._replay_end = tail.head
        self._lagging = False
        self._closed = False

    def advance(self) -> None:
        """Write what there is to write and room for. Never waits; goes on by itself when it could not finish."""
        if not self.at_rest:
            return
        tail = self.tail
        while self.position < tail.head:
            if not self.sink.has_room():
                self._lagging = True
                self.at_rest = False
                self.sink.when_room(self._go_on)
                return
            if self.position < tail.begin:
                self.at_rest = False
                self._paging = asyncio.get_running_loop().create_task(self._page())
                return
            try:
                lagging = self._is_spared()
                data, entries, upto = tail.span(self.position, self.wire, self.selection, lagging=lagging)
            except Exception:
                # The others go on.
                logger.exception("encoding %s above %d failed; a listener is cut off", self.stream, self.position)
                self.close()
                self.sink.abort()
                return
            if entries:
                self.sink.write(data)
                self.delivered += entries
            self.position = upto
        self._lagging = False

    def next_span(self) -> Span:
        """What `advance` would write first; nothing where it does not simply come from the tail."""
        if self.tail.begin <= self.position < self.tail.head:
            with contextlib.suppress(Exception):  # `advance` meets the same, and has an answer to it
                return self.tail.span(self.position, self.wire, self.selection)
        return Span(b"", 0, self.position)

    def close(self) -> None:
        """Stop. Idempotent."""
        self._closed = True
        self.at_rest = False
        if self._paging is not None:
            self._paging.cancel()

    def _is_spared(self) -> bool:
        """Whether this listener gets the newest of what piled up instead of all of it."""
        return self._lagging and self.stream == STATUS and self.position >= self._replay_end

    def _go_on(self) -> None:
        self.at_rest = not self._closed
        self.advance()

    async def _page(self) -> None:
        """Read from the store until the tail can take over."""
        try:
            while self.position < (begin := self.tail.begin):
                entries = await self._store.read(self.stream, self.position, _PAGE, _PAGE_BYTES)
                state = self._store.state(self.stream)
                if state is None or state.floor > self.position + 1:
                    # Nothing is ever lost in silence: who comes back with this position is told of the gap.
                    logger.info("%s was trimmed past a listener at %d, who is cut off", self.stream, self.position)
                    self.sink.abort()
                    return
                if not entries:
                    self.position = begin
                elif not await self._write(entries):
                    return
        except Exception:
            logger.exception("reading %s above %d failed; a listener is cut off", self.stream, self.position)
            self.sink.abort()
            return
        finally:
            self._paging = None
        self._go_on()

    async def _write(self, entries: Sequence[Entry]) -> bool:
        """Write a page, a span at a time; False when the listener is gone."""
        if self._is_spared():
            entries = conflated(entries)
        parts: list[bytes] = []
        length = 0
        for entry in entries:
            if self.selection is None or self.selection.admits(entry):
                parts.append(self.wire.encode(entry, self.tail.epoch))
                length += len(parts[-1])
            if length < SPAN_BYTES and entry is not entries[-1]:
                continue
            if parts:
                if not await self.sink.room():
                    return False
                self.sink.write(b"".join(parts))
                self.delivered += len(parts)
                parts.clear()
                length = 0
            # Not before it is written: a listener that goes meanwhile comes back for it.
            self.position = entry.seq
        return True


def advance_all(cursors: Iterable[Cursor]) -> None:
    """Advance each. Most stand at one place, so what comes next is looked up once, and goes out the short way.

    This is what a delivery costs beside the write itself, so it calls nothing else for whom that is enough.
    """
    position = -1
    wire: Wire | None = None
    span = Span(b"", 0, 0)
    for cursor in cursors:
        if cursor.at_rest and cursor.selection is None:
            if cursor.position != position or cursor.wire is not wire:
                position, wire = cursor.position, cursor.wire
                span = cursor.next_span()
            data, entries, upto = span
            if entries and cursor.sink.offer(data):
                cursor.delivered += entries
                cursor.position = upto
                if upto == cursor.tail.head:
                    continue
        cursor.advance()
