"""Many listeners in a process of their own: raw sockets that count what arrives, and how long it took.

They do as little as can be done for each byte, so that they are not what is measured: one selector, no client
library, no parsing but a search for the stamp that each message carries.
"""

import base64
import json
import multiprocessing
import os
import re
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

_STAMP = re.compile(rb"@(\d{10,20})@")
_LONGEST_STAMP = 24
_CHUNK = 1 << 18


def stamped(text: str) -> str:
    """The text with the time in it, so that a listener can tell how long it was on its way."""
    return f"@{time.monotonic_ns()}@ {text}"


@dataclass
class Heard:
    """What all listeners together have heard.

    Attributes:
        deliveries: messages, each listener counted.
        latencies: of every delivery, in ms, sorted.
    """

    deliveries: int = 0
    latencies: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """The latency in ms that this share of the deliveries (0-1) did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


class Listeners:
    """A process with open connections; `listeners` makes one."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def hear(self, deliveries: int, timeout: float = 60) -> Heard:
        """Wait until so many messages have arrived since the last call.

        Raises:
            TimeoutError: they have not, in that many seconds.
        """
        self._pipe.send((deliveries, timeout))
        heard: Heard = self._pipe.recv()
        if heard.deliveries < deliveries:
            raise TimeoutError(f"{heard.deliveries} of {deliveries} deliveries within {timeout} s")
        return heard


@contextmanager
def listeners(url: str, count: int, *, stuck: int = 0) -> Iterator[Listeners]:
    """Connect ``count`` that read and ``stuck`` that never do, all in the room ``main`` without a replay."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(url, count, stuck, theirs))
    process.start()
    try:
        ours.recv()  # all are in the room
        yield Listeners(ours)
    finally:
        process.terminate()
        process.join()


def _run(url: str, count: int, stuck: int, pipe: Connection) -> None:
    sockets = [_join(url, f"reads{number}") for number in range(count)]
    idle = [_join(url, f"stuck{number}") for number in range(stuck)]
    selector = selectors.DefaultSelector()
    rests: dict[socket.socket, bytes] = {}
    for one in sockets:
        one.setblocking(False)
        selector.register(one, selectors.EVENT_READ)
        rests[one] = b""
    pipe.send(len(sockets) + len(idle))
    early = Heard()
    while True:
        while not pipe.poll(0):
            _read(selector, rests, early, 0.05)
        wanted, timeout = pipe.recv()
        heard, early = early, Heard()
        deadline = time.monotonic() + timeout
        while heard.deliveries < wanted and time.monotonic() < deadline:
            _read(selector, rests, heard, 0.2)
        heard.latencies.sort()
        pipe.send(heard)


def _read(
    selector: selectors.BaseSelector, rests: dict[socket.socket, bytes], heard: Heard, timeout: float
) -> None:
    for key, _ in selector.select(timeout):
        one = key.fileobj
        assert isinstance(one, socket.socket)
        data = one.recv(_CHUNK)
        now = time.monotonic_ns()
        if not data:
            selector.unregister(one)
            continue
        data = rests[one] + data
        end = 0
        for stamp in _STAMP.finditer(data):
            heard.deliveries += 1
            heard.latencies.append((now - int(stamp[1])) / 1e6)
            end = stamp.end()
        rests[one] = data[max(end, len(data) - _LONGEST_STAMP) :]


def _join(url: str, nick: str) -> socket.socket:
    """Upgrade, say hello, and wait for the room to go on."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    one = socket.create_connection((parts.hostname, parts.port or 80), timeout=30)
    key = base64.b64encode(os.urandom(16)).decode()
    one.sendall(
        f"GET /chat HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    hello = {"type": "hello", "nick": nick, "session": nick, "rooms": {"main": None}, "replay": 0}
    one.sendall(text_frame(json.dumps(hello).encode()))
    seen = b""
    while b'"type":"resume"' not in seen:
        data = one.recv(1 << 16)
        if not data:
            raise ConnectionError(f"the server hung up: {seen[-200:]!r}")
        seen += data
    return one


def text_frame(payload: bytes) -> bytes:
    """A client's text frame, masked with zeros (RFC 6455 section 5.3 wants a mask, not a secret)."""
    length = len(payload)
    head = bytes((0x81, 0x80 | length)) if length < 126 else bytes((0x81, 0xFE)) + length.to_bytes(2)
    return head + b"\0\0\0\0" + payload
