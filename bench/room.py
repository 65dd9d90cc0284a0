"""A real ``pushtui serve`` of its own for a measurement."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

PUSHTUI = [sys.executable, "-m", "pushtui"]
#: All clients of a measurement are on one machine, and send as fast as they can.
UNLIMITED = ["--send-rate", "0", "--max-connections-per-address", "1000000"]


@contextmanager
def room(*options: str) -> Iterator[tuple[str, int]]:
    """Serve on a free port, the log in a temporary folder; gives the URL and the process id."""
    with tempfile.TemporaryDirectory(prefix="pushtui-bench-") as folder:
        command = [*PUSHTUI, "serve", "--port", "0", "--data", folder, "--log-level", "warning"]
        with subprocess.Popen([*command, *UNLIMITED, *options], stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                yield server.stdout.readline().split()[-1], server.pid
            finally:
                server.terminate()
