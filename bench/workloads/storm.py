"""A storm: everybody comes back at once, 200 events behind. Of pushtui alone."""

import re
import socket
import time
from collections.abc import Iterator

from bench.load.audience import ListenersLostError
from bench.load.opening import Opening
from bench.load.processor import processor_seconds
from bench.load.speaker import Speaker
from bench.peers.peer import ROOM, Wire
from bench.peers.pushtui import Pushtui, coming
from bench.workloads.sample import Sample, Stage

_PEOPLE = 5000
_QUICK_PEOPLE = 1000
_BEHIND = 200
_PATIENCE = 120.0
_POSITION = re.compile(rb"^id: (\S+)", re.MULTILINE)


def storm(stage: Stage, wire: Wire) -> Iterator[Sample]:
    """How long it takes to let them in alone, and to let them in and have every one of them caught up."""
    people_count = _QUICK_PEOPLE if stage.quick else _PEOPLE
    fresh = [coming(wire, ROOM, number, None) for number in range(people_count)]
    alone, _ = _arrive(stage, wire, fresh, 0)
    back, used = _arrive(stage, wire, None, people_count)
    figures = {
        "alone_seconds": alone,
        "caught_up_seconds": back,
        "times_alone": back / alone,
        "server_us_per_delivery": 1e6 * used / (people_count * _BEHIND),
    }
    yield Sample("storm", Pushtui.name, wire, people_count, figures)


def _arrive(stage: Stage, wire: Wire, fresh: list[Opening] | None, coming_back: int) -> tuple[float, float]:
    """Seconds until they have what they came for, and the server's processor time for that."""
    peer = Pushtui()
    with stage.play(peer, coming_back or len(fresh or ())) as (running, people):
        position = _position(running.port)
        with Speaker(running.port, peer.speak("post", [ROOM])) as speaker:
            speaker.say(_BEHIND, burst=True)
        openings = fresh or [coming(wire, ROOM, number, position) for number in range(coming_back)]
        people.begin(_BEHIND, coming=coming_back)
        used = processor_seconds(running.pid)
        began = time.monotonic_ns()
        seconds = people.connect(running.port, openings)
        if not coming_back:
            return seconds, processor_seconds(running.pid) - used
        heard = people.hear(_PATIENCE)
        if not heard.at:
            raise ListenersLostError(f"{heard.deliveries} of {_BEHIND * coming_back} deliveries after a storm")
        return max(seconds, (heard.at - began) / 1e9), processor_seconds(running.pid) - used


def _position(port: int) -> str:
    """Where the room stands now, as an event stream tells it first."""
    opening = coming("sse", ROOM, 0, None)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(opening.steps[0].say)
        seen = b""
        while (found := _POSITION.search(seen)) is None or b"\n" not in seen[found.end() :]:
            data = one.recv(1 << 16)
            if not data:
                raise ConnectionError(f"the server hung up: {seen[-200:]!r}")
            seen += data
    return found[1].decode()
