"""The cursor: one delivery, from the wake to a sink that does nothing; the rest of the cost is the socket's."""

import time
from collections.abc import Callable, Iterator

from bench.measured import Measured
from bench.micro.frames import entries
from bench.micro.timed import microseconds
from server.log.cursor import Cursor, advance_all
from server.log.memory import MemoryStore
from server.log.streams import room_stream
from server.log.tail import Tail
from server.log.wire import WEBSOCKET_JSON

_CURSORS = 1000


class _Nowhere:
    """A sink that always has room."""

    def write(self, data: bytes) -> None:
        """Forget it."""

    def offer(self, data: bytes) -> bool:
        """Forget it."""
        return True

    def has_room(self) -> bool:
        """Always."""
        return True

    def when_room(self, wake: Callable[[], None]) -> None:
        """Never asked."""

    async def room(self) -> bool:
        """Never asked."""
        return True

    def abort(self) -> None:
        """Nothing to drop."""


def measure() -> Iterator[Measured]:
    """A round over 1 000 cursors at the same position, with one new event and with 64."""
    store = MemoryStore(clock_ms=lambda: time.time_ns() // 1_000_000)
    for batch in (1, 64):
        tail = Tail("epoch", 0)
        tail.extend(entries(batch))
        stream = room_stream("main")
        cursors = [Cursor(stream, tail, store, WEBSOCKET_JSON, _Nowhere(), 0) for _ in range(_CURSORS)]

        def advance(cursors: list[Cursor] = cursors) -> None:
            for cursor in cursors:
                cursor.position = 0
            advance_all(cursors)

        yield Measured(f"cursor: wake one, {batch} new", microseconds(advance, _CURSORS), "µs")
