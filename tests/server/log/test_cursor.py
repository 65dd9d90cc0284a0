"""Any interleaving of what happens to a log gives every listener each event once and in order."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushtui.protocol.positions import Outcome, Position
from server.log import cursor as cursor_module
from server.log import fanout as fanout_module
from server.log import tail as tail_module
from server.log.cursor import Cursor
from server.log.fanout import Fanout
from server.log.memory import MemoryStore
from server.log.store import Draft, Entry, StoreBusyError
from server.log.tail import Tail
from tests.server.log.conftest import ROOM, said, until
from tests.server.log.listeners import ListSink, make_wire
from tests.server.log.test_tail import OfKind


class SlowStore(MemoryStore):
    """Lets the loop turn while it reads, and whoever wants to do something then.

    Attributes:
        meanwhile: awaited once during the next read.
    """

    def __init__(self, turns: int = 0) -> None:
        super().__init__(clock_ms=lambda: 0)
        self.turns = turns
        self.meanwhile: Sequence[Draft] = ()
        self.reads = 0
        self.most_read = 0
        self.broken = False

    async def read(self, stream: str, after: int, limit: int, most_bytes: int | None = None) -> Sequence[Entry]:
        self.reads += 1
        found = await super().read(stream, after, limit, most_bytes)
        self.most_read = max(self.most_read, sum(len(entry.body) for entry in found))
        await self._turn()
        return found

    async def read_before(self, stream: str, before: int, limit: int) -> Sequence[Entry]:
        found = await super().read_before(stream, before, limit)
        await self._turn()
        return found

    async def _turn(self) -> None:
        drafts, self.meanwhile = self.meanwhile, ()
        for draft in drafts:
            await self.append(draft)
        for _ in range(self.turns):
            await asyncio.sleep(0)
        if self.broken:
            raise StoreBusyError("the disk is gone")


class House:
    """A log with a short tail, and its listeners."""

    def __init__(self, store: SlowStore, fanout: Fanout, tail: Tail) -> None:
        self.store = store
        self.fanout = fanout
        self.tail = tail
        self.wire = make_wire()

    def attach(self, sink: ListSink, after: int, selection: OfKind | None = None) -> Cursor:
        return self.fanout.attach(ROOM, self.wire, sink, after, selection)

    async def say(self, count: int = 1) -> None:
        for _ in range(count):
            await self.store.append(said("x"))


async def make_house(turns: int = 0, capacity: int = 4, before: int = 0) -> House:
    """A house where that many events were said before the server started."""
    store = SlowStore(turns)
    await store.open()
    await store.create(ROOM)
    for _ in range(before):
        await store.append(said("x"))
    fanout = Fanout(store)
    state = store.state(ROOM)
    assert state is not None
    tail = fanout._tails[ROOM] = Tail(state.epoch, state.head, capacity=capacity)
    fanout._holds[ROOM] += 1
    return House(store, fanout, tail)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short spans and pages, so that a dozen events need several."""
    monkeypatch.setattr(tail_module, "SPAN_BYTES", 60)
    monkeypatch.setattr(cursor_module, "SPAN_BYTES", 60)
    monkeypatch.setattr(cursor_module, "_PAGE", 5)
    monkeypatch.setattr(cursor_module, "_PAGE_BYTES", 120)


async def settle() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 12)),
        st.tuples(st.just("burst"), st.integers(1, 12)),
        st.tuples(st.just("attach"), st.integers(0, 40)),
        st.tuples(st.just("attach full"), st.integers(0, 40)),
        st.tuples(st.just("room"), st.integers(0, 40)),
        st.tuples(st.just("all the room"), st.integers(0, 5)),
        st.tuples(st.just("detach"), st.integers(0, 5)),
        st.tuples(st.just("resume"), st.integers(0, 5)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
    ),
    max_size=40,
)


class Listener:
    """One client over all its connections: what it has seen is what was written to any of them."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.sinks: list[ListSink] = []
        self.cursor: Cursor | None = None

    def seen(self) -> list[int]:
        return [seq for sink in self.sinks for seq in sink.seqs()]

    def held(self) -> int:
        """The position that this client comes back with."""
        seen = self.seen()
        return seen[-1] if seen else self.start


@settings(max_examples=250, deadline=None)
@given(steps, st.integers(0, 3), st.integers(1, 6), st.integers(0, 30))
def test_any_interleaving_gives_each_listener_every_event_once_and_in_order(
    happenings: list[tuple[str, int]], turns: int, capacity: int, before: int
) -> None:
    async def scenario() -> None:
        house = await make_house(turns, capacity, before)
        listeners: list[Listener] = []

        def connect(listener: Listener, sink: ListSink, after: int) -> None:
            listener.sinks.append(sink)
            listener.cursor = house.attach(sink, after)

        for what, number in happenings:
            match what:
                case "append":
                    for _ in range(number):
                        await house.say()
                        await asyncio.sleep(0)
                case "burst":
                    await house.say(number)
                case "attach" | "attach full":
                    start = min(number, house.tail.head)
                    listeners.append(Listener(start))
                    connect(listeners[-1], ListSink(None if what == "attach" else 0), start)
                case "turn":
                    for _ in range(number):
                        await asyncio.sleep(0)
                case _ if listeners:
                    listener = listeners[number % len(listeners)]
                    if what == "room":
                        listener.sinks[-1].give_room(1 + number % 3)
                    elif what == "all the room":
                        listener.sinks[-1].give_room()
                    elif what == "detach" and listener.cursor is not None:
                        house.fanout.detach(listener.cursor)
                        listener.cursor = None
                    elif what == "resume" and listener.cursor is None:
                        connect(listener, ListSink(), listener.held())
        for listener in listeners:
            if listener.cursor is None:
                connect(listener, ListSink(), listener.held())
            listener.sinks[-1].give_room()
        head = house.tail.head
        await until(lambda: all(listener.cursor.position == head for listener in listeners if listener.cursor))
        await settle()
        for listener in listeners:
            assert listener.seen() == list(range(listener.start + 1, head + 1))
            assert not listener.sinks[-1].aborted
        assert house.fanout.delivered() == sum(len(listener.seen()) for listener in listeners)
        house.fanout.close()

    asyncio.run(scenario())


async def test_what_is_appended_between_replay_and_live_is_neither_lost_nor_doubled() -> None:
    """mercure#178: the replay was read, then the live feed attached, and what came between was lost."""
    house = await make_house(capacity=2, before=8)
    sink = ListSink()
    house.store.meanwhile = [said("between") for _ in range(3)]
    cursor = house.attach(sink, 0)
    await until(lambda: cursor.position == 11)
    await settle()
    assert sink.seqs() == list(range(1, 12))


async def test_what_the_tail_sheds_during_the_replay_is_read_from_the_store() -> None:
    """As above, but by the time the page is there the tail no longer begins where it did."""
    house = await make_house(capacity=2, before=8)
    sink = ListSink()
    house.store.meanwhile = [said("between") for _ in range(30)]
    cursor = house.attach(sink, 3)
    await until(lambda: cursor.position == 38)
    await settle()
    assert sink.seqs() == list(range(4, 39))


async def test_an_event_does_not_overtake_its_own_replay() -> None:
    """ntfy#1293: a live event was delivered while older ones were still on their way from the store."""
    house = await make_house(turns=3, capacity=2, before=20)
    sink = ListSink()
    cursor = house.attach(sink, 0)
    while cursor.position < house.tail.head:
        if house.tail.head < 30:
            await house.say()
        await asyncio.sleep(0)
    assert sink.seqs() == list(range(1, house.tail.head + 1))


async def test_a_position_above_the_head_is_a_reset_and_not_a_wait() -> None:
    """mercure#704: a client with an id that the log never gave out waited for it for ever."""
    house = await make_house(before=5)
    epoch = house.tail.epoch
    start = await house.fanout.start(ROOM, Position(epoch, 6), 2)
    assert (start.outcome, start.after, start.head) == (Outcome.RESET, 3, 5)
    assert (await house.fanout.start(ROOM, Position("zzzzzzzz", 2), 2)).outcome is Outcome.RESET
    assert (await house.fanout.start(ROOM, Position(epoch, 5), 2)).outcome is Outcome.CAUGHT_UP


async def test_a_listener_that_never_got_an_event_has_a_position() -> None:
    """socket.io#5538: who had not seen an event yet had nothing to resume from, and lost what came meanwhile."""
    house = await make_house()
    first = await house.fanout.start(ROOM, None, 50)
    assert (first.outcome, first.after) == (Outcome.FRESH, 0)
    await house.say(10)
    again = await house.fanout.start(ROOM, Position(first.epoch, first.after), 50)
    assert (again.outcome, again.after) == (Outcome.CAUGHT_UP, 0)


async def test_what_is_trimmed_past_a_listener_is_not_lost_in_silence() -> None:
    """It is cut off, and told of the gap when it comes back with its position."""
    house = await make_house(capacity=2, before=20)
    sink = ListSink(0)
    cursor = house.attach(sink, 3)
    await settle()
    await house.store.trim(ROOM, 10)
    sink.give_room()
    await until(lambda: sink.aborted)
    assert sink.seqs() == []
    start = await house.fanout.start(ROOM, Position(house.tail.epoch, cursor.position), 50)
    assert start.outcome is Outcome.GAP
    assert start.lost is not None
    assert (start.after, start.lost.after, start.lost.before) == (9, 3, 10)


async def test_a_listener_behind_a_hole_of_the_store_goes_on_with_the_tail() -> None:
    house = await make_house(capacity=2, before=6)
    await house.store.trim(ROOM, 7)
    await house.say()
    sink = ListSink()
    house.attach(sink, 6)
    await settle()
    assert sink.seqs() == [7]


async def test_a_store_that_cannot_be_read_cuts_the_listener_off(caplog: pytest.LogCaptureFixture) -> None:
    house = await make_house(capacity=2, before=20)
    house.store.broken = True
    sink = ListSink()
    house.attach(sink, 0)
    await until(lambda: sink.aborted)
    assert sink.writes == []
    assert "reading room:main above 0 failed" in caplog.text


async def test_an_entry_that_cannot_be_encoded_cuts_one_listener_off_and_not_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = await make_house()

    def refuse(entry: Entry, epoch: str) -> bytes:
        raise OverflowError("no such number")

    broken, fine = ListSink(), ListSink()
    bad_wire = make_wire()
    bad_wire.encode = refuse
    house.fanout.attach(ROOM, bad_wire, broken, 0)
    house.attach(fine, 0)
    await house.say(2)
    await until(lambda: fine.seqs() == [1, 2])
    assert broken.aborted
    await house.say()
    await until(lambda: fine.seqs() == [1, 2, 3])
    assert "encoding room:main above 0 failed" in caplog.text


async def test_a_closed_cursor_writes_no_more() -> None:
    house = await make_house(turns=2, capacity=2, before=20)
    paging, waiting = ListSink(), ListSink(0)
    cursors = [house.attach(paging, 0), house.attach(waiting, 20)]
    await house.say()
    for cursor in cursors:
        house.fanout.detach(cursor)
        house.fanout.detach(cursor)
    waiting.give_room()
    await house.say()
    await settle()
    assert paging.writes == []
    assert waiting.writes == []
    assert house.fanout.listeners(ROOM) == 0


async def test_a_selection_holds_for_what_is_paged_as_for_the_tail() -> None:
    house = await make_house(capacity=2)
    for number in range(20):
        kind = "mark" if number % 4 == 0 else "message"
        await house.store.append(Draft(ROOM, kind, "ana", b"{}"))
    sink = ListSink()
    cursor = house.attach(sink, 0, OfKind("mark"))
    await until(lambda: cursor.position == 20)
    assert house.store.reads, "some of it came from the store"
    assert sink.seqs() == [1, 5, 9, 13, 17]
    assert cursor.delivered == 5


async def test_a_listener_that_waits_holds_little_of_large_events() -> None:
    house = await make_house(capacity=2)
    for _ in range(20):
        await house.store.append(said("x" * 50))
    sink = ListSink(1)
    cursor = house.attach(sink, 0)
    await until(lambda: len(sink.writes) == 1)
    await settle()
    assert house.store.reads == 1
    assert house.store.most_read <= 120 + len(said("x" * 50).body)
    sink.give_room()
    await until(lambda: cursor.position == 20)
    assert sink.seqs() == list(range(1, 21))
    assert house.store.most_read <= 120 + len(said("x" * 50).body)


async def test_preloading_spares_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout_module, "_PRELOAD", 6)
    store = SlowStore()
    await store.open()
    for _ in range(10):
        await store.append(said("x"))
    fanout = Fanout(store)
    tail = await fanout.open(ROOM)
    assert (tail.begin, tail.head) == (4, 10)
    sink = ListSink()
    fanout.attach(ROOM, make_wire(), sink, 4)
    assert sink.seqs() == [5, 6, 7, 8, 9, 10]
    assert store.reads == 0
