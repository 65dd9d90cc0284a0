"""Samples of hosts that tests look at."""

from collections.abc import Sequence

from pushtui.client.happenings import Link, LinkState, StatusEvent
from pushtui.protocol.positions import Position
from pushtui.protocol.samples import (
    Cpu,
    Disk,
    DiskIo,
    Memory,
    Network,
    Process,
    Processes,
    Sample,
    Temperature,
)
from tui.state.status import StatusState

NOW = 1_795_000_000_000
GIB = 1024**3


def full_sample(
    host: str = "ops-1", at: int = NOW, *, cpu: float = 37, disk: float = 72, cores: int = 8
) -> Sample:
    return Sample(
        host,
        at,
        1.0,
        cpu=Cpu(cpu, [cpu] * cores, cores, (0.42, 0.38, 0.30)),
        memory=Memory(16 * GIB, round(9.8 * GIB), 61, 0.0),
        disks=[Disk("/", 200 * GIB, 144 * GIB, disk), Disk("/var", 100 * GIB, 41 * GIB, 41)],
        disk_io=DiskIo(1.2e6, 3e5),
        network=Network(2.5e6, 4e5),
        processes=Processes(213, [Process(1, "postgres", 22, 3 * GIB), Process(2, "node", 9, GIB)]),
        temperatures=[Temperature("coretemp", 54)],
        uptime_seconds=12 * 86_400,
    )


def event(body: object, seq: int | None = None, kind: str = "sample", *, replayed: bool = False) -> StatusEvent:
    position = None if seq is None else Position("abcdefgh", seq)
    return StatusEvent(position, kind, body, replayed)  # type: ignore[arg-type]


def live_state(samples: Sequence[Sample] = ()) -> StatusState:
    state = StatusState()
    state.apply(Link(LinkState.LIVE), NOW)
    for sample in samples:
        state.apply(event(sample), sample.at)
    return state
