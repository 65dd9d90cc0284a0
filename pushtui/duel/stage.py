"""The server of a duel that was given none: on this machine, in memory, and it ends with whoever started it.

It is a process of its own, so that the server does not take its time from those who measure.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

from pushtui.client.address import Address
from pushtui.duel.contender import DuelError

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0


@asynccontextmanager
async def own_server() -> AsyncIterator[Callable[[], Awaitable[Address]]]:
    """Run it as long as the block does.

    Yields:
        What waits until it listens and says where; it raises a `DuelError` if it does not.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pushtui.duel.serving"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # one line of it would fall into the middle of the screen
        env={name: value for name, value in os.environ.items() if not name.startswith("PUSHTUI_")},
        start_new_session=True,  # out of reach of this terminal's Ctrl-C: it ends by the pipe
    )
    try:
        yield lambda: _address(process)
    finally:
        cast(asyncio.StreamWriter, process.stdin).close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> Address:
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = (await cast(asyncio.StreamReader, process.stdout).readline()).decode()
    except TimeoutError:
        line = ""
    if found := re.search(r"https?://\S+", line):
        return Address.parse(found[0])
    raise DuelError("the duel's own server does not start")
