"""One measurement of one server, and the stage it is played on."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.load.audience import Audience, audience
from bench.peers.peer import Peer, Running


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run of one workload came to.

    Attributes:
        workload: its name.
        peer: the server's name.
        route: how messages came in and went out, as ``post-ws``; or the way out alone.
        listeners: how many.
        figures: by name; the unit is the end of the name.
    """

    workload: str
    peer: str
    route: str
    listeners: int
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where it is played.

    Attributes:
        server_core: the server's.
        load_cores: everybody else's.
        quick: a short look instead of figures to keep.
    """

    server_core: int
    load_cores: tuple[int, ...]
    quick: bool

    @contextmanager
    def play(self, peer: Peer, listeners: int, rooms: Sequence[str] = ()) -> Iterator[tuple[Running, Audience]]:
        """A fresh server with these rooms, and reader processes for so many listeners, not connected yet."""
        with tempfile.TemporaryDirectory(prefix="pushtui-bench-") as name:
            folder = Path(name)
            if rooms:
                peer.prepare(folder, rooms)
            with peer.started(folder, self.server_core) as running, audience(self.load_cores, listeners) as people:
                yield running, people

    def load_share(self, readers: float, speaker: float, seconds: float) -> float:
        """Percent of a core that the busiest core of the load was busy; who speaks shares the last one's."""
        busiest = readers + speaker if len(self.load_cores) == 1 else max(readers, speaker)
        return 100 * busiest / seconds
