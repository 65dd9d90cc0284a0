"""Many small rooms: 500 of them, 10 listeners in each, every message to another room."""

from collections.abc import Iterator

from bench.load.speaker import Speaker
from bench.peers.peer import Peer
from bench.workloads.sample import Sample, Stage
from bench.workloads.saying import Load, run

_ROOMS = 500
_IN_EACH = 10
_QUICK_ROOMS = 100
_ROUNDS = 10


def rooms(stage: Stage, peer: Peer) -> Iterator[Sample]:
    """By POST, as fast as it is accepted: a WebSocket may be in fewer rooms than these."""
    if ("post", "ws") not in peer.routes:
        return
    names = [f"room{number}" for number in range(_QUICK_ROOMS if stage.quick else _ROOMS)]
    listeners = _IN_EACH * len(names)
    with stage.play(peer, listeners, names) as (running, people):
        openings = [peer.listen("ws", names[number % len(names)], number) for number in range(listeners)]
        people.connect(running.port, openings)
        people.quiet()
        with Speaker(running.port, peer.speak("post", names)) as speaker:
            run(stage, running, people, speaker, Load("warm-up", len(names)), each=1)
            load = Load("rooms", len(names) * _ROUNDS, burst=True)
            figures = run(stage, running, people, speaker, load, each=_ROUNDS)
    yield Sample("rooms", peer.name, "post-ws", listeners, figures)
