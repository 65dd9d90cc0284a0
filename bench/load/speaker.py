"""Who says the messages: one or more connections, each with so many unanswered messages as is allowed."""

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bench.load.message import TEXT_BYTES, stamped
from bench.load.opening import PONG, Opening

_PATIENCE = 60.0
#: Messages of a burst that are on their way, on all connections together.
_UNANSWERED = 256
#: Connections of a burst of POSTs: of each connection's requests one is answered after the other.
HTTP_LANES = 64


@dataclass(frozen=True, slots=True)
class Way:
    """A way into a server.

    Attributes:
        opening: how its connection is opened.
        wrap: a text and its number to the bytes that say it.
        ack: occurs once in the answer to each message, when the server has accepted it.
        lanes: connections that a burst takes; 1 where one connection can have many messages on their way.
    """

    opening: Opening
    wrap: Callable[[bytes, int], bytes]
    ack: bytes
    lanes: int = 1


@dataclass(slots=True)
class Said:
    """How saying them went: from when to when (ns), how long each answer took (ms), processor time (s) used."""

    began: int = 0
    ended: int = 0
    answers: list[float] = field(default_factory=list)
    processor: float = 0

    def percentile(self, share: float) -> float:
        """The ms that this share of the answers (0-1) did not exceed."""
        return sorted(self.answers)[min(len(self.answers) - 1, int(share * len(self.answers)))]


class _Lane:
    """One connection."""

    def __init__(self, port: int, way: Way) -> None:
        self._way = way
        self._carry = b""
        self._said: deque[float] = deque()
        self.one = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        self.one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for step in way.opening.steps:
            self.one.sendall(step.say)
            seen = b""
            while step.until not in seen:
                seen += self._receive()

    @property
    def unanswered(self) -> int:
        return len(self._said)

    def say(self, number: int, size: int) -> None:
        self._said.append(time.monotonic())
        self.one.sendall(self._way.wrap(stamped(size), number))

    def hear(self) -> list[float]:
        """The ms that each answer took which has come."""
        data = self._carry + self._receive()
        if self._way.opening.ping is not None and self._way.opening.ping in data:
            self.one.sendall(PONG)
        ack = self._way.ack
        count = data.count(ack)
        end = data.rfind(ack) + len(ack) if count else 0
        self._carry = data[max(end, len(data) - len(ack) + 1) :]
        now = time.monotonic()
        return [1000 * (now - self._said.popleft()) for _ in range(min(count, len(self._said)))]

    def _receive(self) -> bytes:
        data = self.one.recv(1 << 16)
        if not data:
            raise ConnectionError("the server hung up on who speaks")
        return data


class Speaker:
    """Says messages of 150 bytes, with the time in them, into one server.

    A WebSocket is kept open between two times; HTTP connections are opened for each, as servers end idle ones.
    """

    def __init__(self, port: int, way: Way) -> None:
        self._port = port
        self._way = way
        self._kept = [_Lane(port, way)] if way.lanes == 1 else []
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in self._kept:
            lane.one.close()

    def say(
        self,
        messages: int,
        *,
        burst: bool = False,
        per_second: float | None = None,
        size: int = TEXT_BYTES,
    ) -> Said:
        """Say so many; returns when the last one is answered.

        Args:
            messages: how many.
            burst: as fast as they are accepted, instead of waiting for each answer before the next is said.
            per_second: not faster than that, and, whatever the answers do, not slower.
            size: bytes of each text.

        Raises:
            TimeoutError: no answer came for a minute.
        """
        at_once = burst or per_second is not None
        lanes = self._kept or [_Lane(self._port, self._way) for _ in range(self._way.lanes if at_once else 1)]
        unanswered = _UNANSWERED if at_once and self._kept else 1
        with selectors.SelectSelector() as selector:
            for lane in lanes:
                selector.register(lane.one, selectors.EVENT_READ, lane)
            said = Said(began=time.monotonic_ns())
            processor = time.process_time()
            sent = 0
            while len(said.answers) < messages:
                wait = _PATIENCE
                for lane in lanes:
                    while sent < messages and lane.unanswered < unanswered:
                        if per_second is not None:
                            wait = said.began / 1e9 + sent / per_second - time.monotonic()
                            if wait > 0:
                                break
                            wait = _PATIENCE
                        lane.say(self._number, size)
                        self._number += 1
                        sent += 1
                ready = selector.select(wait)
                if not ready and wait == _PATIENCE:
                    raise TimeoutError(f"{len(said.answers)} of {messages} messages were answered")
                for key, _ in ready:
                    said.answers.extend(key.data.hear())
            said.ended = time.monotonic_ns()
            said.processor = time.process_time() - processor
        if not self._kept:
            for lane in lanes:
                lane.one.close()
        return said
