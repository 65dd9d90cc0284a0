"""The server of a duel that was given none: on this machine, in memory, and it ends with whoever started it.

It is a process of its own, so that the server does not take its time from those who measure.
"""

import asyncio
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from pushtui.client.address import Address
from pushtui.duel.contender import DuelError

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0


@asynccontextmanager
async def own_server() -> AsyncIterator[Address]:
    """Run it as long as the block does.

    Raises:
        DuelError: it does not start.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pushtui.duel.stage"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # one line of it would fall into the middle of the screen
        env={name: value for name, value in os.environ.items() if not name.startswith("PUSHTUI_")},
        start_new_session=True,  # out of reach of this terminal's Ctrl-C: it ends by the pipe
    )
    try:
        yield await _address(process)
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


def main() -> int:
    """Serve until standard input ends, however the process at its other end came to its own."""
    from pushtui.cli import main as pushtui

    threading.Thread(target=_end_with_input, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="pushtui-duel-") as folder:
        configuration = Path(folder) / "config.toml"
        configuration.touch()  # an empty one, so that the user's own does not count
        return pushtui(
            [
                *("serve", "--memory", "--host", "127.0.0.1", "--port", "0", "--data", str(Path(folder) / "data")),
                *("--send-rate", "0", "--interval", "3600", "--log-level", "error"),
                *("--config", str(configuration)),
            ]
        )


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
