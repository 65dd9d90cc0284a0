"""Plays records again, at their times or faster."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from pushtui.wire.records import Record


class Clock(Protocol):
    """Seconds that only grow, and waiting by them."""

    def now(self) -> float:
        """Seconds since some moment in the past."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        """Return when the event is set or the seconds are over."""
        ...


async def play(records: Iterable[Record], clock: Clock, speed: float = 1.0) -> AsyncIterator[Record]:
    """Yield the records unchanged, each when its time has come; waits do not add up to a delay.

    Args:
        records: in the order in which they passed.
        clock: the time by which to play.
        speed: how many times as fast as it happened.
    """
    never = asyncio.Event()
    began = clock.now()
    for record in records:
        late = clock.now() - began - record.at / speed
        if late < 0:
            await clock.wait(never, -late)
        yield record
