"""However many listen, and however unevenly: an event is encoded once for each wire. Counted, not assumed."""

import asyncio
import random
from collections import Counter

import pytest

from server.log.fanout import Fanout
from server.log.store import Entry, Store
from server.log.wire import WIRES, Wire
from tests.server.log.conftest import ROOM, said, until
from tests.server.log.listeners import ListSink

_LISTENERS_PER_WIRE = 30
_EVENTS = 300


class Counted:
    """A real wire, and how often each entry went through its encoder."""

    def __init__(self, wire: Wire) -> None:
        self.seqs: Counter[int] = Counter()
        self._encode = wire.encode
        self.wire = Wire(wire.name, self._counting, wire.wrap)

    def bytes_of(self, entry: Entry, epoch: str) -> bytes:
        return self._encode(entry, epoch)

    def _counting(self, entry: Entry, epoch: str) -> bytes:
        self.seqs[entry.seq] += 1
        return self._encode(entry, epoch)


@pytest.mark.parametrize("seed", range(3))
async def test_each_event_is_encoded_once_for_each_wire(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    fanout = Fanout(store)
    await fanout.open(ROOM)
    counted = [Counted(wire) for wire in WIRES]
    sinks = {
        one: [ListSink(chance.choice((None, 0, 1, 5))) for _ in range(_LISTENERS_PER_WIRE)] for one in counted
    }
    for one, listening in sinks.items():
        for sink in listening:
            fanout.attach(ROOM, one.wire, sink, 0)
    held_up = [sink for listening in sinks.values() for sink in listening if chance.random() < 0.5]
    written = 0
    while written < _EVENTS:
        batch = min(chance.randint(1, 20), _EVENTS - written)
        await asyncio.gather(*(store.append(said(f"event {written + number}")) for number in range(batch)))
        written += batch
        for sink in chance.sample(held_up, 5):
            sink.give_room(chance.randint(1, 3))
    for listening in sinks.values():
        for sink in listening:
            sink.give_room()
    delivered = len(WIRES) * _LISTENERS_PER_WIRE * _EVENTS
    await until(lambda: fanout.delivered() == delivered)
    entries = await store.read(ROOM, 0, _EVENTS)
    state = store.state(ROOM)
    assert state is not None
    for one, listening in sinks.items():
        assert one.seqs == Counter(entry.seq for entry in entries), one.wire
        everything = b"".join(one.bytes_of(entry, state.epoch) for entry in entries)
        assert all(b"".join(sink.writes) == everything for sink in listening), one.wire
    fanout.close()


async def test_a_listener_that_comes_late_costs_no_encoding(store: Store) -> None:
    fanout = Fanout(store)
    await fanout.open(ROOM)
    counted = [Counted(wire) for wire in WIRES]
    for one in counted:
        fanout.attach(ROOM, one.wire, ListSink(), 0)
    for number in range(20):
        await store.append(said(str(number)))
    await until(lambda: fanout.delivered() == len(WIRES) * 20)
    for one in counted:
        late = [ListSink() for _ in range(20)]
        for after, sink in enumerate(late):
            fanout.attach(ROOM, one.wire, sink, after)
        assert set(one.seqs.values()) == {1}
        assert len(one.seqs) == 20
        assert b"".join(late[19].writes) in b"".join(late[0].writes)
    fanout.close()


async def test_what_nobody_listens_to_is_not_encoded(store: Store) -> None:
    fanout = Fanout(store)
    await fanout.open(ROOM)
    counted = [Counted(wire) for wire in WIRES]
    sink = ListSink()
    fanout.attach(ROOM, counted[0].wire, sink, 0)
    for number in range(10):
        await store.append(said(str(number)))
    await until(lambda: fanout.delivered() == 10)
    assert [one.seqs.total() for one in counted] == [10, *[0] * (len(WIRES) - 1)]
    fanout.close()
