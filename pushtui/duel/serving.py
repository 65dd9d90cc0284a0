"""The process of a duel's own server: it ends with its standard input, however the other end came to its own."""

import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from pushtui.cli import main as pushtui


def main() -> int:
    """Serve; returns the exit code."""
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
