"""The tail: taking entries, making a span, and finding the one that is made already."""

from collections.abc import Iterator

from bench.measured import Measured
from bench.micro.frames import entries
from bench.micro.timed import microseconds
from server.log.tail import Tail
from server.log.wire import WEBSOCKET_JSON

_BATCH = 64


def measure() -> Iterator[Measured]:
    """With 64 entries, a batch of a busy log."""
    batch = entries(_BATCH)

    def taken() -> Tail:
        tail = Tail("epoch", 0)
        tail.extend(batch)
        return tail

    def encoded() -> None:
        taken().span(0, WEBSOCKET_JSON)

    took = microseconds(taken, _BATCH)
    yield Measured("tail: take one of 64 entries", took, "µs")
    yield Measured("tail: encode and join one of 64", microseconds(encoded, _BATCH) - took, "µs")
    tail = taken()
    tail.span(0, WEBSOCKET_JSON)
    yield Measured("tail: the span that others made", microseconds(lambda: tail.span(0, WEBSOCKET_JSON)), "µs")
    tail.span(_BATCH - 1, WEBSOCKET_JSON)
    newest = microseconds(lambda: tail.span(_BATCH - 1, WEBSOCKET_JSON))
    yield Measured("tail: the newest entry alone", newest, "µs")
