import asyncio

import pytest

from pushtui.client.feed import Feed


async def test_items_come_in_order_and_then_the_end() -> None:
    feed: Feed[int] = Feed()
    feed.put(1)
    feed.put(2)
    feed.end()
    feed.put(3)
    assert [await feed.next(), await feed.next()] == [1, 2]
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await feed.next()


async def test_one_who_waits_is_woken() -> None:
    feed: Feed[int] = Feed()
    waiting = asyncio.ensure_future(feed.next())
    await asyncio.sleep(0)
    feed.put(7)
    assert await asyncio.wait_for(waiting, 5) == 7


async def test_one_who_waits_learns_of_the_end() -> None:
    feed: Feed[int] = Feed()
    waiting = asyncio.ensure_future(feed.next())
    await asyncio.sleep(0)
    feed.end()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(waiting, 5)


async def test_there_is_room_only_below_the_limit() -> None:
    feed: Feed[int] = Feed(limit=2)
    feed.put(1)
    await asyncio.wait_for(feed.room(), 5)
    feed.put(2)
    waiting = asyncio.ensure_future(feed.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await feed.next()
    await asyncio.wait_for(waiting, 5)


async def test_no_item_is_lost_when_waiting_is_given_up() -> None:
    feed: Feed[int] = Feed()
    waiting = asyncio.ensure_future(feed.next())
    await asyncio.sleep(0)
    feed.put(1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await asyncio.wait_for(feed.next(), 5) == 1
