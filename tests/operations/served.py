"""A real ``pushtui serve`` that can be stopped, and started again where it was."""

import os
import signal
import subprocess
import sys
from pathlib import Path

SECONDS = 20


class Served:
    """One server, with its log in a folder.

    Args:
        data: the folder.
        options: of ``pushtui serve``.

    Attributes:
        port: where it listens, the same after a restart.
    """

    def __init__(self, data: Path, *options: str) -> None:
        self.port = 0
        self._data = data
        self._said = data.with_name("serve.stderr")
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it; returns when it listens."""
        with self._said.open("w") as errors:
            self._process = subprocess.Popen(
                (
                    *(sys.executable, "-m", "pushtui", "serve", "--port", str(self.port)),
                    *("--data", str(self._data), "--log-level", "warning", "--interval", "3600", *self._options),
                ),
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                env={name: value for name, value in os.environ.items() if not name.startswith("PUSHTUI_")},
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("pushtui listens on "), self._said.read_text()
        self.port = int(line.rsplit(":", 1)[1])

    def stop(self) -> None:
        """End it as systemd does."""
        if self._process is not None:
            with self._process as process:
                process.send_signal(signal.SIGTERM)
                assert process.wait(SECONDS) == 0
            self._process = None
