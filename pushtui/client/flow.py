"""What every client of a flow is to those who use it: a context manager, and an iterator of what happens."""

import asyncio
from types import TracebackType
from typing import Generic, Self, TypeVar

from pushtui.client.feed import Feed
from pushtui.client.happenings import Link
from pushtui.client.reconnection import Reconnection

Happening = TypeVar("Happening")


class Flow(Generic[Happening]):
    """Keeps one link up while it is entered; whoever iterates learns what happens, one consumer at a time.

    Args:
        name: of its task.
        feed: what happens.
        reconnection: makes one try after the other.
    """

    def __init__(self, name: str, feed: Feed[Happening], reconnection: Reconnection) -> None:
        self._name = name
        self._feed = feed
        self._reconnection = reconnection
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=self._name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._leave()
        # A task that was cancelled before it began told nobody.
        self._reconnection.close()
        self._feed.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Happening:
        return await self._feed.next()

    @property
    def link(self) -> Link:
        """How the link is doing now; what the iteration yields may still be behind."""
        return self._reconnection.link

    def retry_now(self) -> None:
        """Do not wait for the next try."""
        self._reconnection.retry_now()

    async def _run(self) -> None:
        try:
            await self._reconnection.run()
        finally:
            self._feed.end()
            await self._let_go()

    async def _let_go(self) -> None:
        """Free what the tries have used; no more are made."""

    async def _leave(self) -> None:
        """Do what is left to do for whoever leaves, before the iteration ends."""
