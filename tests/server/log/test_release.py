"""A tail is there while somebody listens, or is about to; who comes later finds everything in the store."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from server.log import fanout as fanout_module
from server.log.fanout import Fanout, Start
from server.log.memory import MemoryStore
from server.log.store import Entry, Store, StoreBusyError
from server.log.streams import STATUS
from server.log.tail import Tail
from tests.server.log.conftest import ROOM, said, until
from tests.server.log.listeners import ListSink, make_wire

WIRE = make_wire()


class HeldStore(MemoryStore):
    """Its pages arrive when they are let go."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        super().__init__(clock_ms=clock_ms)
        self.reading = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def read_before(self, stream: str, before: int, limit: int) -> Sequence[Entry]:
        found = await super().read_before(stream, before, limit)
        self.reading += 1
        await self.gate.wait()
        return found


@pytest.fixture
async def fanout(store: Store) -> Fanout:
    return Fanout(store)


@pytest.fixture
async def held(clock_ms: Callable[[], int]) -> HeldStore:
    store = HeldStore(clock_ms)
    await store.open()
    return store


def tails(fanout: Fanout) -> set[str]:
    return set(fanout._tails)


async def listen(fanout: Fanout, replay: int) -> tuple[Start, ListSink]:
    """As a conversation does: in one go."""
    start = await fanout.start(ROOM, None, replay)
    sink = ListSink()
    fanout.attach(ROOM, WIRE, sink, start.after)
    return start, sink


async def test_the_last_one_who_leaves_takes_the_tail_along(store: Store, fanout: Fanout) -> None:
    cursors = []
    for stream in (ROOM, ROOM, STATUS):
        await fanout.start(stream, None, 5)
        cursors.append(fanout.attach(stream, WIRE, ListSink(), 0))
    await asyncio.sleep(0)
    for cursor, left in zip(cursors, ({ROOM, STATUS}, {STATUS}, {STATUS}), strict=True):
        fanout.detach(cursor)
        assert tails(fanout) == left
    assert set(fanout._cursors) <= {STATUS}
    assert not fanout._holds


async def test_who_opens_and_does_not_listen_leaves_nothing(store: Store, fanout: Fanout) -> None:
    await fanout.open(ROOM)
    await fanout.start(ROOM, None, 5)
    assert tails(fanout) == {ROOM}
    await until(lambda: not tails(fanout))
    assert not fanout._holds


async def test_who_fails_to_open_leaves_nothing(clock_ms: Callable[[], int]) -> None:
    class Broken(MemoryStore):
        async def read_before(self, stream: str, before: int, limit: int) -> Sequence[Entry]:
            raise StoreBusyError("no")

    store = Broken(clock_ms=clock_ms)
    await store.open()
    fanout = Fanout(store)
    with pytest.raises(StoreBusyError):
        await fanout.start(ROOM, None, 5)
    await until(lambda: not tails(fanout))
    assert not fanout._holds


async def test_what_is_said_after_everyone_left_is_there_for_who_comes_back(
    store: Store, fanout: Fanout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a tail that is loaded anew, and begins later than what is asked for."""
    monkeypatch.setattr(fanout_module, "_PRELOAD", 2)
    await fanout.start(ROOM, None, 5)
    fanout.detach(fanout.attach(ROOM, WIRE, ListSink(), 0))
    await until(lambda: not tails(fanout))
    for number in range(5):
        await store.append(said(str(number)))
    start = await fanout.start(ROOM, None, 5)
    sink = ListSink()
    cursor = fanout.attach(ROOM, WIRE, sink, start.after)
    await store.append(said("live"))
    await until(lambda: cursor.position == 6)
    assert sink.seqs() == [1, 2, 3, 4, 5, 6]


async def test_the_last_one_leaves_between_the_decision_and_listening(store: Store, fanout: Fanout) -> None:
    """In one turn of the loop, as when somebody joins a room anew in which nobody else is."""
    await fanout.start(ROOM, None, 5)
    before = fanout.attach(ROOM, WIRE, ListSink(), 0)
    start = await fanout.start(ROOM, None, 5)
    fanout.detach(before)
    sink = ListSink()
    cursor = fanout.attach(ROOM, WIRE, sink, start.after)
    await store.append(said("x"))
    await until(lambda: cursor.position == 1)
    assert sink.seqs() == [1]
    assert fanout._tails[ROOM] is cursor.tail


async def test_the_last_one_leaves_while_the_newest_are_read(
    held: HeldStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tail stays for who is about to listen; else what is said meanwhile would be neither read nor heard."""
    monkeypatch.setattr(fanout_module, "_PRELOAD", 1)
    for number in range(4):
        await held.append(said(str(number)))
    fanout = Fanout(held)
    await fanout.start(ROOM, None, 0)
    first = fanout.attach(ROOM, WIRE, ListSink(), 4)
    held.gate.clear()
    reads = held.reading
    starting = asyncio.create_task(listen(fanout, 3))
    await until(lambda: held.reading > reads)
    fanout.detach(first)
    await held.append(said("meanwhile"))
    held.gate.set()
    start, sink = await starting
    assert (start.after, start.head) == (2, 5)
    assert sink.seqs() == [3, 4, 5]


async def test_somebody_comes_and_goes_while_another_one_opens(held: HeldStore) -> None:
    """The second finds the first one's tail, which is not loaded yet, and leaves before it is."""
    for number in range(3):
        await held.append(said(str(number)))
    fanout = Fanout(held)
    held.gate.clear()
    opening = asyncio.create_task(listen(fanout, 5))
    await until(lambda: held.reading == 1)
    await fanout.open(ROOM)
    fanout.detach(fanout.attach(ROOM, WIRE, ListSink(), 3))
    await asyncio.sleep(0)
    assert tails(fanout) == {ROOM}
    held.gate.set()
    _, sink = await opening
    await held.append(said("live"))
    await until(lambda: sink.seqs() == [1, 2, 3, 4])
    assert len(fanout._tails) == 1


async def test_who_is_cancelled_while_opening_leaves_nothing(held: HeldStore) -> None:
    await held.append(said("x"))
    fanout = Fanout(held)
    held.gate.clear()
    opening = asyncio.create_task(fanout.start(ROOM, None, 5))
    await until(lambda: held.reading == 1)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await until(lambda: not tails(fanout))
    assert not fanout._holds


async def test_the_last_one_leaves_in_the_middle_of_a_round(
    store: Store, fanout: Fanout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to be handed out finds nobody, and whoever comes then gets it from the store."""
    monkeypatch.setattr(fanout_module, "SLICE_SECONDS", 0)
    await fanout.start(ROOM, None, 5)
    cursors = [fanout.attach(ROOM, WIRE, ListSink(), 0) for _ in range(40)]
    await store.append(said("x"))
    await asyncio.sleep(0)
    for cursor in cursors:
        fanout.detach(cursor)
    assert tails(fanout) == set()
    _, sink = await listen(fanout, 5)
    await store.append(said("y"))
    await until(lambda: sink.seqs() == [1, 2])


async def test_all_tails_together_are_bounded(store: Store) -> None:
    """The largest give way, nobody misses anything, and what is counted is what is held."""
    fanout = Fanout(store, tails_bytes=4000)
    cursors, sinks = [], []
    for room in ("room:a", "room:b", "room:c"):
        await fanout.start(room, None, 0)
        sinks.append(ListSink(0))
        cursors.append(fanout.attach(room, WIRE, sinks[-1], 0))
    for number in range(60):
        for room in ("room:a", "room:b", "room:c") if number > 40 else ("room:a",):
            await store.append(said("x" * 90, stream=room))
            assert sum(tail.size for tail in fanout._tails.values()) == fanout._size <= 4500
    for sink, cursor in zip(sinks, cursors, strict=True):
        sink.give_room()
        await until(lambda cursor=cursor: cursor.position == cursor.tail.head)  # type: ignore[misc]
    assert [len(sink.seqs()) for sink in sinks] == [60, 19, 19]
    for cursor in cursors:
        fanout.detach(cursor)
    await until(lambda: not tails(fanout))
    assert fanout._size == 0


async def test_more_tails_than_can_be_held_do_not_make_each_event_dear(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fanout = Fanout(store, tails_bytes=8000)
    for number in range(100):
        await fanout.start(f"room:{number}", None, 0)
        fanout.attach(f"room:{number}", WIRE, ListSink(), 0)
    rounds = 0

    def shed(tail: Tail, most: int) -> None:
        nonlocal rounds
        rounds += 1

    monkeypatch.setattr(Tail, "shed", shed)
    for number in range(100):
        await store.append(said("x" * 90, stream=f"room:{number}"))
    assert 0 < rounds < 1000
