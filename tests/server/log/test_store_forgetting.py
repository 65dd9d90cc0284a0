"""What every store forgets, and how it closes."""

import asyncio

import pytest

from server.log.store import Entry, Store, StoreBusyError, StreamState
from tests.server.log.conftest import KEPT_OF_SHORT, ROOM, said
from tests.server.log.test_store_contract import fill, seqs


class TestTrim:
    async def test_moves_the_floor(self, store: Store) -> None:
        await fill(store, 5)
        await store.trim(ROOM, 4)
        state = store.state(ROOM)
        assert state is not None
        assert (state.floor, state.head) == (4, 5)
        assert seqs(await store.read(ROOM, 0, 10)) == [4, 5]
        assert seqs(await store.read(ROOM, 2, 1)) == [4]
        assert seqs(await store.read_before(ROOM, 5, 10)) == [4]
        assert await store.get(ROOM, 3) is None

    async def test_of_everything_does_not_start_again_at_one(self, store: Store) -> None:
        await fill(store, 3)
        await store.trim(ROOM, 1000)
        state = store.state(ROOM)
        assert state is not None
        assert (state.floor, state.head) == (4, 3)
        assert list(await store.read(ROOM, 0, 10)) == []
        assert (await store.append(said("next"))).seq == 4
        assert seqs(await store.read(ROOM, 0, 10)) == [4]

    async def test_never_lowers_the_floor(self, store: Store) -> None:
        await fill(store, 3)
        await store.trim(ROOM, 3)
        await store.trim(ROOM, 1)
        await store.trim(ROOM, -7)
        state = store.state(ROOM)
        assert state is not None
        assert state.floor == 3

    async def test_of_a_stream_that_is_not(self, store: Store) -> None:
        await store.trim("room:none", 5)
        assert store.streams() == ()

    async def test_happens_by_itself_where_a_stream_keeps_so_many(self, store: Store) -> None:
        await fill(store, 10, "short")
        await fill(store, 10)
        state = store.state("short")
        assert state is not None
        assert (state.floor, state.head) == (11 - KEPT_OF_SHORT, 10)
        assert seqs(await store.read("short", 0, 10)) == [8, 9, 10]
        assert seqs(await store.read(ROOM, 0, 10)) == list(range(1, 11))

    async def test_keeps_the_keys_of_what_is_kept(self, store: Store) -> None:
        await store.append(said("old", key="old"))
        await store.append(said("new", key="new"))
        await store.trim(ROOM, 2)
        assert (await store.append(said("new", key="new"))).duplicate


class TestClose:
    async def test_stores_what_was_accepted(self, store: Store) -> None:
        told: list[Entry] = []
        store.follow(told.extend)
        pending = [asyncio.ensure_future(store.append(said("x"))) for _ in range(20)]
        await asyncio.sleep(0)
        await store.close()
        assert [(await one).seq for one in pending] == list(range(1, 21))
        assert seqs(told) == list(range(1, 21))

    async def test_is_idempotent_and_final(self, store: Store) -> None:
        await store.append(said("x"))
        await asyncio.gather(store.close(), store.close())
        await store.close()
        assert store.trouble() == "the log is not open"
        with pytest.raises(StoreBusyError, match="not open"):
            await store.append(said("x"))
        with pytest.raises(StoreBusyError, match="not open"):
            await store.read(ROOM, 0, 1)
        with pytest.raises(StoreBusyError, match="not open"):
            await store.create("room:new")

    async def test_no_trouble_while_open(self, store: Store) -> None:
        assert store.trouble() is None


async def test_state_is_a_snapshot(store: Store) -> None:
    await store.append(said("x"))
    before = store.state(ROOM)
    await store.append(said("y"))
    assert before is not None
    assert before == StreamState(before.epoch, 1, 1, "")
