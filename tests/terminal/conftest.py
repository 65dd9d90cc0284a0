"""The program as a person meets it: real commands in a real terminal (tmux), a real server beside it."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

PUSHTUI = f"{sys.executable} -m pushtui"
SECONDS = 30

if shutil.which("tmux") is None:
    collect_ignore_glob = ["test_*.py"]
    sys.stderr.write("tests/terminal is left out: there is no tmux on this machine\n")


class Terminal:
    """One tmux window, of a server of its own so that nobody's other windows are touched."""

    def __init__(self, home: Path, columns: int, lines: int) -> None:
        self._socket = f"pushtui-{uuid.uuid4().hex[:8]}"
        self._nap = threading.Event()
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PUSHTUI_", "TMUX", "XDG_"))
        }
        self._environment = environment | {"HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self._tmux("-f", os.devnull, "new-session", "-d", "-s", "it", "-x", str(columns), "-y", str(lines), "sh")
        self._tmux("set", "-g", "escape-time", "0")

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], check=False, capture_output=True)

    def run(self, command: str) -> None:
        """Type a command at the shell; its exit code is on the screen in the end."""
        self._tmux("send-keys", "-t", "it", "-l", f"{command}; echo ended with $?")
        self.press("Enter")

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-t", "it", "-l", text)

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", "-t", "it", *keys)

    def paste(self, text: str) -> None:
        """Paste as a terminal does, in brackets if the program asked for that."""
        self._tmux("set-buffer", "--", text)
        self._tmux("paste-buffer", "-p", "-t", "it")

    def resize(self, columns: int, lines: int) -> None:
        self._tmux("resize-window", "-t", "it", "-x", str(columns), "-y", str(lines))

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", "-t", "it")

    def shows(self, *texts: str, without: str | None = None) -> str:
        """Wait until all texts are on the screen, and one is not; returns the screen."""
        deadline = time.monotonic() + SECONDS
        while True:
            screen = self.screen()
            if all(text in screen for text in texts) and (without is None or without not in screen):
                return screen
            assert time.monotonic() < deadline, f"not on the screen: {texts}, without {without!r}\n{screen}"
            self._nap.wait(0.05)

    def _tmux(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self._socket, *arguments],
            check=True,
            capture_output=True,
            encoding="utf-8",
            env=self._environment,
            timeout=SECONDS,
        ).stdout


class Served:
    """``pushtui serve`` on one port, its log in one folder, over all its lives."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "pushtui", "serve", "--port", port, "--data", str(self._data)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.communicate(timeout=SECONDS)
            self._process = None

    def post(self, path: str, text: str) -> None:
        httpx.post(f"{self.url}{path}", content=text, trust_env=False).raise_for_status()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def terminal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    columns, lines = getattr(request, "param", (120, 36))
    (tmp_path / "home").mkdir()
    window = Terminal(tmp_path / "home", columns, lines)
    yield window
    window.close()
