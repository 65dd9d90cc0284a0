"""Whatever an endpoint does, the doctor ends, and in bounded memory."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from pushtui.doctor.check import run
from pushtui.doctor.endpoint import Bounds, Endpoint
from pushtui.doctor.finding import Finding, Level
from pushtui.doctor.stream import examination as stream
from pushtui.doctor.stream.patient import Patient as StreamPatient
from pushtui.doctor.websocket import examination as websocket
from pushtui.doctor.websocket.patient import Patient as WebSocketPatient
from pushtui.protocol.frames import Opcode, frame
from tests.doctor.right_websocket import RightServer, serving

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BOUNDS = Bounds(patience=0.2, answer=1, pause=0.1, oversize=1 << 20)
#: For checks of which each waits for nothing as long as it can.
SHORT = Bounds(patience=0.2, answer=0.3, pause=0.1, oversize=1 << 20)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
MOST_BYTES = 64 << 20


@asynccontextmanager
async def peer(handler: Handler) -> AsyncIterator[str]:
    """A server that does as the handler does with each connection; its host and port."""
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        finally:
            writer.close()
            running.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for task in tuple(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def examined(url: str) -> dict[str, Finding]:
    endpoint = Endpoint.parse(url)
    if endpoint.websocket:
        findings = websocket.examine(WebSocketPatient(endpoint, BOUNDS))
    else:
        findings = stream.examine(StreamPatient(endpoint, BOUNDS))
    async with asyncio.timeout(BOUNDS.whole + 20):
        return {finding.check: finding async for finding in findings}


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def endless(writer: asyncio.StreamWriter, data: bytes) -> None:
    while True:
        writer.write(data)
        await writer.drain()


async def endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await endless(writer, 1000 * b"X: y\r\n")


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


@pytest.mark.parametrize("scheme", ["ws", "http"])
@pytest.mark.parametrize(
    ("handler", "seen"),
    [
        (silent, "no answer in time"),
        (endless_head, "no HTTP is spoken here"),
        (hangs_up, "the connection ended without an answer"),
    ],
)
async def test_without_an_answer(scheme: str, handler: Handler, seen: str) -> None:
    async with peer(handler) as where:
        found = await examined(f"{scheme}://{where}")
    faults = [one for one in found.values() if one.level is Level.FAULT]
    assert [one.check for one in faults] == ["handshake" if scheme == "ws" else "status"]
    assert faults[0].seen.startswith(seen)


async def line_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM + b"\r\ndata: ")
    await endless(writer, 1000 * b"x")


async def lines_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM + b"\r\n")
    await endless(writer, 1000 * b"data\n")


async def bomb(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM + b"Content-Encoding: gzip\r\n\r\n")
    await endless(writer, gzip.compress(bytes(10 << 20)))


async def wrong_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n")
    await asyncio.Event().wait()


@pytest.mark.parametrize("handler", [line_without_end, lines_without_end, bomb, wrong_chunks])
async def test_streams(handler: Handler) -> None:
    async with peer(handler) as where:
        tracemalloc.start()
        try:
            found = await examined(f"http://{where}")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert list(found) == [check.name for check in stream.CHECKS]
    assert found["status"].level is Level.OK
    assert peak < MOST_BYTES


class Flood(RightServer):
    """Frames without end, and no answer to anything."""

    data = frame(Opcode.TEXT, 1000 * b"x")

    async def frame(self) -> None:  # type: ignore[override]
        await endless(self.writer, self.data)


class FloodOfPings(Flood):
    data = 100 * frame(Opcode.PING, 125 * b"x")


class FrameWithoutEnd(Flood):
    data = b"\x82\x7f\x7f" + 1000 * b"\xff"


#: Each of the others would wait as long again.
SOME = [check for check in websocket.CHECKS if check.name in ("handshake", "ping", "oversize")]


@pytest.mark.parametrize("kind", [Flood, FloodOfPings, FrameWithoutEnd])
async def test_websockets(kind: type[RightServer]) -> None:
    async with serving(kind) as url:
        tracemalloc.start()
        try:
            patient = WebSocketPatient(Endpoint.parse(url), SHORT)
            found = {finding.check: finding async for finding in run(SOME, patient)}
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert list(found) == [check.name for check in SOME]
    assert found["ping"].level is not Level.OK
    assert peak < MOST_BYTES
