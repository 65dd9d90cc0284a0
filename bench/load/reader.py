"""One process of listeners: an epoll loop that counts marks in what it reads, and does as little else as can be.

Taking one small message out of a socket costs about what putting it in costs the server. So a few listeners,
spread among all, read at once and tell the latency; the others read 50 times a second what has come since, as
listeners on other machines would let it come. The clock of a measurement is right to that 50th of a second.
"""

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
_MUCH = 4096
_MOST_EVENTS = 16_384
_OPENING_AT_ONCE = 256
_LAZY_SECONDS = 0.02
_SLOW_BYTES = 1024
_SLOW_BUFFER = 4096
_SLOW_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Connect:
    """Open these connections; answered with `Connected` when all are open.

    Attributes:
        prompt_every: of so many listeners one reads at once.
        slow: they read 1 KB each 0.1 s, with a small buffer in the kernel, and what they read is not counted.
    """

    port: int
    openings: list[Opening]
    prompt_every: int
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
        latencies: ns on the way, of the oldest and the newest message of each read of those who read at once.
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

    def __init__(self, one: socket.socket, opening: Opening, prompt: bool) -> None:
        self.one = one
        self.opening = opening
        self.prompt = prompt
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
        self._lazy = select.epoll()
        self._buffer = bytearray(_BUFFER_BYTES)
        self._open: dict[int, socket.socket] = {}
        self._open_lazy: dict[int, socket.socket] = {}
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
        self._next_lazy = 0.0
        self._next_slow = 0.0

    def run(self) -> None:
        """Until the process is ended or the other side of the pipe is closed."""
        pipe = self._pipe.fileno()
        while True:
            wait = max(0.0, self._next_lazy - time.monotonic())
            for fd, _ in self._epoll.poll(wait, _MOST_EVENTS):
                one = self._open.get(fd)
                if one is not None:
                    self._read(fd, one, prompt=True)
                elif fd == pipe:
                    try:
                        self._obey(self._pipe.recv())
                    except EOFError:
                        return
                else:
                    self._go_on(self._newcomers[fd])
            now = time.monotonic()
            if now >= self._next_lazy:
                self._next_lazy = now + _LAZY_SECONDS
                for fd, _ in self._lazy.poll(0, _MOST_EVENTS):
                    self._read(fd, self._open_lazy[fd], prompt=False)
            if self._slow and now >= self._next_slow:
                self._next_slow = now + _SLOW_SECONDS
                self._read_slowly()
            self._answer()

    def _read(self, fd: int, one: socket.socket, *, prompt: bool) -> None:
        buffer = self._buffer
        try:
            size = one.recv_into(buffer)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            (self._epoll if prompt else self._lazy).unregister(fd)
            del (self._open if prompt else self._open_lazy)[fd]
            one.close()
            self._heard.closed += 1
            return
        self._heard.bytes += size
        self._count(size, prompt)
        ping = self._pings.get(fd)
        # To look for one byte is a hundred times faster than for two.
        if ping is not None and buffer.find(ping[0], 0, size) >= 0 and buffer.find(ping, 0, size) >= 0:
            one.send(PONG)

    def _count(self, size: int, prompt: bool) -> None:
        buffer, heard = self._buffer, self._heard
        # Of much, what is left without the marks: `count` looks at each byte by itself, which takes longer.
        count = buffer.count(_MARK, 0, size) if size < _MUCH else size - len(buffer[:size].replace(MARK, b""))
        now = time.monotonic_ns()
        self._last = now / 1e9
        if not count:
            return
        heard.deliveries += count
        if prompt:
            for mark in {buffer.find(_MARK, 0, size), buffer.rfind(_MARK, 0, size)}:
                said = stamp_of(buffer, mark, size)
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
        prompt = len(self._to_open) % self._connect.prompt_every == 0
        self._newcomers[one.fileno()] = _Newcomer(one, opening, prompt)
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
        assert self._connect is not None
        if newcomer.opening.ping is not None:
            self._pings[fd] = newcomer.opening.ping
        if self._connect.slow or not newcomer.prompt:
            self._epoll.unregister(fd)
        if self._connect.slow:
            self._slow.append(newcomer.one)
        elif newcomer.prompt:
            self._open[fd] = newcomer.one
        else:
            self._open_lazy[fd] = newcomer.one
            self._lazy.register(fd, select.EPOLLIN)
        if rest and not self._connect.slow:
            self._buffer[: len(rest)] = rest
            self._count(len(rest), newcomer.prompt)
        self._open_next()
        if not self._newcomers:
            self._connect = None
            self._pipe.send(Connected(time.monotonic_ns()))

    def _fail(self, newcomer: _Newcomer, why: str) -> None:
        self._epoll.unregister(newcomer.one.fileno())
        if self._connect is not None:
            self._connect = None
            self._to_open.clear()
            self._pipe.send(Connected(0, f"{why}, after {newcomer.seen[-300:]!r}"))

    def _read_slowly(self) -> None:
        for one in self._slow:
            try:
                one.recv_into(self._buffer, _SLOW_BYTES)
            except OSError:
                continue
