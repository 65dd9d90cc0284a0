"""What a command that prints for as long as somebody reads needs of its standard output."""

import asyncio
import os
import stat
import sys
from collections.abc import Coroutine
from typing import Any


async def while_read(printing: Coroutine[Any, Any, None]) -> None:
    """Run it to its end, or until nobody reads what it prints.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    tasks = (asyncio.ensure_future(printing), asyncio.ensure_future(_reader_gone()))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _reader_gone() -> None:
    """Raise BrokenPipeError as soon as nobody reads standard output; wait for ever if that cannot be told.

    Without it a quiet flow in ``pushtui tail | head -1`` would stay until its next line.
    """
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    output = sys.stdout.fileno()
    watchable = os.name == "posix" and stat.S_ISFIFO(os.fstat(output).st_mode)
    if watchable:
        # the write end of a pipe becomes readable when its read end is closed, and never before
        loop.add_reader(output, gone.set)
    try:
        await gone.wait()
    finally:
        if watchable:
            loop.remove_reader(output)
    raise BrokenPipeError
