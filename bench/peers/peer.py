"""What the bench has to know of a push server."""

import os
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from bench.load.opening import Opening
from bench.load.processor import pin
from bench.load.speaker import Way

Wire = Literal["ws", "sse"]
Entrance = Literal["ws", "post"]
ROOM = "main"
#: Where what is installed for the bench alone is kept.
CACHE = Path(os.environ.get("PUSHTUI_BENCH_CACHE") or Path(__file__).parents[2] / ".bench")
PROGRAMS = Path(__file__).parent / "programs"
_START_SECONDS = 20
_STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Running:
    """A server that was started."""

    pid: int
    port: int


class Peer(ABC):
    """One push server.

    Attributes:
        name: as on the command line and in the results.
        title: as a person reads it.
        stores: what it has done with a message when it acknowledges it.
        routes: the ways through it: how messages come in, and how they go out.
    """

    name: str
    title: str
    stores: str
    routes: Sequence[tuple[Entrance, Wire]]

    @abstractmethod
    def missing(self) -> str | None:
        """Why it cannot be measured here; None when it can."""

    @abstractmethod
    def command(self, port: int, folder: Path) -> Sequence[str]:
        """What to run, in the foreground; the folder is empty, and gone afterwards."""

    @abstractmethod
    def listen(self, wire: Wire, room: str, number: int) -> Opening:
        """How the listener of that number comes into a room."""

    @abstractmethod
    def speak(self, entrance: Entrance, rooms: Sequence[str]) -> Way:
        """How messages come in; the rooms get them in turn."""

    def prepare(self, folder: Path, rooms: Sequence[str]) -> None:
        """Make rooms before it runs; most make them when somebody comes."""
        del folder, rooms

    @contextmanager
    def started(self, folder: Path, core: int) -> Iterator[Running]:
        """Run it on one core."""
        port = free_port()
        with (folder / "output.txt").open("w+") as output:
            command = self.command(port, folder)
            process = subprocess.Popen(command, stdout=output, stderr=output, preexec_fn=lambda: pin(core))
            try:
                _wait_for(port, process, output)
                yield Running(process.pid, port)
            finally:
                process.terminate()
                try:
                    process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def python() -> str:
    """The interpreter that has the peers' packages: the cache's if it is there, else this one."""
    own = CACHE / "venv" / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def has_modules(*modules: str) -> bool:
    """Whether the peers' interpreter can import all of these."""
    script = f"import importlib.util as u; raise SystemExit(not all(u.find_spec(m) for m in {modules!r}))"
    return subprocess.run([python(), "-c", script], check=False).returncode == 0


def _wait_for(port: int, process: subprocess.Popen[bytes], output: IO[str]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                output.seek(0)
                raise RuntimeError(f"{process.args!r} did not start: {output.read()[-2000:]}") from error
            time.sleep(0.05)
        else:
            return
