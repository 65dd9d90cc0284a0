"""Somebody who talks in the room ``main``, in a process of their own so that they slow nobody who measures."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import Delivery

_TEXT = "p99 is back to 80 ms on the checkout, the rollback of v1.4 did it; see https://grafana.example/d/7"
_UNANSWERED = 512


@contextmanager
def talking(url: str, messages: int, per_second: float | None = None) -> Iterator[None]:
    """Messages of 100 bytes, ``number`` first, so many a second or as fast as they are stored.

    The block is entered when the talker is in the room.
    """
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_run, args=(url, messages, per_second, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(30):
            raise TimeoutError("the talker did not come in")
        yield
    finally:
        process.terminate()
        process.join()


def _run(url: str, messages: int, per_second: float | None, ready: "multiprocessing.synchronize.Event") -> None:
    asyncio.run(_talk(url, messages, per_second, ready))


async def _talk(
    url: str, messages: int, per_second: float | None, ready: "multiprocessing.synchronize.Event"
) -> None:
    async with ChatClient(Address.parse(url), nick="talker", rooms=("main",), replay=0) as chat:
        room = asyncio.Semaphore(_UNANSWERED)
        listening = asyncio.create_task(_listen(chat, room))
        ready.set()
        began = time.monotonic()
        for number in range(1, messages + 1):
            await room.acquire()
            if per_second is not None:
                await asyncio.sleep(max(0, began + number / per_second - time.monotonic()))
            chat.say("main", f"{number} {_TEXT}")
        await listening


async def _listen(chat: ChatClient, room: asyncio.Semaphore) -> None:
    async for happening in chat:
        if isinstance(happening, Delivery) and happening.state == "stored":
            room.release()
