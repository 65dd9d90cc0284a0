"""Messages to one room: one at a time, in a burst, and so many a second.

A server that acknowledges before everybody has the message may have the next one to deliver along with it. What a
delivery costs that is alone is seen where messages are far apart: ``paced``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.load.audience import Audience, ListenersLostError
from bench.load.message import TEXT_BYTES
from bench.load.processor import machine_seconds, processor_seconds
from bench.load.speaker import Speaker
from bench.peers.peer import ROOM, Entrance, Peer, Running, Wire
from bench.workloads.sample import Sample, Stage

_HEAR_SECONDS = 60.0
_STEADY_RATE = 100
_STEADY_LISTENERS = 1000
_PACED_RATE = 5
_PACED_MESSAGES = 20
_PACED_LISTENERS = (100, 1000, 10_000)
_WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Load:
    """How many messages are said, and how; see `Speaker.say`."""

    name: str
    messages: int
    burst: bool = False
    per_second: float | None = None
    size: int = TEXT_BYTES


def say(stage: Stage, peer: Peer, route: tuple[Entrance, Wire], listeners: int) -> Iterator[Sample]:
    """All of them against one fresh server, with the same listeners."""
    entrance, wire = route
    with stage.play(peer, listeners) as (running, people):
        people.connect(running.port, [peer.listen(wire, ROOM, number) for number in range(listeners)])
        with Speaker(running.port, peer.speak(entrance, [ROOM])) as speaker:
            people.quiet()
            run(stage, running, people, speaker, Load("warm-up", _WARM_UP), _WARM_UP)
            for load in _loads(stage, listeners):
                people.quiet()
                figures = run(stage, running, people, speaker, load, load.messages)
                yield Sample(load.name, peer.name, f"{entrance}-{wire}", listeners, figures)


def run(
    stage: Stage, running: Running, people: Audience, speaker: Speaker, load: Load, each: int
) -> dict[str, float]:
    """Say it, and stop the clock when everybody has everything.

    Args:
        stage: where.
        running: the server.
        people: the listeners.
        speaker: who says it.
        load: what.
        each: how many of the messages each listener is to get.

    Raises:
        ListenersLostError: the server has hung up on somebody.
    """
    expected = people.begin(each)
    used, all_used = processor_seconds(running.pid), machine_seconds()
    said = speaker.say(load.messages, burst=load.burst, per_second=load.per_second, size=load.size)
    heard = people.hear(_HEAR_SECONDS)
    used, all_used = processor_seconds(running.pid) - used, machine_seconds() - all_used
    if heard.closed:
        raise ListenersLostError(f"the server has hung up on {heard.closed} listeners")
    seconds = ((heard.at or said.ended) - said.began) / 1e9
    deliveries = max(1, heard.deliveries)
    return {
        "messages": load.messages,
        "deliveries_per_second": deliveries / seconds,
        "lost": expected - heard.deliveries,
        "latency_p50_ms": heard.percentile(0.5),
        "latency_p99_ms": heard.percentile(0.99),
        "ack_p50_ms": said.percentile(0.5),
        "ack_p99_ms": said.percentile(0.99),
        "server_us_per_delivery": 1e6 * used / deliveries,
        "server_percent": 100 * used / seconds,
        "load_percent": stage.load_share(heard.processor, said.processor, seconds),
        "others_percent": max(0.0, 100 * (all_used - used - heard.all_processor - said.processor) / seconds),
        "bytes_per_delivery": heard.bytes / deliveries,
    }


def _loads(stage: Stage, listeners: int) -> Sequence[Load]:
    share = 4 if stage.quick else 1
    loads = [
        Load("one", max(30, min(2000, 200_000 // listeners)) // share),
        Load("burst", max(100, min(10_000, 4_000_000 // listeners)) // share, burst=True),
    ]
    if listeners == _STEADY_LISTENERS:
        loads.append(Load("steady", 1000 // share, per_second=_STEADY_RATE))
    if listeners in _PACED_LISTENERS:
        loads.append(Load("paced", _PACED_MESSAGES // (share // 2 or 1), per_second=_PACED_RATE))
    return loads
