"""Paints what has come in, at most a few times a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.timer import Timer
    from textual.widget import Widget


#: Seconds between two paintings, if nothing else is said.
INTERVAL = 0.2


class Drain:
    """One for each pane: whoever changes its state calls `touch`, and `paint` follows soon, once.

    The first change after a quiet while is painted at once; those in a rush are painted together. Painting
    twenty lines a second one by one costs three times as much processor and terminal as painting them at 5 Hz.

    Args:
        owner: the widget whose life the timer shares.
        paint: brings the widgets up to the state.
        interval: seconds between two paintings; None for `INTERVAL`.
    """

    def __init__(self, owner: Widget, paint: Callable[[], None], interval: float | None = None) -> None:
        self._owner = owner
        self._paint = paint
        self._interval = INTERVAL if interval is None else interval
        self._painted = 0.0
        self._timer: Timer | None = None

    def touch(self) -> None:
        """Something changed."""
        if self._timer is None and self._owner.is_attached:
            since = time.monotonic() - self._painted
            self._timer = self._owner.set_timer(max(0.001, self._interval - since), self.now)

    def quiet(self, seconds: float) -> bool:
        """Whether nothing was painted for so long."""
        return time.monotonic() - self._painted >= seconds

    def now(self) -> None:
        """Paint without waiting, as after a key stroke."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._painted = time.monotonic()
        self._paint()
