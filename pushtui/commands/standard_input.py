"""Lines of standard input, while other things go on."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from io import UnsupportedOperation

_CHUNK = 65536


class LineTooLongError(Exception):
    """A line goes on and on."""


async def lines(longest: int) -> AsyncIterator[bytes]:
    r"""Yield them as they come, without their ends; the last one may have none.

    Args:
        longest: the most bytes of one line.

    Raises:
        LineTooLongError: there is a longer one.
    """
    held = b""
    async for chunk in _chunks():
        *whole, held = (held + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r")
        if len(held) > longest:
            raise LineTooLongError
    if held:
        yield held


async def _chunks() -> AsyncIterator[bytes]:
    try:
        source = sys.stdin.fileno()
    except (AttributeError, UnsupportedOperation, ValueError):
        return  # there is none
    # Not every kind of input can be waited for by an event loop, and the thread must not hold Python's own buffer:
    # it is still in there when the process ends.
    queue: asyncio.Queue[bytes] = asyncio.Queue(1)
    threading.Thread(
        target=_read, args=(source, asyncio.get_running_loop(), queue), name="standard-input", daemon=True
    ).start()
    while chunk := await queue.get():
        yield chunk


def _read(source: int, loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[bytes]) -> None:
    chunk = b"-"
    while chunk:
        try:
            chunk = os.read(source, _CHUNK)
        except OSError:
            chunk = b""
        putting = queue.put(chunk)
        try:
            asyncio.run_coroutine_threadsafe(putting, loop).result()
        except RuntimeError:  # the loop is closed: nobody wants it any more
            putting.close()
            return
