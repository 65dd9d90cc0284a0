"""``pushtui replay``: a recording, played again through the same views."""

import asyncio
from collections.abc import AsyncIterator
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
    with _opened(file.expanduser()) as source:
        try:
            recording = Recording(source)
            if screen:
                return _show(recording, speed)
            write = written(recording.beginning, as_json)
            asyncio.run(while_read(printed(_played(recording, speed), write)))
        except RecordingUnreadableError as error:
            raise CommandError(Exit.WRONG_OPTIONS, f"{file}: {error}") from error
    return Exit.FINE


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(Exit.WRONG_OPTIONS, f"{path} cannot be read: {error.strerror}") from error


def _show(recording: Recording, speed: float) -> int:
    from tui.lens.app import run as run_lens

    title = safe_line(recording.beginning.url)
    return terminal.orderly(lambda: run_lens(lambda: _played(recording, speed), title, None))


def _played(recording: Recording, speed: float) -> AsyncIterator[Record]:
    return play(recording, SystemClock(), speed)
