"""Many who only listen: how fast they are let in, what memory each takes, what they cost while nothing is said."""

import time
from collections.abc import Iterator

from bench.load.processor import memory_bytes, processor_seconds
from bench.peers.peer import ROOM, Peer, Wire
from bench.workloads.sample import Sample, Stage

_PEOPLE = 5000
_QUICK_PEOPLE = 1000
#: Long enough for a ping (every 20 s) and two heartbeats (every 15 s) of each connection.
_IDLE_SECONDS = 40.0
_QUICK_IDLE_SECONDS = 5.0


def crowd(stage: Stage, peer: Peer, wire: Wire, *, idle: bool) -> Iterator[Sample]:
    """One fresh server with 5 000 connections on it; ``idle`` takes 40 s more."""
    count = _QUICK_PEOPLE if stage.quick else _PEOPLE
    with stage.play(peer, count) as (running, people):
        before = memory_bytes(running.pid)
        used = processor_seconds(running.pid)
        seconds = people.connect(running.port, [peer.listen(wire, ROOM, number) for number in range(count)])
        people.quiet()
        used = processor_seconds(running.pid) - used
        accepting = {"seconds": seconds, "server_us_per_connection": 1e6 * used / count}
        yield Sample("accept", peer.name, wire, count, accepting)
        memory = (memory_bytes(running.pid) - before) / count / 1024
        yield Sample("memory", peer.name, wire, count, {"kb_per_connection": memory})
        if idle:
            wait = _QUICK_IDLE_SECONDS if stage.quick else _IDLE_SECONDS
            used = processor_seconds(running.pid)
            time.sleep(wait)
            used = processor_seconds(running.pid) - used
            yield Sample("idle", peer.name, wire, count, {"server_percent": 100 * used / wait})
