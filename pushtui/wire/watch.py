"""Where a client tells what passes: a lens is put on it, and taken off again."""

import time
from collections.abc import Callable
from typing import Protocol

from pushtui.wire.records import Record, Request, Response


class Watcher(Protocol):
    """Takes records as they are made. Called on the event loop; must not wait and must not raise."""

    def __call__(self, record: Record, /) -> None:
        """One more."""
        ...


class NotSentError(Exception):
    """A message could not be sent; the text says why, in one sentence."""


class Sender(Protocol):
    """Sends a message over the WebSocket that is watched."""

    async def __call__(self, message: str | bytes, /) -> None:
        """Send it: text, or bytes as a binary message.

        Raises:
            NotSentError: there is no connection.
        """
        ...


class Watch:
    """One flow, watched or not. Whoever carries the flow asks `on` first, and makes no record while it is off.

    The handshake of the present link is kept all the same: who opens the lens later wants to see how it began.

    Args:
        clock: seconds, monotonic.

    Attributes:
        on: whether somebody is watching.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.on = False
        self._clock = clock
        self._began = clock()
        self._watcher: Watcher | None = None
        self._handshake: list[Request | Response] = []

    def now(self) -> float:
        """Seconds since this was made; the ``at`` of a record that is made now."""
        return self._clock() - self._began

    def open(self, watcher: Watcher) -> None:
        """Tell everything from now on, after the handshake of the present link."""
        self._watcher = watcher
        for record in self._handshake:
            watcher(record)
        self.on = True

    def close(self) -> None:
        """Nobody watches any more. Idempotent."""
        self._watcher = None
        self.on = False

    def handshake(self, record: Request | Response) -> None:
        """Something of a handshake passed; a request begins a new one."""
        if isinstance(record, Request):
            self._handshake.clear()
        self._handshake.append(record)
        self.tell(record)

    def tell(self, record: Record) -> None:
        """Something passed."""
        if self._watcher is not None:
            self._watcher(record)
