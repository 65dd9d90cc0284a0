"""What time it is, given in, so that pictures and countdowns can be told the time."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Clock(NamedTuple):
    """Two clocks: one that people read, and one that never jumps."""

    wall_ms: Callable[[], int] = _wall_ms
    """Milliseconds since the Unix epoch."""
    steady: Callable[[], float] = time.monotonic
    """Seconds since some moment."""
    runs: bool = True
    """Whether the seconds go by themselves; those of a test are told by the test."""

    def time_of_day(self) -> str:
        """Return ``14:07:31``, local time."""
        return datetime.fromtimestamp(self.wall_ms() / 1000).astimezone().strftime("%H:%M:%S")
