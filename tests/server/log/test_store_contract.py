"""What every store has to do: the docstrings of `server.log.store`, as tests over each of them."""

import asyncio
import contextlib
import re
from collections.abc import Sequence

import msgspec
import pytest

from server.log.store import Draft, Entry, Store, Stored
from tests.server.log.conftest import ROOM, said, topic


async def fill(store: Store, count: int, stream: str = ROOM) -> None:
    for number in range(1, count + 1):
        await store.append(said(str(number), stream=stream))


def seqs(entries: Sequence[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


class TestStreams:
    async def test_a_new_store_has_none(self, store: Store) -> None:
        assert store.streams() == ()
        assert store.state(ROOM) is None

    async def test_create_makes_an_empty_one(self, store: Store) -> None:
        state = await store.create(ROOM)
        assert (state.floor, state.head, state.topic) == (1, 0, "")
        assert re.fullmatch("[a-z0-9]{8}", state.epoch)
        assert store.state(ROOM) == state
        assert store.streams() == (ROOM,)

    async def test_create_leaves_an_existing_one_as_it_is(self, store: Store) -> None:
        await store.append(topic("lunch"))
        before = store.state(ROOM)
        assert await store.create(ROOM) == before

    async def test_an_epoch_belongs_to_one_stream(self, store: Store) -> None:
        epochs = {(await store.create(name)).epoch for name in ("a", "b", "c")}
        assert len(epochs) == 3

    async def test_creating_at_the_same_time_gives_one(self, store: Store) -> None:
        states = await asyncio.gather(*(store.create(ROOM) for _ in range(10)))
        assert len(set(map(str, states))) == 1


class TestAppend:
    async def test_makes_the_stream_and_answers_with_the_position(self, store: Store) -> None:
        first = await store.append(said("one"))
        second = await store.append(said("two"))
        state = store.state(ROOM)
        assert state is not None
        assert first == Stored(state.epoch, 1, False)
        assert second == Stored(state.epoch, 2, False)
        assert (state.floor, state.head) == (1, 2)

    async def test_what_is_read_is_what_was_stored(self, store: Store) -> None:
        draft = Draft(ROOM, "message", "änna 🦉", b'{"text":"\xf0\x9f\xa6\x89"}', key="k-1")
        await store.append(draft)
        [entry] = await store.read(ROOM, 0, 10)
        assert entry == Entry(ROOM, 1, 1_000_000, "message", "änna 🦉", "k-1", draft.body)

    async def test_a_key_leads_to_its_entry_as_long_as_that_is_kept(self, store: Store) -> None:
        await store.append(said("x"), said("y"))
        await store.append(said("mine", by="bea", key="k"))
        await store.append(said("hers", by="cyd", key="k"))
        found = await store.find(ROOM, "bea", "k")
        assert found is not None
        assert (found.seq, found.by) == (3, "bea")
        for stream, by, key in ((ROOM, "dan", "k"), (ROOM, "bea", "other"), ("elsewhere", "bea", "k")):
            assert await store.find(stream, by, key) is None
        await store.trim(ROOM, 4)
        assert await store.find(ROOM, "bea", "k") is None

    async def test_streams_count_apart(self, store: Store) -> None:
        await fill(store, 3, "a")
        await fill(store, 2, "b")
        assert seqs(await store.read("a", 0, 10)) == [1, 2, 3]
        assert seqs(await store.read("b", 0, 10)) == [1, 2]

    async def test_a_page_ends_with_the_entry_that_fills_it(self, store: Store) -> None:
        for text in ("x" * 100, "y" * 100, "z" * 100, "end"):
            await store.append(said(text))
        assert seqs(await store.read(ROOM, 0, 10, 1)) == [1]
        assert seqs(await store.read(ROOM, 0, 10, 150)) == [1, 2]
        assert seqs(await store.read(ROOM, 0, 1, 150)) == [1]
        assert seqs(await store.read(ROOM, 2, 10, 10_000)) == [3, 4]
        # Nothing of it is left in the reader's way.
        await fill(store, 1)
        assert seqs(await store.read(ROOM, 3, 10, 10_000)) == [4, 5]

    async def test_several_drafts_go_in_together(self, store: Store) -> None:
        batches: list[Sequence[Entry]] = []
        store.follow(batches.append)
        stored = await store.append(said("deploy"), said("deploy", stream="status"), said("done"))
        assert stored.seq == 1
        [batch] = batches
        assert [(entry.stream, entry.seq) for entry in batch] == [(ROOM, 1), ("status", 1), (ROOM, 2)]
        assert len({entry.at for entry in batch}) == 1

    async def test_several_drafts_are_stored_all_or_none(self, store: Store) -> None:
        await store.append(topic("before"))
        with pytest.raises(msgspec.DecodeError):
            await store.append(said("one"), said("two", stream="new"), Draft(ROOM, "topic", "anna", b"{"))
        assert seqs(await store.read(ROOM, 0, 10)) == [1]
        assert store.state("new") is None
        assert (await store.append(said("next"))).seq == 2

    async def test_a_bad_draft_does_not_hurt_its_neighbours(self, store: Store) -> None:
        bad = Draft(ROOM, "topic", "anna", b'{"nonsense":1}')
        drafts = [said("1"), bad, said("2", stream="b"), bad, bad, said("3")]
        results = await asyncio.gather(*map(store.append, drafts), return_exceptions=True)
        assert [type(result) is Stored for result in results] == [True, False, True, False, False, True]
        assert [entry.body for entry in await store.read(ROOM, 0, 10)] == [b'{"text":"1"}', b'{"text":"3"}']
        assert store.trouble() is None

    async def test_200_in_flight_are_stored_in_the_order_they_were_asked_for(self, store: Store) -> None:
        told: list[Entry] = []
        store.follow(told.extend)
        order: list[int] = []

        async def append(number: int) -> Stored:
            stored = await store.append(said(str(number), stream=f"room:{number % 3}"))
            order.append(number)
            return stored

        results = await asyncio.gather(*map(append, range(200)))
        assert order == list(range(200))
        assert [result.seq for result in results] == [number // 3 + 1 for number in range(200)]
        for stream in store.streams():
            assert await store.read(stream, 0, 200) == [entry for entry in told if entry.stream == stream]

    async def test_a_caller_that_gives_up_breaks_nothing(self, store: Store) -> None:
        given_up = asyncio.ensure_future(store.append(said("never mind")))
        await asyncio.sleep(0)
        given_up.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await given_up
        assert (await store.append(said("go on"))).seq == 2


class TestDuplicates:
    async def test_a_known_key_stores_nothing(self, store: Store) -> None:
        await store.append(said("zero"))
        first = await store.append(said("once", key="k"))
        told: list[Entry] = []
        store.follow(told.extend)
        assert await store.append(said("twice", key="k")) == Stored(first.epoch, first.seq, True)
        assert told == []
        assert [entry.body for entry in await store.read(ROOM, 1, 10)] == [b'{"text":"once"}']

    async def test_the_same_key_twice_at_once(self, store: Store) -> None:
        results = await asyncio.gather(*(store.append(said("again", key="k")) for _ in range(5)))
        assert [result.duplicate for result in results] == [False, True, True, True, True]
        assert {result.seq for result in results} == {1}
        assert seqs(await store.read(ROOM, 0, 10)) == [1]

    async def test_a_key_is_its_authors_and_its_streams(self, store: Store) -> None:
        for draft in (said("a", key="k"), said("b", key="k", by="bert"), said("c", key="k", stream="room:b")):
            assert not (await store.append(draft)).duplicate

    async def test_without_a_key_everything_is_new(self, store: Store) -> None:
        await fill(store, 2)
        assert not (await store.append(said("1"))).duplicate

    async def test_the_first_drafts_key_decides_for_all(self, store: Store) -> None:
        await store.append(said("mark", key="m"), said("mark", key="m", stream="status"))
        again = await store.append(said("mark", key="m"), said("other", stream="status"))
        assert again.duplicate
        assert seqs(await store.read("status", 0, 10)) == [1]

    async def test_a_later_draft_whose_key_is_known_is_left_out(self, store: Store) -> None:
        await store.append(said("mark", key="m", stream="status"))
        stored = await store.append(said("mark", key="m"), said("mark", key="m", stream="status"))
        assert not stored.duplicate
        assert seqs(await store.read("status", 0, 10)) == [1]
        assert seqs(await store.read(ROOM, 0, 10)) == [1]


class TestErase:
    async def test_replaces_the_bodies_and_tells_which(self, store: Store) -> None:
        await fill(store, 3)
        told: list[Entry] = []
        store.follow(told.extend)
        erase = ((1, b'{"text":""}'), (2, b"{}"))
        await store.append(Draft(ROOM, "redact", "anna", b'{"target":1}', erase=erase))
        assert [entry.erased for entry in told] == [erase]
        entries = await store.read(ROOM, 0, 10)
        assert [entry.body for entry in entries] == [b'{"text":""}', b"{}", b'{"text":"3"}', b'{"target":1}']
        assert [entry.erased for entry in entries] == [()] * 4
        assert (entries[0].kind, entries[0].by, entries[0].at) == ("message", "anna", 1_000_000)

    async def test_of_what_is_gone_or_elsewhere_changes_nothing(self, store: Store) -> None:
        await store.append(said("stays", stream="room:other"))
        await fill(store, 2)
        await store.trim(ROOM, 2)
        await store.append(Draft(ROOM, "redact", "anna", b"{}", erase=((1, b"gone"), (99, b"gone"))))
        assert seqs(await store.read(ROOM, 0, 10)) == [2, 3]
        assert [entry.body for entry in await store.read("room:other", 0, 10)] == [b'{"text":"stays"}']

    async def test_happens_only_with_its_event(self, store: Store) -> None:
        await store.append(said("secret", key="a"))
        await store.append(said("x", key="b"))
        await store.append(Draft(ROOM, "redact", "anna", b"{}", key="b", erase=((1, b"gone"),)))
        assert [entry.body for entry in await store.read(ROOM, 0, 1)] == [b'{"text":"secret"}']


class TestTopic:
    async def test_is_the_last_one_and_the_streams_own(self, store: Store) -> None:
        await store.append(topic("first"))
        await store.append(topic("other", stream="room:b"), topic("ünd 🦉"))
        state, other = store.state(ROOM), store.state("room:b")
        assert state is not None
        assert other is not None
        assert (state.topic, other.topic) == ("ünd 🦉", "other")

    async def test_outlives_its_event(self, store: Store) -> None:
        await store.append(topic("kept"))
        await store.append(said("x"))
        await store.trim(ROOM, 3)
        state = store.state(ROOM)
        assert state is not None
        assert state.topic == "kept"


class TestFeed:
    async def test_followers_know_before_append_returns(self, store: Store) -> None:
        told: list[Entry] = []
        store.follow(told.extend)
        for number in range(1, 20):
            await store.append(said("x"))
            assert seqs(told) == list(range(1, number + 1))

    async def test_state_and_feed_move_together(self, store: Store) -> None:
        heads: list[tuple[int, int]] = []

        def follower(entries: Sequence[Entry]) -> None:
            state = store.state(ROOM)
            assert state is not None
            heads.append((state.head, entries[-1].seq))

        store.follow(follower)
        told: list[Entry] = []
        store.follow(told.extend)

        async def look() -> None:
            while len(told) < 50:
                state = store.state(ROOM)
                assert (state.head if state else 0) == len(told)
                await asyncio.sleep(0)

        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(look())
            for _ in range(50):
                group.create_task(store.append(said("x")))
        assert heads
        assert all(state == newest for state, newest in heads)

    async def test_ends_when_asked_to(self, store: Store) -> None:
        told: list[Entry] = []
        follower = told.extend
        unfollow, other = store.follow(follower), store.follow(follower)
        await store.append(said("both"))
        unfollow()
        unfollow()
        await store.append(said("one"))
        other()
        await store.append(said("none"))
        assert seqs(told) == [1, 1, 2]

    async def test_one_followers_failure_is_not_the_others(
        self, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(entries: Sequence[Entry]) -> None:
            raise LookupError("mine")

        told: list[Entry] = []
        store.follow(broken)
        store.follow(told.extend)
        assert (await store.append(said("x"))).seq == 1
        assert seqs(told) == [1]
        assert "a follower of the log failed" in caplog.text


class TestRead:
    async def test_pages_forward(self, store: Store) -> None:
        await fill(store, 10)
        assert seqs(await store.read(ROOM, 0, 4)) == [1, 2, 3, 4]
        assert seqs(await store.read(ROOM, 4, 4)) == [5, 6, 7, 8]
        assert seqs(await store.read(ROOM, 8, 4)) == [9, 10]
        assert list(await store.read(ROOM, 10, 4)) == []
        assert list(await store.read(ROOM, 999, 4)) == []

    async def test_pages_back(self, store: Store) -> None:
        await fill(store, 10)
        assert seqs(await store.read_before(ROOM, 11, 4)) == [7, 8, 9, 10]
        assert seqs(await store.read_before(ROOM, 999, 4)) == [7, 8, 9, 10]
        assert seqs(await store.read_before(ROOM, 3, 4)) == [1, 2]
        assert list(await store.read_before(ROOM, 1, 4)) == []
        assert list(await store.read_before(ROOM, -5, 4)) == []

    @pytest.mark.parametrize("limit", [0, -1])
    async def test_a_limit_of_nothing_gives_nothing(self, store: Store, limit: int) -> None:
        await fill(store, 3)
        assert list(await store.read(ROOM, 0, limit)) == []
        assert list(await store.read_before(ROOM, 3, limit)) == []

    async def test_one(self, store: Store) -> None:
        await fill(store, 3)
        entry = await store.get(ROOM, 2)
        assert entry is not None
        assert (entry.seq, entry.body) == (2, b'{"text":"2"}')
        for seq in (-1, 0, 4):
            assert await store.get(ROOM, seq) is None

    async def test_of_a_stream_that_is_not(self, store: Store) -> None:
        assert list(await store.read("room:none", 0, 10)) == []
        assert list(await store.read_before("room:none", 10, 10)) == []
        assert await store.get("room:none", 1) is None
        assert store.streams() == ()
