"""A program in a terminal of a given size, watched from outside: bytes, processor time, when it painted what."""

import fcntl
import os
import pty
import signal
import struct
import termios
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import psutil


class Terminal:
    """Runs a command in a pseudo-terminal and reads what it paints, on a thread.

    Attributes:
        started: when the command was started, in seconds of `time.monotonic`.
        painted_bytes: what it has written to the terminal so far.
    """

    def __init__(self, command: Sequence[str], *, columns: int = 120, lines: int = 36) -> None:
        self._command = list(command)
        self._size = struct.pack("HHHH", lines, columns, 0, 0)
        self._seen: dict[bytes, float] = {}
        self._watched: set[bytes] = set()
        self._recent = b""
        self._news = threading.Condition()
        self.painted_bytes = 0
        self.started = 0.0

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.environ["TERM"] = "xterm-256color"
            fcntl.ioctl(0, termios.TIOCSWINSZ, self._size)
            os.execvp(self._command[0], self._command)
        self._process = psutil.Process(self._pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self._pid, signal.SIGTERM)
        deadline = time.monotonic() + 3
        while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                break
            time.sleep(0.01)
        os.close(self._fd)
        self._reader.join(3)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._fd, keys.encode())

    def answered(self, keys: str, text: str, timeout: float = 20) -> float:
        """Press keys, and return the seconds until a text was painted that was never painted before.

        Raises:
            TimeoutError: it was not painted in time.
        """
        with self._news:
            self._watched.add(text.encode())
        pressed = time.monotonic()
        self.type(keys)
        return self.painted(text, timeout) - pressed

    def memory_bytes(self) -> int:
        """What the command has of the memory, shared pages counted once (PSS)."""
        pss: int = self._process.memory_full_info().pss
        return pss

    def painted(self, text: str, timeout: float = 20) -> float:
        """Wait until a text was painted in one piece; returns when, in seconds of `time.monotonic`.

        Raises:
            TimeoutError: it was not painted in time.
        """
        wanted = text.encode()
        with self._news:
            self._watched.add(wanted)
            self._look()
            if not self._news.wait_for(lambda: wanted in self._seen, timeout):
                raise TimeoutError(f"{self._command[0]} did not paint {text!r} within {timeout} s")
            return self._seen[wanted]

    def processor_seconds(self) -> float:
        """User and system time that the command has used so far."""
        times = self._process.cpu_times()
        return times.user + times.system

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:
                return
            if not data:
                return
            with self._news:
                self.painted_bytes += len(data)
                self._recent = (self._recent + data)[-(1 << 18) :]
                self._look()

    def _look(self) -> None:
        now = time.monotonic()
        for wanted in self._watched - self._seen.keys():
            if wanted in self._recent:
                self._seen[wanted] = now
                self._news.notify_all()
