"""Whether a chat's client is still there: pings, and what counts as an answer (RFC 6455 section 5.5.2)."""

import asyncio

from pushtui.protocol.frames import Opcode, frame
from server.sink import TransportSink
from server.timing import Timing


class Pulse:
    """The pings of one connection.

    An answer is missed only when the question has arrived there, and when nothing that came from there waits to be
    read. So a slow link is not taken for a dead one, as long as it takes as much as it has to.

    Args:
        sink: the client's.
        timing: when to ping, and how long to wait.
        least: bytes a second that the client has to take.
    """

    __slots__ = ("_due", "_least", "_ping_end", "_since", "_sink", "_taken", "_timing", "_unread")

    def __init__(self, sink: TransportSink, timing: Timing, least: int) -> None:
        self._sink = sink
        self._timing = timing
        self._least = least
        self._since = asyncio.get_running_loop().time()
        self._due = False
        self._unread = False
        self._ping_end = 0
        self._taken = 0

    def answered(self) -> None:
        """A pong came."""
        self._due = False

    def unread(self) -> None:
        """Something of this client is read later than it could be, and a pong may be behind it."""
        self._unread = True

    def beat(self, now: float) -> bool:
        """Ping if it is time to; False when the client is not there any more.

        Args:
            now: the loop's time.
        """
        if not self._due:
            if now - self._since > self._timing.ping:
                self._taken = self._sink.taken()
                self._sink.write(frame(Opcode.PING, b""))
                self._ping_end = self._sink.written
                self._since, self._due = now, True
            return True
        if self._unread or not self._sink.has_room():
            self._unread = False
            self._since = now
        if now - self._since <= self._timing.pong:
            return True
        before, self._taken = self._taken, self._sink.taken()
        if self._taken >= self._ping_end or self._taken - before < self._least * (now - self._since):
            return False
        self._since = now
        return True
