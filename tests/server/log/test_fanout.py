import asyncio
import itertools
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import msgspec
import pytest

from pushtui.protocol.positions import Outcome, Position
from server.log import fanout as fanout_module
from server.log.fanout import Fanout
from server.log.memory import MemoryStore
from server.log.pace import Pace
from server.log.store import Draft, Entry, Store, StreamState
from server.log.wire import SSE, WEBSOCKET_JSON, WEBSOCKET_MSGPACK, WIRES
from tests.server.log.conftest import ROOM, said, until
from tests.server.log.listeners import ListSink, make_wire

STATUS = "status"


@pytest.fixture
async def fanout(store: Store) -> Fanout:
    return Fanout(store)


async def flushed() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_many_events_in_one_turn_are_one_write_for_each_listener(clock_ms: Callable[[], int]) -> None:
    store = MemoryStore(clock_ms=clock_ms)
    await store.open()
    fanout = Fanout(store)
    await fanout.open(ROOM)
    sinks = [ListSink() for _ in range(3)]
    wire = make_wire()
    for sink in sinks:
        fanout.attach(ROOM, wire, sink, 0)
    for number in range(60):
        await store.append(said(str(number)))
    await flushed()
    for sink in sinks:
        assert sink.seqs() == list(range(1, 61))
        assert len(sink.writes) == 1
    assert sinks[0].writes[0] is sinks[1].writes[0] is sinks[2].writes[0]
    assert fanout._tails[ROOM].encodings == 60


async def test_what_comes_during_a_long_round_and_its_rest_shares_a_write(
    clock_ms: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(step=0.01)
    monkeypatch.setattr(fanout_module, "_CURSORS_PER_LOOK", 1)
    monkeypatch.setattr(fanout_module, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr(Pace, "rest", lambda *_: 0.02)
    store = MemoryStore(clock_ms=clock_ms)
    await store.open()
    fanout = Fanout(store)
    await fanout.open(ROOM)
    sinks = [ListSink() for _ in range(10)]
    wire = make_wire()
    for sink in sinks:
        fanout.attach(ROOM, wire, sink, 0)
    await store.append(said("begins a round"))
    await flushed()
    assert any(sink.writes for sink in sinks)
    assert not all(sink.writes for sink in sinks)
    await store.append(said("comes during it"))
    await until(lambda: fanout._round is None)
    assert ROOM in fanout._resting
    await store.append(said("comes during the rest"))
    await until(lambda: all(sink.seqs() == [1, 2, 3] for sink in sinks))
    assert max(len(sink.writes) for sink in sinks) == 2

    await until(lambda: not fanout._resting and fanout._round is None)
    await store.append(said("comes by itself"))
    await until(lambda: all(sink.seqs() == [1, 2, 3, 4] for sink in sinks))
    fanout.close()


async def test_a_slow_listener_delays_nobody(store: Store, fanout: Fanout) -> None:
    await fanout.open(ROOM)
    slow, quick = ListSink(0), ListSink()
    wire = make_wire()
    fanout.attach(ROOM, wire, slow, 0)
    fanout.attach(ROOM, wire, quick, 0)
    for expected in range(1, 4):
        await store.append(said("x"))
        await until(lambda expected=expected: quick.seqs() == list(range(1, expected + 1)))  # type: ignore[misc]
    assert slow.writes == []
    slow.give_room()
    assert slow.seqs() == [1, 2, 3]


async def test_slices_reach_everyone(store: Store, fanout: Fanout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout_module, "SLICE_SECONDS", 0)
    wire = make_wire()
    sinks = [ListSink() for _ in range(100)]
    for index, sink in enumerate(sinks):
        stream = (ROOM, "room:ops")[index % 2]
        await fanout.open(stream)
        fanout.attach(stream, wire, sink, 0)
    for _ in range(5):
        await store.append(said("x"))
        await store.append(said("x", stream="room:ops"))
        await asyncio.sleep(0)
    await until(lambda: all(sink.seqs() == [1, 2, 3, 4, 5] for sink in sinks))


async def test_listeners_may_come_and_go_between_two_slices(
    store: Store, fanout: Fanout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout_module, "SLICE_SECONDS", 0)
    await fanout.open(ROOM)
    wire = make_wire()
    cursors = [fanout.attach(ROOM, wire, ListSink(), 0) for _ in range(64)]
    await store.append(said("x"))
    await asyncio.sleep(0)
    for cursor in cursors[::2]:
        fanout.detach(cursor)
    late = ListSink()
    fanout.attach(ROOM, wire, late, 0)
    await until(lambda: all(cursor.position == 1 for cursor in cursors[1::2]))
    assert late.seqs() == [1]
    assert fanout.listeners(ROOM) == 33


async def test_a_batch_over_several_streams_goes_where_it_belongs(store: Store, fanout: Fanout) -> None:
    sinks = {stream: ListSink() for stream in (ROOM, STATUS)}
    for stream, sink in sinks.items():
        await fanout.open(stream)
        fanout.attach(stream, make_wire(), sink, 0)
    await store.append(said("a"), Draft(STATUS, "mark", "ana", b'{"text":"b"}'))
    await store.append(Draft(STATUS, "mark", "ana", b'{"text":"c"}'), said("d"))
    await until(lambda: all(len(sink.lines()) == 2 for sink in sinks.values()))
    assert sinks[ROOM].lines() == ['1 {"text":"a"}', '2 {"text":"d"}']
    assert sinks[STATUS].lines() == ['1 {"text":"b"}', '2 {"text":"c"}']


async def test_erased_text_is_gone_from_the_tail(store: Store, fanout: Fanout) -> None:
    await store.append(said("secret"))
    tail = await fanout.open(ROOM)
    fanout.attach(ROOM, make_wire(), ListSink(), 0)
    assert b"secret" in tail.span(0, SSE).data
    await store.append(Draft(ROOM, "redact", "ana", b'{"target":1}', erase=((1, b'{"text":""}'),)))
    assert b"secret" not in tail.span(0, SSE).data
    assert b"secret" not in tail.span(0, WEBSOCKET_JSON).data


async def test_what_is_erased_while_the_tail_is_preloaded_is_not_in_it(clock_ms: Callable[[], int]) -> None:
    """The page was read before the redaction, and would have put the text back into the tail."""

    class Reading(MemoryStore):
        async def read_before(self, stream: str, before: int, limit: int) -> Sequence[Entry]:
            found = await super().read_before(stream, before, limit)
            await self.append(Draft(ROOM, "redact", "ana", b'{"target":1}', erase=((1, b'{"text":""}'),)))
            return found

    store = Reading(clock_ms=clock_ms)
    await store.open()
    await store.append(said("secret"))
    fanout = Fanout(store)
    tail = await fanout.open(ROOM)
    sink = ListSink()
    cursor = fanout.attach(ROOM, make_wire(), sink, 0)
    await until(lambda: cursor.position == tail.head == 2)
    assert sink.lines() == ['1 {"text":""}', '2 {"target":1}']


async def test_what_is_written_while_the_stream_is_made_is_not_lost(clock_ms: Callable[[], int]) -> None:
    """The answer of `create` may be older than the first event: nobody followed the stream when that was told."""

    class Creating(MemoryStore):
        async def create(self, stream: str) -> StreamState:
            state = await super().create(stream)
            await self.append(said("first"))
            return state

    store = Creating(clock_ms=clock_ms)
    await store.open()
    fanout = Fanout(store)
    start = await fanout.start(ROOM, None, 50)
    sink = ListSink()
    fanout.attach(ROOM, make_wire(), sink, start.after)
    await store.append(said("second"))
    await until(lambda: len(sink.lines()) == 2)
    assert sink.seqs() == [1, 2]


async def test_opening_a_stream_while_it_is_written_to_loses_nothing(store: Store) -> None:
    """The same with both stores and without a trick: everything at once."""
    fanout = Fanout(store)
    sinks = []

    async def listen() -> None:
        start = await fanout.start(ROOM, None, 1000)
        sinks.append(ListSink())
        fanout.attach(ROOM, make_wire(), sinks[-1], start.after)

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(store.append(said("x")))
            group.create_task(listen())
    await until(lambda: all(sink.seqs() == list(range(1, 21)) for sink in sinks))


class TestStart:
    async def test_fresh_begins_with_the_newest(self, store: Store, fanout: Fanout) -> None:
        for number in range(10):
            await store.append(said(str(number)))
        afters = {replay: (await fanout.start(ROOM, None, replay)).after for replay in (0, 1, 5, 10, 11, 1000)}
        assert afters == {0: 10, 1: 9, 5: 5, 10: 0, 11: 0, 1000: 0}

    async def test_fresh_reaches_behind_the_tail(
        self, store: Store, fanout: Fanout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fanout_module, "_PRELOAD", 2)
        for number in range(10):
            await store.append(said(str(number)))
        start = await fanout.start(ROOM, None, 7)
        assert (start.outcome, start.after, start.head) == (Outcome.FRESH, 3, 10)

    async def test_fresh_brings_no_more_than_asked_for(
        self, clock_ms: Callable[[], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What came while the newest were read was added to them."""

        class Reading(MemoryStore):
            async def read_before(self, stream: str, before: int, limit: int) -> Sequence[Entry]:
                found = await super().read_before(stream, before, limit)
                for _ in range(3 if limit > 2 else 0):
                    await self.append(said("x"))
                return found

        monkeypatch.setattr(fanout_module, "_PRELOAD", 2)
        store = Reading(clock_ms=clock_ms)
        await store.open()
        for _ in range(10):
            await store.append(said("x"))
        start = await Fanout(store).start(ROOM, None, 7)
        assert (start.after, start.head) == (6, 13)

    async def test_a_stream_that_is_not_there_is_made(self, store: Store, fanout: Fanout) -> None:
        start = await fanout.start(ROOM, None, 50)
        state = store.state(ROOM)
        assert state is not None
        assert (start.outcome, start.epoch, start.after, start.head) == (Outcome.FRESH, state.epoch, 0, 0)

    @pytest.mark.parametrize("trimmed", [4, 11])
    async def test_fresh_and_reset_show_nothing_that_was_trimmed(
        self, store: Store, fanout: Fanout, trimmed: int
    ) -> None:
        for number in range(10):
            await store.append(said(str(number)))
        tail = await fanout.open(ROOM)
        await store.trim(ROOM, trimmed)
        assert tail.begin == 0, "the tail still holds it"
        assert (await fanout.start(ROOM, None, 50)).after == trimmed - 1
        assert (await fanout.start(ROOM, Position(tail.epoch, 11), 50)).after == trimmed - 1

    @pytest.mark.parametrize("seq", range(12))
    async def test_every_position_has_one_outcome(self, store: Store, fanout: Fanout, seq: int) -> None:
        for number in range(10):
            await store.append(said(str(number)))
        await store.trim(ROOM, 5)
        tail = await fanout.open(ROOM)
        start = await fanout.start(ROOM, Position(tail.epoch, seq), 50)
        if seq > 10:
            assert (start.outcome, start.after, start.lost) == (Outcome.RESET, 4, None)
        elif seq < 4:
            assert start.lost is not None
            assert (start.outcome, start.after) == (Outcome.GAP, 4)
            assert (start.lost.after, start.lost.before) == (seq, 5)
        else:
            assert (start.outcome, start.after, start.lost) == (Outcome.CAUGHT_UP, seq, None)


async def test_what_was_delivered_is_counted_over_those_who_left(store: Store, fanout: Fanout) -> None:
    await fanout.open(ROOM)
    cursor = fanout.attach(ROOM, make_wire(), ListSink(), 0)
    fanout.attach(ROOM, make_wire(), ListSink(), 0)
    await store.append(said("x"))
    await until(lambda: fanout.delivered() == 2)
    fanout.detach(cursor)
    fanout.detach(cursor)
    assert fanout.delivered() == 2
    await store.append(said("x"))
    await until(lambda: fanout.delivered() == 3)


async def test_after_closing_nothing_is_written(store: Store, fanout: Fanout) -> None:
    await fanout.open(ROOM)
    sink = ListSink()
    fanout.attach(ROOM, make_wire(), sink, 0)
    await store.append(said("x"))
    fanout.close()
    await store.append(said("y"))
    await flushed()
    assert len(sink.lines()) <= 1
    assert fanout.listeners(ROOM) == 0


class TestWires:
    entry = Entry(ROOM, 7, 1_700_000_000_000, "message", "ana", "k", b'{"text":"hi \\"you\\" \xc3\xa9"}')

    def test_each_wire_says_the_same(self) -> None:
        expected = {
            "type": "event",
            "room": "main",
            "seq": 7,
            "at": 1_700_000_000_000,
            "kind": "message",
            "by": "ana",
            "key": "k",
            "body": {"text": 'hi "you" é'},
        }
        json_frame = WEBSOCKET_JSON.encode(self.entry, "f3k9q2ab")
        assert json_frame[0] == 0x81
        assert msgspec.json.decode(json_frame[4:]) == expected
        packed = WEBSOCKET_MSGPACK.encode(self.entry, "f3k9q2ab")
        assert packed[0] == 0x82
        assert msgspec.msgpack.decode(packed[2:] if packed[1] < 126 else packed[4:]) == expected
        chunk = SSE.encode(self.entry, "f3k9q2ab")
        size, _, rest = chunk.partition(b"\r\n")
        block, end = rest[: int(size, 16)], rest[int(size, 16) :]
        assert end == b"\r\n"
        lines = block.decode().split("\n")
        assert lines[:2] == ["id: f3k9q2ab.7", "event: message"]
        assert msgspec.json.decode(lines[2].removeprefix("data: ")) == expected
        assert lines[3:] == ["", ""]

    def test_on_the_status_stream_the_data_is_the_body_and_its_time(self) -> None:
        entry = msgspec.structs.replace(self.entry, stream=STATUS, kind="notice")
        block = WIRES[3].encode(entry, "f3k9q2ab")
        lines = block.decode().split("\n")
        assert lines[:2] == ["id: f3k9q2ab.7", "event: notice"]
        data = msgspec.json.decode(lines[2].removeprefix("data: "))
        assert data == msgspec.json.decode(self.entry.body) | {"at": entry.at}
        assert lines[3:] == ["", ""]

    def test_a_sample_says_by_itself_when_it_was_taken(self) -> None:
        entry = msgspec.structs.replace(self.entry, stream=STATUS, kind="sample")
        assert entry.body + b"\n\n" in WIRES[3].encode(entry, "f3k9q2ab")
