"""A mixed room: what 1 % slow readers cost the others, and the server's memory."""

from collections.abc import Iterator

from bench.load.processor import memory_bytes
from bench.load.speaker import Speaker
from bench.peers.peer import ROOM, Peer
from bench.workloads.sample import Sample, Stage
from bench.workloads.saying import Load, run

_LISTENERS = 1000
_SLOW = 10
_RATE = 100
_SECONDS = 10
_QUICK_SECONDS = 4
#: 150 kB a second for a reader that takes 10.
_TEXT_BYTES = 1500


def mixed(stage: Stage, peer: Peer) -> Iterator[Sample]:
    """The same steady stream with none and with 10 of 1 000 who read too slowly."""
    for slow in (0, _SLOW):
        with stage.play(peer, _LISTENERS) as (running, people):
            openings = [peer.listen("ws", ROOM, number) for number in range(_LISTENERS)]
            people.connect(running.port, openings[slow:])
            if slow:
                people.connect(running.port, openings[:slow], slow=True)
            with Speaker(running.port, peer.speak("ws", [ROOM])) as speaker:
                people.quiet()
                before = memory_bytes(running.pid)
                messages = _RATE * (_QUICK_SECONDS if stage.quick else _SECONDS)
                load = Load("mixed", messages, per_second=_RATE, size=_TEXT_BYTES)
                figures = run(stage, running, people, speaker, load, messages)
                figures["memory_grown_mib"] = (memory_bytes(running.pid) - before) / (1 << 20)
        yield Sample("mixed" if slow else "mixed, none slow", peer.name, "ws-ws", _LISTENERS, figures)
