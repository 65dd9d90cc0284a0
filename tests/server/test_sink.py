"""Where cursors write: past the transport while nothing waits in it, and never out of order."""

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.link import Link
from server.log.cursor import Cursor, advance_all
from server.log.memory import MemoryStore
from server.log.tail import Tail
from server.sink import HIGH_WATER, TransportSink
from tests.server.conftest import until
from tests.server.log.listeners import ListSink, entries, make_wire

PATIENCE = 10
NUMBERS = b"".join(b"%07d\n" % number for number in range(1000))


class Client:
    """The other end, which reads when it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def take(self, size: int) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readexactly(size)


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Link, TransportSink, Client]]:
    """A link of the server, with its sink, and a client over a real socket with a small buffer."""
    links: asyncio.Queue[Link] = asyncio.Queue()

    class Accepted(Link):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport
            links.put_nowait(self)

    server = await asyncio.get_running_loop().create_server(Accepted, "127.0.0.1", 0)
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, server.sockets[0].getsockname())
    # What it reads ahead is little: the server is to feel when nobody takes anything.
    client = Client(*await asyncio.open_connection(sock=raw, limit=1024))
    link = await links.get()
    sink = TransportSink(link.transport, link, 40)
    try:
        yield link, sink, client
    finally:
        link.transport.abort()
        client.writer.transport.abort()
        server.close()
        await server.wait_closed()


async def test_there_is_no_short_way_before_the_first_write() -> None:
    async with connected() as (_, sink, client):
        assert not sink.offer(b"no")
        sink.write(b"first ")
        assert sink.offer(b"second")
        assert await client.take(12) == b"first second"
        assert sink.written == 12


async def test_nothing_is_lost_or_overtaken_when_the_client_reads_late() -> None:
    """Both ways in turn, until the system takes no more, and again when the client has read."""
    async with connected() as (link, sink, client):
        sink.write(b"begin ")
        expected = b"begin "
        for turn in range(3):
            offered = 0
            while sink.has_room():
                if sink.offer(NUMBERS):
                    offered += 1
                else:
                    sink.write(NUMBERS)
                expected += NUMBERS
            assert offered, f"never the short way, in turn {turn}"
            assert link.descriptor < 0
            assert not sink.offer(b"overtakes")
            assert await client.take(len(expected)) == expected
            expected = b""
            await until(lambda: sink.has_room() and not link.transport.get_write_buffer_size())
            sink.write(b"again ")
            expected = b"again "
            assert link.descriptor >= 0


async def test_what_went_through_the_transport_is_not_overtaken() -> None:
    """The system is full, and something comes the long way: that waits, and so does all that comes after it."""
    async with connected() as (link, sink, client):
        sink.write(b"begin ")
        assert link.descriptor >= 0
        expected = b"begin "
        for _ in range(1000):
            sink.write(NUMBERS)
            expected += NUMBERS
            if link.transport.get_write_buffer_size():
                break
        assert link.descriptor < 0
        assert not sink.offer(b"overtakes")
        sink.write(b"end")
        assert await client.take(len(expected) + 3) == expected + b"end"


def read_now(client: Client, times: int) -> bytes:
    """What has arrived, without a turn of the loop: the system has room before the transport knows."""
    transport = client.writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    parts = []
    for _ in range(times):
        with contextlib.suppress(BlockingIOError):
            parts.append(os.read(transport.get_extra_info("socket").fileno(), 4096))
    return b"".join(parts)


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_way_is_taken_all_arrives_in_order(seed: int) -> None:
    chance = random.Random(seed)
    async with connected() as (_, sink, client):
        sink.write(b"begin ")
        said, heard = b"begin ", b""
        for number in range(150):
            data = b"%d:" % number + bytes(chance.randrange(1, 30_000))
            if sink.has_room():
                if chance.random() < 0.5 or not sink.offer(data):
                    sink.write(data)
                said += data
            heard += read_now(client, chance.randrange(20))
            if chance.random() < 0.2:
                await asyncio.sleep(0)
        while len(heard) < len(said):
            heard += read_now(client, 200)
            await asyncio.sleep(0)
        assert heard == said


async def test_a_client_that_is_gone_is_found_out_by_the_transport() -> None:
    async with connected() as (link, sink, client):
        sink.write(b"first")
        await client.take(5)
        client.writer.transport.abort()

        def gone() -> bool:
            sink.offer(b"nobody hears this")
            return link.transport.is_closing()

        await until(gone)
        await until(lambda: link.descriptor < 0)
        assert not sink.offer(b"nor this")
        written = sink.written
        sink.write(b"nor this")
        assert sink.written == written


async def test_the_number_of_a_closed_socket_is_never_written_to() -> None:
    """The system gives it to the next connection, whose bytes these are not."""
    async with connected() as (link, sink, client):
        sink.write(b"first")
        await client.take(5)
        descriptor = link.descriptor
        link.transport.abort()
        await until(lambda: link.descriptor < 0)
        pairs = [socket.socketpair() for _ in range(20)]
        numbers = [one.fileno() for pair in pairs for one in pair]
        assert descriptor in numbers, "the system gives the lowest number that is free"
        assert not sink.offer(b"for somebody else")
        sink.write(b"for somebody else")
        for one in (one for pair in pairs for one in pair):
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                one.recv(100)
        for one in (one for pair in pairs for one in pair):
            one.close()


async def test_room_is_told_of_by_the_transport_as_before() -> None:
    async with connected() as (_, sink, client):
        sink.write(b"x")
        size = 1
        while sink.has_room():
            if not sink.offer(NUMBERS):
                sink.write(NUMBERS)
            size += len(NUMBERS)
        assert size > HIGH_WATER
        woken = asyncio.Event()
        sink.when_room(woken.set)
        await client.take(size)
        async with asyncio.timeout(PATIENCE):
            await woken.wait()


def cursors_of(tail: Tail, sinks: list[ListSink]) -> list[Cursor]:
    wire, store = make_wire(), MemoryStore(clock_ms=lambda: 0)
    return [Cursor("room:main", tail, store, wire, sink, tail.begin) for sink in sinks]


async def test_all_who_stand_together_get_the_same_bytes() -> None:
    tail = Tail("epoch", 0)
    sinks = [ListSink() for _ in range(5)]
    cursors = cursors_of(tail, sinks)
    tail.extend(entries(3))
    advance_all(cursors)
    assert [sink.seqs() for sink in sinks] == [[1, 2, 3]] * 5
    assert len({id(sink.writes[0]) for sink in sinks}) == 1
    assert [cursor.delivered for cursor in cursors] == [3] * 5


async def test_those_in_between_who_stand_elsewhere_get_what_is_theirs() -> None:
    tail = Tail("epoch", 0)
    sinks = [ListSink(), ListSink(0), ListSink(), ListSink(1), ListSink()]
    cursors = cursors_of(tail, sinks)
    tail.extend(entries(2))
    cursors[2].advance()
    advance_all(cursors)
    tail.extend(entries(2, first=3))
    advance_all(cursors)
    assert [sink.seqs() for sink in sinks] == [[1, 2, 3, 4], [], [1, 2, 3, 4], [1, 2], [1, 2, 3, 4]]
    for sink in sinks:
        sink.give_room()
    assert [sink.seqs() for sink in sinks] == [[1, 2, 3, 4]] * 5


@pytest.mark.parametrize("seed", range(5))
async def test_a_cursor_over_a_real_socket_leaves_nothing_out(seed: int) -> None:
    """Events come faster than the client reads; when it does, the system has room before the transport knows."""
    chance = random.Random(seed)
    async with connected() as (_, sink, client):
        tail = Tail("epoch", 0, capacity=10_000, capacity_bytes=1 << 30)
        cursor = Cursor("room:main", tail, MemoryStore(clock_ms=lambda: 0), make_wire(), sink, 0)
        sink.write(b"0 begin\n")
        seq, seen, carry = 0, -1, b""
        while seq < 3000 or seen < seq:
            *lines, carry = (carry + read_now(client, chance.randrange(200))).split(b"\n")
            for line in lines:
                number, _, text = line.partition(b" ")
                assert (int(number), len(set(text) - set(b"begin"))) == (seen + 1, int(number) > 0)
                seen += 1
            if seq < 3000:
                count = chance.randrange(1, 60)
                tail.extend(entries(count, first=seq + 1, body=b"x" * chance.choice((5, 150, 900, 3000))))
                seq += count
                advance_all([cursor])
            if seq >= 3000 or chance.random() < 0.5:
                await asyncio.sleep(0)
        assert cursor.delivered == seq
