"""One reading of a stream: what came, and when."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from pushtui.doctor.endpoint import Bounds, Endpoint
from pushtui.doctor.head import Head, NotHttpError, request
from pushtui.doctor.link import EndedError, Link
from pushtui.doctor.stream.body import Body
from pushtui.doctor.stream.parsing import Event, Parser

#: The most that one reading takes.
_MOST = 16 << 20
#: What an EventSource sends (WHATWG HTML, section 9.2.3), but that it takes compressed answers too.
_ASKING: dict[str, str | None] = {
    "Accept": "text/event-stream",
    "Cache-Control": "no-cache",
    "Accept-Encoding": "identity",
}


class Piece(NamedTuple):
    """What came at one moment.

    Attributes:
        at: when.
        size: bytes of content.
        whole: behind it stands no event that is half there.
    """

    at: float
    size: int
    whole: bool


class Watch:
    """A stream that is read.

    Attributes:
        head: of the answer.
        asked: when it was asked for; `answered` is when the head was there.
        pieces: what came.
        parser: what it meant.
        ended: how the stream ended, None as long as it goes on.
        ended_at: when.
        began: set as soon as something came, be it the end.
    """

    def __init__(self, link: Link, head: Head, asked: float, answered: float) -> None:
        self.head = head
        self.asked = asked
        self.answered = answered
        self.pieces: list[Piece] = []
        self.parser = Parser()
        self.framing = Body(head)
        self.ended: str | None = None
        self.ended_at = answered
        self.began = asyncio.Event()
        self._link = link
        self._taken = 0
        self._inflate = zlib.decompressobj(wbits=47) if _is_compressed(head) else None

    @property
    def events(self) -> list[Event]:
        """What was dispatched so far."""
        return self.parser.events

    @property
    def is_stream(self) -> bool:
        """Whether a client would read it."""
        return self.head.status == 200 and media_type(self.head) == "text/event-stream"

    async def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Read until something is so; False when the time is over or the stream has ended before."""
        try:
            async with asyncio.timeout(seconds):
                while not done():
                    if not await self._read():
                        return done()
        except TimeoutError:
            return done()
        return True

    async def rest(self, seconds: float) -> bytes | None:
        """What comes behind the head, as it comes: nothing when the end does, None when neither comes in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._link.some()
        except EndedError:
            return b""
        except TimeoutError:
            return None

    async def _read(self) -> bool:
        if self.ended is not None:
            return False
        if self.framing.complete or self._taken > _MOST:
            self._end("ended" if self.framing.complete else "left: it said too much")
            return False
        try:
            data = await self._link.some()
        except EndedError as ended:
            whole = self.framing.framing == "until the end" and ended.orderly
            self._end("ended" if whole else "cut")
            return False
        at = self._link.at
        try:
            content = self._plain(self.framing.feed(data))
            self._taken += len(data) + len(content)
        except (NotHttpError, zlib.error) as error:
            self._end(f"unreadable: {error}")
            return False
        if content:
            self.parser.feed(content, at)
            self.pieces.append(Piece(at, len(content), self.parser.between_blocks))
            self.began.set()
        return True

    def _plain(self, content: bytes) -> bytes:
        return content if self._inflate is None else self._inflate.decompress(content, 1 << 20)

    def _end(self, how: str) -> None:
        self.ended = how
        self.ended_at = asyncio.get_running_loop().time()
        self.began.set()


def media_type(head: Head) -> str:
    """The content type without its parameters."""
    return (head.get("content-type") or "").partition(";")[0].strip().lower()


def _is_compressed(head: Head) -> bool:
    return head.get("content-encoding") in ("gzip", "deflate")


@asynccontextmanager
async def watching(
    endpoint: Endpoint, bounds: Bounds, fields: Mapping[str, str | None] | None = None, *, method: str = "GET"
) -> AsyncIterator[Watch]:
    """Ask for the stream, on a connection of its own.

    Args:
        endpoint: where it is.
        bounds: how long the head of the answer may take.
        fields: header fields besides those of every reading.
        method: of the request.

    Raises:
        OSError: there is no connection.
        EndedError: there is no answer.
        NotHttpError: it is none.
        TimeoutError: it did not come in time.
    """
    loop = asyncio.get_running_loop()
    async with await Link.open(endpoint, bounds.answer) as link:
        asked = loop.time()
        link.send(request(endpoint, {**_ASKING, **(fields or {})}, method=method))
        head = await link.head(max(bounds.answer, bounds.patience))
        yield Watch(link, head, asked, loop.time())
