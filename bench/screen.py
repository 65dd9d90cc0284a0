"""What the screen costs: first paint, idle, messages coming in, keys under a flood, the lens, 100 000 messages."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.measured import Measured
from bench.room import PUSHTUI, room
from bench.talker import talking
from bench.terminal import Terminal

_PAINTS = 5
_SETTLE_SECONDS = 4
_WATCH_SECONDS = 20
#: What the composer says while it is empty; its first letter is under the cursor.
_COMPOSER = "ay something"
_FLOOD = 500
_HELD = 100_000
_HELD_SECONDS = 600
_LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"
_BETWEEN_KEYS = 0.15
_F2 = "\x1bOQ"


def measure() -> Iterator[Measured]:
    """All of it, one after the other; about four minutes."""
    yield from _first_paint()
    yield from _idle()
    for rate in (1, 10, 50, _FLOOD):
        yield from _under_messages(rate)
    yield from _under_messages(_FLOOD, lens=True)
    yield from _memory()


@contextmanager
def _screen(url: str) -> Iterator[Terminal]:
    with Terminal([*PUSHTUI, "connect", url, "--nick", "bench", "--room", "main"]) as terminal:
        yield terminal


def _first_paint() -> Iterator[Measured]:
    with room() as (url, _):
        seconds = []
        for _ in range(_PAINTS):
            with _screen(url) as terminal:
                seconds.append(terminal.painted(_COMPOSER) - terminal.started)
    yield Measured(f"first paint of connect, median of {_PAINTS}", statistics.median(seconds), "s", 0.6)


def _idle() -> Iterator[Measured]:
    with room() as (url, pid), _screen(url) as terminal:
        terminal.painted("live")
        time.sleep(_SETTLE_SECONDS)
        server = psutil.Process(pid)
        served = sum(server.cpu_times()[:2])
        used, painted = terminal.processor_seconds(), terminal.painted_bytes
        time.sleep(_WATCH_SECONDS)
        share = 100 * (terminal.processor_seconds() - used) / _WATCH_SECONDS
        yield Measured("screen, idle, one sample a second", share, "% of a core", 1.5)
        yield Measured("bytes to the terminal", (terminal.painted_bytes - painted) / _WATCH_SECONDS, "B/s")
        share = 100 * (sum(server.cpu_times()[:2]) - served) / _WATCH_SECONDS
        yield Measured("server, idle, one sample a second", share, "% of a core", 1.5)


def _under_messages(rate: int, *, lens: bool = False) -> Iterator[Measured]:
    with room() as (url, _), _screen(url) as terminal:
        terminal.painted("live")
        time.sleep(_SETTLE_SECONDS)
        what = f"{rate} messages a second{', the lens open' if lens else ''}"
        if lens:
            terminal.answered(_F2, "payload")
        with talking(url, rate * _WATCH_SECONDS * 2, rate):
            used, painted, began = terminal.processor_seconds(), terminal.painted_bytes, time.monotonic()
            time.sleep(_WATCH_SECONDS)
            seconds = time.monotonic() - began
            share = 100 * (terminal.processor_seconds() - used) / seconds
            flow = (terminal.painted_bytes - painted) / seconds
            limit = None if lens else {50: 20, 500: 35}.get(rate)
            yield Measured(f"screen, {what}", share, "% of a core", limit)
            yield Measured(f"bytes to the terminal, {what}", flow, "B/s")
            if rate == _FLOOD and not lens:
                yield from _keys(terminal)


def _keys(terminal: Terminal) -> Iterator[Measured]:
    """Letters that nothing else on the screen has, one after the other into the composer."""
    latencies = []
    for letter in _LETTERS:
        latencies.append(1000 * terminal.answered(letter, letter))
        time.sleep(_BETWEEN_KEYS)
    latencies.sort()
    yield Measured("key press to paint under flood, median", statistics.median(latencies), "ms", 50)
    yield Measured("key press to paint under flood, worst of 24", latencies[-1], "ms")


def _memory() -> Iterator[Measured]:
    with room() as (url, _), _screen(url) as terminal:
        terminal.painted("live")
        time.sleep(_SETTLE_SECONDS)
        before = terminal.memory_bytes()
        yield Measured("memory of the screen, nothing said", before / (1 << 20), "MiB")
        began = time.monotonic()
        with talking(url, _HELD):
            terminal.painted(f"{_HELD} p99", _HELD_SECONDS)
            seconds = time.monotonic() - began
            grown = (terminal.memory_bytes() - before) / (1 << 20)
    yield Measured(f"memory of the screen, grown after {_HELD} messages", grown, "MiB")
    yield Measured(f"until the last of {_HELD} messages was painted", seconds, "s")
