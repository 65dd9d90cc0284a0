"""A command in a pseudo-terminal: every byte that it writes there, and what a terminal makes of them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pyte

SECONDS = 30

#: What Textual sends to a terminal to paint and to be told of keys; nothing else that begins with ESC is right.
_PAINTING = re.compile(
    r"""
      \x1b\[[0-9;:]*m                           # colours and styles
    | \x1b\[[0-9]+;[0-9]+H                      # the cursor goes somewhere
    | \x1b\[\?(?:7|1049|25|1000|1002|1003|1004|1006|1015|1016|2004|2026|2048)[hl]  # modes
    | \x1b\[\?(?:2026|2048)\$p                  # which modes are there?
    | \x1b\[[<>=?]?[0-9;]*u                     # the keyboard protocol
    | \x1b\[(?:1?[0-9]t|c)                      # what size, what kind is it?
    | \x1b\]22;[a-z-]*\x07                     # the shape of the pointer
    | \x1b\]8;(?:id=[0-9.-]+)?;(?:https?://[!-~]*)?\x1b\\  # a link, percent-encoded
    """,
    re.VERBOSE,
)
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
#: A line end of a command is CR LF in a terminal; a CR alone goes back over the line.
_ALONE = re.compile("\r(?!\n)")


def painted_harm(data: bytes) -> list[str]:
    """What a screen wrote that it should not have."""
    rest = _PAINTING.sub("", data.decode())
    return [ascii(rest[max(0, found.start() - 20) : found.end() + 40]) for found in _CONTROL.finditer(rest)]


def printed_harm(data: bytes) -> list[str]:
    """What a command that prints lines wrote that it should not have."""
    text = data.decode()
    found = [*_CONTROL.finditer(text), *_ALONE.finditer(text)]
    return [ascii(text[max(0, one.start() - 20) : one.end() + 40]) for one in found]


class PseudoTerminal:
    """Runs ``pushtui`` with these arguments and variables for the length of an ``async with``.

    Attributes:
        written: all bytes so far.
        code: with which it ended.
    """

    def __init__(self, home: Path, *arguments: str, columns: int = 120, lines: int = 36, **variables: str) -> None:
        self.written = bytearray()
        self.code: int | None = None
        self._arguments = arguments
        self._size = (columns, lines)
        self._variables = variables | {"HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._master, slave = pty.openpty()
        columns, lines = self._size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PUSHTUI_", "XDG_", "TMUX"))
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pushtui",
            *self._arguments,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment | self._variables,
            start_new_session=True,
        )
        os.close(slave)
        asyncio.get_running_loop().add_reader(self._master, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    @property
    def rows(self) -> list[str]:
        # Not pyte's `display`, which fails at half of a wide character.
        columns, lines = self._size
        return ["".join(self._screen.buffer[y][x].data for x in range(columns)) for y in range(lines)]

    def column(self, sign: str) -> list[int]:
        """The rows that have this sign in the column where the first row has it last; none if it has not."""
        cells = self._screen.buffer
        places = [x for x in range(self._screen.columns) if cells[0][x].data == sign]
        return [y for y in range(self._screen.lines) if places and cells[y][places[-1]].data == sign]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until it holds; looked at whenever something was written."""
        try:
            async with asyncio.timeout(SECONDS):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError("\n".join(["it never came to hold; the screen:", *self.rows])) from None

    async def shows(self, *texts: str) -> None:
        await self.until(lambda: all(text in "\n".join(self.rows) for text in texts))

    async def hides(self, text: str) -> None:
        await self.until(lambda: text not in "\n".join(self.rows))

    async def prints(self, *texts: str) -> None:
        await self.until(lambda: all(text.encode() in self.written for text in texts))

    async def ends(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self._ended.wait()
            self.code = await self._process.wait()

    def _read(self) -> None:
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # the other end is closed
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
            self._ended.set()
        self.written += data
        self._stream.feed(data)
        self._changed.set()
