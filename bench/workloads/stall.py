"""How long the server's event loop is busy with one thing while 10 000 listeners are flushed.

``python -m bench.workloads.stall FILE serve …`` is ``pushtui serve …`` with a probe in its loop: a timer that is
due each millisecond and remembers how late it was. SIGUSR1 has it write that into the file and begin anew.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.load.speaker import Speaker
from bench.peers.peer import ROOM, Wire
from bench.peers.pushtui import Pushtui, serve_options
from bench.workloads.sample import Sample, Stage
from bench.workloads.saying import Load, run

_LISTENERS = 10_000
_QUICK_LISTENERS = 2_000
_MESSAGES = 40
_RATE = 5
_EACH_SECONDS = 0.001
_WRITTEN_SECONDS = 5.0


class _Probed(Pushtui):
    """pushtui, with the probe."""

    _path = Path()

    def command(self, port: int, folder: Path) -> Sequence[str]:
        """The launcher below."""
        self._path = folder / "late.txt"
        options = serve_options(port, folder)
        return [sys.executable, "-m", "bench.workloads.stall", str(self._path), "serve", *options]

    def late_ms(self, pid: int) -> list[float]:
        """The probe's lateness since it was asked last, sorted."""
        self._path.unlink(missing_ok=True)
        os.kill(pid, signal.SIGUSR1)
        deadline = time.monotonic() + _WRITTEN_SECONDS
        while not self._path.exists():
            if time.monotonic() > deadline:
                raise TimeoutError("the probe says nothing")
            time.sleep(0.01)
        return sorted(float(line) for line in self._path.read_text().split())


def stall(stage: Stage, wire: Wire) -> Iterator[Sample]:
    """Single messages and bursts, each to all listeners."""
    listeners = _QUICK_LISTENERS if stage.quick else _LISTENERS
    peer = _Probed()
    with stage.play(peer, listeners) as (running, people):
        people.connect(running.port, [peer.listen(wire, ROOM, number) for number in range(listeners)])
        with Speaker(running.port, peer.speak("post", [ROOM])) as speaker:
            people.quiet()
            run(stage, running, people, speaker, Load("warm-up", 5), 5)
            for load in (
                Load("stall, one by one", _MESSAGES, per_second=_RATE),
                Load("stall, burst", _MESSAGES, burst=True),
            ):
                people.quiet()
                peer.late_ms(running.pid)
                figures = run(stage, running, people, speaker, load, load.messages)
                late = peer.late_ms(running.pid)
                figures["stall_worst_ms"] = late[-1]
                figures["stall_p99_ms"] = late[int(0.99 * len(late))]
                yield Sample(load.name, Pushtui.name, f"post-{wire}", listeners, figures)


class _Probe(asyncio.DefaultEventLoopPolicy):
    """Makes event loops with the timer in them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._late: list[float] = []

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that ``pushtui serve`` runs in."""
        loop = super().new_event_loop()
        loop.call_soon(self._start, loop)
        return loop

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.add_signal_handler(signal.SIGUSR1, self._write)
        self._tick(loop, loop.time())

    def _tick(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        now = loop.time()
        self._late.append(1000 * (now - due))
        loop.call_at(now + _EACH_SECONDS, self._tick, loop, now + _EACH_SECONDS)

    def _write(self) -> None:
        late, self._late = self._late, []
        draft = self._path.with_suffix(".draft")
        draft.write_text("\n".join(f"{one:.3f}" for one in late or [0.0]))
        draft.rename(self._path)


def main() -> None:
    """Serve, with the probe."""
    asyncio.set_event_loop_policy(_Probe(Path(sys.argv.pop(1))))
    from pushtui.cli import main as pushtui

    pushtui()


if __name__ == "__main__":
    main()
