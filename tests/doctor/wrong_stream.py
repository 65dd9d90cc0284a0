"""A server of an event stream that is right, and servers that have one fault each."""

import asyncio
import itertools
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

#: Seconds between two events. Whoever reads for a while gets several.
TICK = 0.025
#: Seconds that count as long in these tests.
LONG = 0.6


class RightStream:
    """One log for all, and what is posted goes into it. Each method is one thing that can be done wrong."""

    status = "200 OK"
    version = "1.1"
    content_type = "text/event-stream; charset=utf-8"
    cache_control: str | None = "no-store"
    opening = b"retry: 2000\n: hello\n\n"
    further: tuple[str, ...] = ()
    most_events = 1 << 32

    def __init__(self) -> None:
        self.log: list[str] = []
        self.grown = asyncio.Condition()

    async def tick(self) -> None:
        for number in itertools.count():
            await self.say(f"tick {number}")
            await asyncio.sleep(TICK)  # what this server has to say comes by itself

    async def say(self, text: str) -> None:
        async with self.grown:
            self.log.append(text)
            self.grown.notify_all()

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method = first.partition(" ")[0]
        if method == "POST":
            body = await reader.readexactly(int(fields["content-length"]))
            await self.posted(body.decode())
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        elif method == "HEAD":
            await self.head(fields, writer)
        else:
            await self.get(fields, writer)

    async def posted(self, text: str) -> None:
        await self.say(text)

    async def head(self, fields: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n")

    def head_of(self, fields: dict[str, str]) -> bytes:
        lines = [f"HTTP/{self.version} {self.status}", f"Content-Type: {self.content_type}"]
        if self.cache_control:
            lines.append(f"Cache-Control: {self.cache_control}")
        lines += [*self.framing(), *self.further, *self.cors(fields), "", ""]
        return "\r\n".join(lines).encode()

    def framing(self) -> tuple[str, ...]:
        return ("Transfer-Encoding: chunked",)

    def cors(self, fields: dict[str, str]) -> tuple[str, ...]:
        return ()

    async def get(self, fields: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(self.head_of(fields))
        await self.stream(fields.get("last-event-id", ""), writer)

    async def stream(self, last_id: str, writer: asyncio.StreamWriter) -> None:
        await self.write(self.opening, writer)
        first = self.after(last_id)
        for at in range(first, first + self.most_events):
            async with self.grown:
                while len(self.log) <= at:
                    await self.grown.wait()
            await self.write(self.block(at, self.log[at]), writer)
        writer.write(self.chunk(b""))

    def after(self, last_id: str) -> int:
        """Where the log goes on; at its beginning for whom it does not know."""
        known = last_id.isdigit() and int(last_id) < len(self.log)
        return int(last_id) + 1 if known else 0

    def block(self, at: int, text: str) -> bytes:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return "\n".join([*self.fields(at), *(f"data: {line}" for line in lines), "", ""]).encode()

    def fields(self, at: int) -> Iterator[str]:
        yield f"id: {at}"

    async def write(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(self.chunk(data))
        await writer.drain()

    def chunk(self, data: bytes) -> bytes:
        return f"{len(data):x}\r\n".encode() + data + b"\r\n"


@asynccontextmanager
async def serving(kind: type[RightStream]) -> AsyncIterator[str]:
    """One of these servers, at a URL."""
    stream = kind()
    running: set[asyncio.Task[None]] = {asyncio.ensure_future(stream.tick())}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await stream.run(reader, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        finally:
            writer.close()
            running.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for task in tuple(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


# one fault each


class NotFound(RightStream):
    status = "404 Not Found"


class NoContent(RightStream):
    status = "204 No Content"


class Elsewhere(RightStream):
    status = "307 Temporary Redirect"
    further = ("Location: http://127.0.0.1/elsewhere",)


class Html(RightStream):
    content_type = "text/html"


class Latin1(RightStream):
    content_type = "text/event-stream; charset=iso-8859-1"


class Cacheable(RightStream):
    cache_control = None


class CacheableForAnHour(RightStream):
    cache_control = "public, max-age=3600"


class LateHead(RightStream):
    """The long reading only: it would take its time for each."""

    waited = False

    async def get(self, fields: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if not self.waited:
            self.waited = True
            await asyncio.sleep(LONG)  # the fault
        await super().get(fields, writer)


class CompressesUnasked(RightStream):
    further = ("Content-Encoding: br",)


class Compresses(RightStream):
    """Rightly: each event is flushed."""

    flush = True

    async def get(self, fields: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if "gzip" not in fields.get("accept-encoding", ""):
            await super().get(fields, writer)
            return
        compressed = type(self)()
        compressed.log = self.log
        compressed.grown = self.grown
        compressed.further = ("Content-Encoding: gzip",)
        compressor = zlib.compressobj(wbits=31)

        def chunk(data: bytes) -> bytes:
            packed = compressor.compress(data) + (compressor.flush(zlib.Z_SYNC_FLUSH) if self.flush else b"")
            return RightStream.chunk(self, packed) if packed else b""

        compressed.chunk = chunk  # type: ignore[method-assign]
        await RightStream.get(compressed, fields, writer)


class CompressesWithoutFlushing(Compresses):
    flush = False


class EveryPage(RightStream):
    def cors(self, fields: dict[str, str]) -> tuple[str, ...]:
        return ("Access-Control-Allow-Origin: *",)


class EveryPageWithCredentials(RightStream):
    def cors(self, fields: dict[str, str]) -> tuple[str, ...]:
        origin = fields.get("origin", "null")
        return (f"Access-Control-Allow-Origin: {origin}", "Access-Control-Allow-Credentials: true")


class EveryPageByName(RightStream):
    def cors(self, fields: dict[str, str]) -> tuple[str, ...]:
        return (f"Access-Control-Allow-Origin: {fields.get('origin', 'null')}",)


class EndlessHead(RightStream):
    async def head(self, fields: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(self.head_of(fields))
        await asyncio.Event().wait()


class HeadWithContent(RightStream):
    async def head(self, fields: dict[str, str], writer: asyncio.StreamWriter) -> None:
        await self.get(fields, writer)


class LatePosts(RightStream):
    async def posted(self, text: str) -> None:
        asyncio.get_running_loop().call_later(LONG, lambda: asyncio.ensure_future(self.say(text)))


class LostPosts(RightStream):
    async def posted(self, text: str) -> None:
        pass


class LineEndsPassThrough(RightStream):
    def block(self, at: int, text: str) -> bytes:
        return f"id: {at}\ndata: {text}\n\n".encode()


class CarriageReturnsPassThrough(RightStream):
    def block(self, at: int, text: str) -> bytes:
        lines = text.replace("\r\n", "\n").split("\n")
        return "\n".join([f"id: {at}", *(f"data: {line}" for line in lines), "", ""]).encode()


class ContentLength(RightStream):
    def framing(self) -> tuple[str, ...]:
        return ("Content-Length: 100000",)

    def chunk(self, data: bytes) -> bytes:
        return data


class Http10(RightStream):
    version = "1.0"

    def framing(self) -> tuple[str, ...]:
        return ()

    def chunk(self, data: bytes) -> bytes:
        return data


class EndsSoon(RightStream):
    most_events = 3


class OtherFields(RightStream):
    def fields(self, at: int) -> Iterator[str]:
        yield from super().fields(at)
        yield "Data: in capitals"


class NotUtf8(RightStream):
    def block(self, at: int, text: str) -> bytes:
        return super().block(at, text) + b": \xff\n\n"


class EventsWithoutData(RightStream):
    def block(self, at: int, text: str) -> bytes:
        return super().block(at, text) + b"event: nothing\n\n"


class HoldsBackHalves(RightStream):
    """As one does whose buffer is never as long as an event."""

    async def write(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        await super().write(data[:-3], writer)
        await asyncio.sleep(LONG)  # the fault
        await super().write(data[-3:], writer)


class NoIds(RightStream):
    def fields(self, at: int) -> Iterator[str]:
        return iter(())


class NoRetry(RightStream):
    opening = b": hello\n\n"


class RetryInWords(RightStream):
    opening = b"retry: 2s\n\n"


class RetryAtOnce(RightStream):
    opening = b"retry: 0\n\n"


class RetryTomorrow(RightStream):
    opening = b"retry: 86400000\n\n"


class ForgetsWhereOneWas(RightStream):
    def after(self, last_id: str) -> int:
        return 0


class LosesWhatWasBetween(RightStream):
    def after(self, last_id: str) -> int:
        return super().after(last_id) + 2 if last_id else 0


class RepeatsTheLast(RightStream):
    def after(self, last_id: str) -> int:
        return max(0, super().after(last_id) - 1)


class WaitsForUnknownIds(RightStream):
    async def stream(self, last_id: str, writer: asyncio.StreamWriter) -> None:
        if last_id and not self.after(last_id):
            await asyncio.Event().wait()
        await super().stream(last_id, writer)


class RefusesUnknownIds(RightStream):
    async def get(self, fields: dict[str, str], writer: asyncio.StreamWriter) -> None:
        last_id = fields.get("last-event-id", "")
        if last_id and not self.after(last_id):
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return
        await super().get(fields, writer)
