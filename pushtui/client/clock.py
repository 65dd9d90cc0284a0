"""The time by which a client waits; a test puts its own in."""

import asyncio
import contextlib
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that only grow, and waiting by them."""

    def now(self) -> float:
        """Seconds since some moment in the past."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        """Return when the event is set or the seconds are over; None waits for the event alone."""
        ...


class SystemClock:
    """The clock of the machine that never jumps."""

    def now(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic()

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        """Return when the event is set or the seconds are over; None waits for the event alone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
