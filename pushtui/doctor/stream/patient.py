"""The event stream that is examined, and what all checks know of it."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from pushtui.doctor.endpoint import Bounds, Endpoint
from pushtui.doctor.stream.watch import Watch, watching


class Patient:
    """One endpoint, and one reading of it that goes on for as long as one has patience.

    Args:
        endpoint: where it is.
        bounds: how long to wait for it.
        post: where text is posted to that comes out of the stream; None when nothing may be posted.

    Attributes:
        hopeless: see `pushtui.doctor.check.Subject`.
    """

    def __init__(self, endpoint: Endpoint, bounds: Bounds, *, post: Endpoint | None = None) -> None:
        self.endpoint = endpoint
        self.bounds = bounds
        self.post = post
        self.hopeless: str | None = None
        self._answered: asyncio.Future[Watch] = asyncio.get_running_loop().create_future()
        self._reading: asyncio.Task[None] | None = None

    async def answered(self) -> Watch:
        """The long reading, as soon as there was an answer.

        Raises:
            OSError: there is no connection.
            EndedError: there is no answer.
            NotHttpError: it is none.
            TimeoutError: it did not come in time.
        """
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._read())
        return await asyncio.shield(self._answered)

    async def watched(self) -> Watch:
        """The long reading, when it is over."""
        watch = await self.answered()
        if self._reading is not None:
            await asyncio.shield(self._reading)
        return watch

    async def leave(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self._answered.cancel()

    def ask(self, fields: Mapping[str, str | None], *, method: str = "GET") -> AbstractAsyncContextManager[Watch]:
        """Another reading, on a connection of its own."""
        return watching(self.endpoint, self.bounds, fields, method=method)

    async def _read(self) -> None:
        try:
            async with watching(self.endpoint, self.bounds) as watch:
                self._answered.set_result(watch)
                if watch.is_stream:
                    await watch.until(_never, self.bounds.patience)
        except Exception as error:
            if self._answered.done():
                raise
            self._answered.set_exception(error)


def _never() -> bool:
    return False
