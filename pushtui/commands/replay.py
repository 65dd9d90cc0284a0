"""``pushtui replay``: a recording, played again through the same views."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import BinaryIO

from pushtui.client.clock import SystemClock
from pushtui.commands import terminal
from pushtui.commands.record_lines import printed, written
from pushtui.commands.standard_output import while_read
from pushtui.exits import CommandError, Exit
from pushtui.protocol.text import safe_line
from pushtui.wire.player import play
from pushtui.wire.recording import Recording, RecordingUnreadableError
from pushtui.wire.records import Record


def run(file: Path, *, speed: float, screen: bool, as_json: bool) -> int:
    """Play it to its end.

    Args:
        file: the recording.
        speed: how many times as fast as it happened.
        screen: in the lens; else as lines.
        as_json: lines of JSON instead of text.

    Returns:
        The exit code.

    Raises:
        CommandError: the file cannot be read, or is no recording.
        BrokenPipeError: nobody reads any more.
    """
    path = file.expanduser()
    with _opened(path) as source:
        beginning = _recording(path, source).beginning
    if screen:
        from tui.lens.app import run as run_lens

        return terminal.orderly(lambda: run_lens(lambda: _played(path, speed), safe_line(beginning.url)))
    asyncio.run(while_read(printed(_played(path, speed), written(beginning, as_json))))
    return Exit.FINE


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(Exit.WRONG_OPTIONS, f"{path} cannot be read: {error.strerror}") from error


def _recording(path: Path, source: BinaryIO) -> Recording:
    try:
        return Recording(source)
    except RecordingUnreadableError as error:
        raise CommandError(Exit.WRONG_OPTIONS, f"{path}: {error}") from error


async def _played(path: Path, speed: float) -> AsyncGenerator[Record, None]:
    with _opened(path) as source:
        try:
            async for record in play(_recording(path, source), SystemClock(), speed):
                yield record
        except RecordingUnreadableError as error:
            raise CommandError(Exit.WRONG_OPTIONS, f"{path}: {error}") from error
