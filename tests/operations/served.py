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

    def token(self, name: str) -> str:
        """Make a token as the one who runs the server does."""
        command = self._command("token", "create", name)
        made = subprocess.run(
            command, check=True, capture_output=True, encoding="utf-8", env=_environment(), timeout=SECONDS
        )
        return made.stdout.strip()

    def start(self) -> None:
        """Start it; returns when it listens."""
        with self._said.open("w") as errors:
            self._process = subprocess.Popen(
                # Nothing but what a test makes: samples would push out what is stuck in a buffer.
                self._command("serve", "--port", str(self.port), "--interval", "3600", *self._options),
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                env=_environment() | {"PUSHTUI_LOG_LEVEL": "warning"},
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

    def _command(self, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-m", "pushtui", *arguments, "--data", str(self._data))


def _environment() -> dict[str, str]:
    """Nothing of the user's own settings counts."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PUSHTUI_")}
