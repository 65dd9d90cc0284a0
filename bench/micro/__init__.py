"""The inner steps of the way of a message, each alone: what one of them costs."""

from collections.abc import Iterator

from bench.measured import Measured
from bench.micro import cursors, frames, tails


def measure() -> Iterator[Measured]:
    """Encoding and decoding, the tail, and the cursor over it."""
    yield from frames.measure()
    yield from tails.measure()
    yield from cursors.measure()
