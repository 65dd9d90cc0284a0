"""What the screen costs: first paint, idle, with messages coming in, and with 20 000 messages held."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.measured import Measured
from bench.room import PUSHTUI, room
from bench.terminal import Terminal
from pushtui.client.address import Address
from pushtui.client.chat import ChatClient

_PAINTS = 5
_SETTLE_SECONDS = 4
_WATCH_SECONDS = 20
#: What the composer says while it is empty; its first letter is under the cursor.
_COMPOSER = "ay something"
_TEXT = "p99 is back to 80 ms on the checkout, the rollback of v1.4 did it; see https://grafana.example/d/7"


def measure() -> Iterator[Measured]:
    """All of it, one after the other; about two minutes."""
    yield from _first_paint()
    yield from _idle()
    for rate in (10, 50, 500):
        yield _under_messages(rate)


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


def _under_messages(rate: int) -> Measured:
    with room() as (url, _), _screen(url) as terminal:
        terminal.painted("live")
        time.sleep(_SETTLE_SECONDS)
        used = terminal.processor_seconds()
        began = time.monotonic()
        asyncio.run(_talk(url, rate, _WATCH_SECONDS))
        share = 100 * (terminal.processor_seconds() - used) / (time.monotonic() - began)
    return Measured(f"screen, {rate} messages a second", share, "% of a core", {50: 20, 500: 35}.get(rate))


async def _talk(url: str, rate: int, seconds: float) -> None:
    async with ChatClient(Address.parse(url), nick="talker", rooms=("main",), replay=0) as chat:
        heard = asyncio.create_task(_listen(chat))
        began = time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0, began + number / rate - time.monotonic()))
            chat.say("main", f"{number} {_TEXT}")
        heard.cancel()


async def _listen(chat: ChatClient) -> None:
    async for _ in chat:
        pass
