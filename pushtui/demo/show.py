"""The process in front of the demo: it owns the terminal, and ties the stage behind it to its own life."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, cast

from pushtui.client.address import Address
from pushtui.commands import terminal
from pushtui.exits import CommandError, Exit

NICK = "guest"
ROOM = "main"
STOP_SECONDS = 10.0


def run(seconds: float | None) -> int:
    """Show the demo.

    Args:
        seconds: print both flows for so long instead of opening the screen; None opens it.

    Returns:
        The exit code.

    Raises:
        CommandError: there is no terminal, or the server did not start.
    """
    if seconds is None:
        terminal.require("the demo", "without one, --seconds 20 prints it for 20 seconds")
    return terminal.orderly(lambda: _show(seconds))


def _show(seconds: float | None) -> int:
    with tempfile.TemporaryFile() as errors, _stage(errors) as stage:
        if seconds is None:
            import tui.app as screen  # while the stage is being set up

            return screen.run(_address(stage, errors), NICK, ROOM, keep=False)
        asyncio.run(_print_for(seconds, _address(stage, errors)))
        return Exit.FINE


@contextmanager
def _stage(errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    stage = subprocess.Popen(
        (sys.executable, "-m", "pushtui.demo.stage"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,  # one line of it would fall into the middle of the screen
        start_new_session=True,  # out of reach of this terminal's Ctrl-C: it ends by the pipe
    )
    lifeline, output = cast(IO[bytes], stage.stdin), cast(IO[bytes], stage.stdout)
    try:
        yield stage
    finally:
        lifeline.close()
        try:
            stage.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(stage.pid, signal.SIGKILL)  # its own group: the server is in it
            stage.wait()
        output.close()


def _address(stage: subprocess.Popen[bytes], errors: IO[bytes]) -> Address:
    line = cast(IO[bytes], stage.stdout).readline().decode().strip()
    if line:
        return Address.parse(line)
    stage.wait()
    errors.seek(0)
    last = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
    raise CommandError(Exit.CANNOT_START, f"the demo cannot start: {last}")


async def _print_for(seconds: float, address: Address) -> None:
    from pushtui.commands import tail

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as flows:
            for flow in ("chat", "status"):
                flows.create_task(tail.follow(flow, address, room=ROOM, nick=NICK, replay=50))
