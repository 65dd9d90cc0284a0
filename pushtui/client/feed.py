"""The way from a client to its user: what happened, in order."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")

#: How many items may wait before a client stops reading from its link.
LIMIT = 256


class Feed(Generic[Item]):
    """An asynchronous iterator for one consumer.

    Putting never blocks, so that what the user does himself is told at once. A client that reads from a link waits
    for `room` first: a consumer that is slow then slows down the server, instead of filling the memory.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._items: deque[Item] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False

    def put(self, item: Item) -> None:
        """Add an item; after the end there is nobody to tell."""
        if self._ended:
            return
        self._items.append(item)
        self._filled.set()
        if len(self._items) >= self._limit:
            self._room.clear()

    def end(self) -> None:
        """No item comes any more: the iterator ends after what is waiting."""
        self._ended = True
        self._filled.set()

    async def room(self) -> None:
        """Return when less than the limit is waiting."""
        await self._room.wait()

    async def next(self) -> Item:
        """The oldest item.

        Raises:
            StopAsyncIteration: the feed has ended.
        """
        while not self._items:
            if self._ended:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        item = self._items.popleft()
        if len(self._items) < self._limit:
            self._room.set()
        return item
