"""What stuck readers cost the others: 50 among 500, the same run with and without them."""

import asyncio
import time
from collections.abc import Iterator

import psutil

from bench.listeners import Heard, listeners, stamped
from bench.measured import Measured
from bench.room import room
from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import Delivery

_LISTENERS = 500
_STUCK = 50
_RATE = 20
_SECONDS = 24
_PADDING = "x" * 2500


def measure() -> Iterator[Measured]:
    """20 messages of 2.5 kB a second; a reader that takes none of them is full after a few seconds."""
    results = {}
    for stuck in (0, _STUCK):
        with room() as (url, pid), listeners(url, _LISTENERS - stuck, stuck=stuck) as audience:
            before = psutil.Process(pid).memory_info().rss
            messages = _RATE * _SECONDS
            asyncio.run(_talk(url, messages))
            heard = audience.hear(messages * (_LISTENERS - stuck))
            grown = (psutil.Process(pid).memory_info().rss - before) / (1 << 20)
            results[stuck] = heard
            yield from _figures(heard, f"{stuck} of {_LISTENERS} stuck", grown)
    ratio = results[_STUCK].percentile(0.99) / results[0].percentile(0.99)
    yield Measured("p99 with stuck readers, times p99 without", ratio, "")


def _figures(heard: Heard, name: str, grown: float) -> Iterator[Measured]:
    yield Measured(f"{name}: latency of the others, median", heard.percentile(0.5), "ms")
    yield Measured(f"{name}: latency of the others, p99", heard.percentile(0.99), "ms")
    yield Measured(f"{name}: memory of the server has grown by", grown, "MiB")


async def _talk(url: str, messages: int) -> None:
    async with ChatClient(Address.parse(url), nick="talker", rooms=("main",), replay=0) as chat:
        stored = asyncio.create_task(_stored(chat, messages))
        began = time.monotonic()
        for number in range(messages):
            await asyncio.sleep(max(0, began + number / _RATE - time.monotonic()))
            chat.say("main", stamped(_PADDING))
        await stored


async def _stored(chat: ChatClient, messages: int) -> None:
    async for happening in chat:
        match happening:
            case Delivery(state="stored"):
                messages -= 1
                if not messages:
                    return
