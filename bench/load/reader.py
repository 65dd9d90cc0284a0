"""One process of listeners: an epoll loop that counts marks in what it reads, and does as little else as can be."""

import select
import socket
import time
from array import array
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from bench.load.message import MARK, stamp_of
from bench.load.opening import PONG, Opening
from bench.load.processor import pin

_MARK = MARK[0]
_BUFFER_BYTES = 1 << 18
_OPENING_AT_ONCE = 256
_SLOW_BYTES = 1024
_SLOW_BUFFER = 4096
_SLOW_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Connect:
    """Open these connections; answered with `Connected` when all are open.

    Attributes:
        slow: they read 1 KB each 0.1 s, with a small buffer in the kernel, and what they read is not counted.
    """

    port: int
    openings: list[Opening]
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """When the last connection was open, in ns of the monotonic clock; and what went wrong, if anything did."""

    at: int
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """Forget what was heard; from now on so many deliveries are waited for."""

    expected: int


@dataclass(frozen=True, slots=True)
class Hear:
    """Answered with `Heard` when all that is expected has arrived, or the time is over."""

    timeout: float


@dataclass(frozen=True, slots=True)
class Quiet:
    """Answered with None as soon as nothing has arrived for so many seconds."""

    seconds: float


@dataclass(slots=True)
class Heard:
    """What arrived since `Begin`.

    Attributes:
        deliveries: messages, each listener counted.
        at: when the last one that was expected arrived; 0 if it has not.
        latencies: ns on the way, of the oldest and the newest message of each read.
        bytes: all that was read.
        processor: seconds that the reader itself used.
        closed: connections that the server has ended.
    """

    deliveries: int = 0
    at: int = 0
    latencies: "array[int]" = field(default_factory=lambda: array("q"))
    bytes: int = 0
    processor: float = 0
    closed: int = 0


Command = Connect | Begin | Hear | Quiet


class _Newcomer:
    """A connection that is being opened."""

    def __init__(self, one: socket.socket, opening: Opening, slow: bool) -> None:
        self.one = one
        self.opening = opening
        self.slow = slow
        self.step = -1
        self.seen = b""


def read(pipe: Connection, core: int) -> None:
    """What the process does until it is ended."""
    pin(core)
    Reader(pipe).run()


class Reader:
    """Obeys the commands that come through a pipe, and reads all the while."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._epoll = select.epoll()
        self._epoll.register(pipe.fileno(), select.EPOLLIN)
        self._buffer = bytearray(_BUFFER_BYTES)
        self._open: dict[int, socket.socket] = {}
        self._pings: dict[int, bytes] = {}
        self._slow: list[socket.socket] = []
        self._newcomers: dict[int, _Newcomer] = {}
        self._to_open: deque[Opening] = deque()
        self._connect: Connect | None = None
        self._hear_until: float | None = None
        self._quiet: float | None = None
        self._heard = Heard()
        self._expected = 0
        self._began = time.process_time()
        self._last = time.monotonic()
        self._next_slow = 0.0

    def run(self) -> None:
        """Until the process is ended or the other side of the pipe is closed."""
        pipe = self._pipe.fileno()
        while True:
            for fd, _ in self._epoll.poll(0.02 if self._slow or self._is_asked() else 1, 4096):
                one = self._open.get(fd)
                if one is not None:
                    self._read(fd, one)
                elif fd == pipe:
                    try:
                        self._obey(self._pipe.recv())
                    except EOFError:
                        return
                else:
                    self._go_on(self._newcomers[fd])
            self._answer()
            if self._slow and time.monotonic() > self._next_slow:
                self._read_slowly()

    def _read(self, fd: int, one: socket.socket) -> None:
        buffer = self._buffer
        try:
            size = one.recv_into(buffer)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self._epoll.unregister(fd)
            del self._open[fd]
            one.close()
            self._heard.closed += 1
            return
        self._heard.bytes += size
        self._count(size)
        ping = self._pings.get(fd)
        if ping is not None and buffer.find(ping, 0, size) >= 0:
            one.send(PONG)

    def _count(self, size: int) -> None:
        buffer, heard = self._buffer, self._heard
        count = buffer.count(_MARK, 0, size)
        now = time.monotonic_ns()
        self._last = now / 1e9
        if not count:
            return
        heard.deliveries += count
        said = stamp_of(buffer, buffer.find(_MARK, 0, size), size)
        if said is not None:
            heard.latencies.append(now - said)
        if count > 1:
            said = stamp_of(buffer, buffer.rfind(_MARK, 0, size), size)
            if said is not None:
                heard.latencies.append(now - said)
        if heard.deliveries >= self._expected and not heard.at:
            heard.at = now

    def _obey(self, command: Command) -> None:
        match command:
            case Connect():
                self._connect = command
                self._to_open.extend(command.openings)
                for _ in range(_OPENING_AT_ONCE):
                    self._open_next()
            case Begin():
                self._heard = Heard()
                self._expected = command.expected
                self._began = time.process_time()
                if not command.expected:
                    self._heard.at = time.monotonic_ns()
                self._pipe.send(None)
            case Hear():
                self._hear_until = time.monotonic() + command.timeout
            case Quiet():
                self._last = time.monotonic()
                self._quiet = command.seconds

    def _is_asked(self) -> bool:
        return self._hear_until is not None or self._quiet is not None

    def _answer(self) -> None:
        now = time.monotonic()
        if self._hear_until is not None and (self._heard.at or now > self._hear_until):
            self._hear_until = None
            self._heard.processor = time.process_time() - self._began
            self._pipe.send(self._heard)
        if self._quiet is not None and now - self._last >= self._quiet:
            self._quiet = None
            self._pipe.send(None)

    def _open_next(self) -> None:
        if not self._to_open or self._connect is None:
            return
        opening = self._to_open.popleft()
        one = socket.socket()
        one.setblocking(False)
        # Reset instead of a farewell: thousands of ports would wait for a minute.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if self._connect.slow:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER)
        one.connect_ex(("127.0.0.1", self._connect.port))
        self._newcomers[one.fileno()] = _Newcomer(one, opening, self._connect.slow)
        self._epoll.register(one.fileno(), select.EPOLLOUT)

    def _go_on(self, newcomer: _Newcomer) -> None:
        one = newcomer.one
        try:
            if newcomer.step < 0:
                self._epoll.modify(one.fileno(), select.EPOLLIN)
                self._next_step(newcomer)
                return
            size = one.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(newcomer, str(error))
            return
        if not size:
            self._fail(newcomer, "the server hung up")
            return
        self._last = time.monotonic()
        until = newcomer.opening.steps[newcomer.step].until
        newcomer.seen = newcomer.seen[-400:] + self._buffer[:size]
        _, found, rest = newcomer.seen.partition(until)
        if not found:
            return
        newcomer.seen = b""
        if newcomer.step + 1 < len(newcomer.opening.steps):
            self._next_step(newcomer)
        else:
            self._settle(newcomer, rest)

    def _next_step(self, newcomer: _Newcomer) -> None:
        newcomer.step += 1
        newcomer.one.send(newcomer.opening.steps[newcomer.step].say)

    def _settle(self, newcomer: _Newcomer, rest: bytes) -> None:
        """It is open; what came behind the last answer counts already."""
        fd = newcomer.one.fileno()
        del self._newcomers[fd]
        if newcomer.slow:
            self._epoll.unregister(fd)
            self._slow.append(newcomer.one)
        else:
            self._open[fd] = newcomer.one
            if newcomer.opening.ping is not None:
                self._pings[fd] = newcomer.opening.ping
            if rest:
                self._buffer[: len(rest)] = rest
                self._count(len(rest))
        self._open_next()
        if not self._newcomers and self._connect is not None:
            self._connect = None
            self._pipe.send(Connected(time.monotonic_ns()))

    def _fail(self, newcomer: _Newcomer, why: str) -> None:
        self._epoll.unregister(newcomer.one.fileno())
        if self._connect is not None:
            self._connect = None
            self._to_open.clear()
            self._pipe.send(Connected(0, f"{why}, after {newcomer.seen[-300:]!r}"))

    def _read_slowly(self) -> None:
        self._next_slow = time.monotonic() + _SLOW_SECONDS
        for one in self._slow:
            try:
                one.recv_into(self._buffer, _SLOW_BYTES)
            except OSError:
                continue
