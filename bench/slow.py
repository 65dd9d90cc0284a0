"""What slow readers cost the others: 50 among 500, the same run with and without them."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil

from bench.load.audience import Audibility, audience
from bench.load.processor import cores
from bench.load.speaker import Speaker
from bench.measured import Measured
from bench.peers.peer import ROOM
from bench.peers.pushtui import Pushtui
from bench.room import room

_LISTENERS = 500
_SLOW = 50
_RATE = 20
_SECONDS = 24
_TEXT_BYTES = 2500
_HEAR_SECONDS = 60


def measure() -> Iterator[Measured]:
    """50 kB a second for each; a slow reader takes 10, and is full after a few seconds."""
    peer = Pushtui()
    openings = [peer.listen("ws", ROOM, number) for number in range(_LISTENERS)]
    results = {}
    for slow in (0, _SLOW):
        with room() as (url, pid), audience(cores()[1], _LISTENERS) as people:
            port = urlsplit(url).port or 0
            people.connect(port, openings[slow:])
            if slow:
                people.connect(port, openings[:slow], slow=True)
            with Speaker(port, peer.speak("ws", [ROOM])) as speaker:
                people.quiet()
                before = psutil.Process(pid).memory_info().rss
                messages = _RATE * _SECONDS
                expected = people.begin(messages)
                speaker.say(messages, per_second=_RATE, size=_TEXT_BYTES)
                heard = people.hear(_HEAR_SECONDS)
                grown = (psutil.Process(pid).memory_info().rss - before) / (1 << 20)
            if heard.deliveries != expected:
                raise TimeoutError(f"{heard.deliveries} of {expected} deliveries")
            results[slow] = heard
            yield from _figures(heard, f"{slow} of {_LISTENERS} slow", grown)
    ratio = results[_SLOW].percentile(0.99) / results[0].percentile(0.99)
    yield Measured("p99 with slow readers, times p99 without", ratio, "")


def _figures(heard: Audibility, name: str, grown: float) -> Iterator[Measured]:
    yield Measured(f"{name}: latency of the others, median", heard.percentile(0.5), "ms")
    yield Measured(f"{name}: latency of the others, p99", heard.percentile(0.99), "ms")
    yield Measured(f"{name}: memory of the server has grown by", grown, "MiB")
