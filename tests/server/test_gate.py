"""Who gets in at all: how many, from where; and how long they may take to say what they want."""

import asyncio
import contextlib
import errno
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from pushtui.protocol.limits import Protection
from server.addresses import Addresses, parse_networks
from server.descriptors import RESERVED, affordable
from server.gate import MOST_DISMISSED, Gate
from server.seats import FullError, Seats
from tests.server.conftest import NO_FLOODS, Build, House, timing, until
from tests.server.wire_client import WireClient

TICK = timing(tick=0.01)
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def protection(**changes: float) -> Protection:
    return replace(NO_FLOODS, **changes)


def seats(house: House) -> Seats:
    return house.server._seats


def refusal(answer: bytes) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON body of a raw answer."""
    head, _, body = answer.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert int(headers["content-length"]) == len(body.encode())
    return int(first.split()[1]), headers, json.loads(body)


class TestSeats:
    def test_they_are_given_back_once(self) -> None:
        held = Seats(2, 1)
        ana = held.take("ana")
        with pytest.raises(FullError) as full:
            held.take("ana")
        assert full.value.status == 429
        ben = held.take("ben")
        with pytest.raises(FullError) as full:
            held.take("eve")
        assert full.value.status == 503
        ana.leave()
        ana.leave()
        assert held.taken == 1
        held.take("ana").leave()
        ben.leave()
        assert (held.taken, len(held._by_address)) == (0, 0)

    def test_a_proxy_counts_in_total_and_its_clients_by_address(self) -> None:
        held = Seats(2, 1)
        proxy = [held.take(None), held.take(None)]
        ana = held.share("ana")
        with pytest.raises(FullError):
            held.share("ana")
        held.share("ben").leave()
        ana.leave()
        for seat in proxy:
            seat.leave()
        assert (held.taken, len(held._by_address)) == (0, 0)


class TestFull:
    async def test_one_too_many_is_told_and_later_comes_in(self, build: Build) -> None:
        house = await build(protection=protection(connections=2))
        first, second = await house.wire(), await house.wire()
        await until(lambda: seats(house).taken == 2)
        third = await house.wire()
        third.send(REQUEST)
        status, headers, body = refusal(await third.ended())
        assert (status, body["code"]) == (503, "busy")
        assert int(headers["retry-after"]) > 0
        assert headers["connection"] == "close"
        first.drop()
        await until(lambda: seats(house).taken == 1)
        fourth = await house.wire()
        fourth.send(REQUEST)
        assert (await fourth.head()).startswith("HTTP/1.1 200 ")
        second.send(REQUEST)
        assert (await second.head()).startswith("HTTP/1.1 200 ")

    async def test_one_address_leaves_room_for_others(self, build: Build) -> None:
        house = await build(protection=protection(connections_per_address=1), host="127.0.0.1")
        await house.visit("ana")
        other = await house.wire()
        status, _, body = refusal(await other.ended())
        assert (status, body["code"]) == (429, "rate_limited")
        assert "127.0.0.1" in body["message"]
        neighbour = socket.socket()
        neighbour.bind(("127.0.0.2", 0))
        neighbour.setblocking(False)
        await asyncio.get_running_loop().sock_connect(neighbour, ("127.0.0.1", house.port))
        async with WireClient(*await asyncio.open_connection(sock=neighbour)) as client:
            client.send(REQUEST)
            assert (await client.head()).startswith("HTTP/1.1 200 ")

    async def test_an_answer_survives_a_request_that_nobody_reads(self, build: Build) -> None:
        """Closing a socket while something is unread resets it, and takes the answer away from the other end."""
        house = await build(protection=protection(connections=1))
        await house.wire()
        await until(lambda: seats(house).taken == 1)
        for _ in range(20):
            late = await house.wire()
            await until(lambda: bool(gate(house)._dismissed))
            late.send(
                b"POST /rooms/main HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n" + b"x" * 60_000
            )
            assert refusal(await late.ended())[0] == 503
            late.drop()
            await until(lambda: not gate(house)._dismissed)

    async def test_those_turned_away_are_few_and_soon_gone(self, build: Build) -> None:
        house = await build(protection=protection(connections=1))
        await house.wire()
        await until(lambda: seats(house).taken == 1)
        crowd = [await house.wire() for _ in range(3 * MOST_DISMISSED)]
        await asyncio.gather(*(client.ended() for client in crowd))
        assert len(gate(house)._dismissed) <= MOST_DISMISSED
        await until(lambda: not gate(house)._dismissed)
        assert seats(house).taken == 1

    async def test_everything_is_given_back(self, build: Build) -> None:
        house = await build()
        await house.visit("ana")
        await house.read_along()
        await house.post("x")
        half = await house.wire()
        half.send(b"GET / HT")
        await until(lambda: seats(house).taken == 4)
        await house.visitors.aclose()
        await until(lambda: seats(house).taken == 0)
        assert not seats(house)._by_address


class TestProxies:
    @pytest.fixture
    async def proxied(self, build: Build) -> House:
        return await build(
            protection=protection(connections_per_address=1),
            addresses=Addresses(parse_networks("127.0.0.1")),
        )

    async def test_clients_of_a_proxy_count_for_themselves(self, proxied: House) -> None:
        ana = {"X-Forwarded-For": "192.0.2.1"}
        await proxied.knock(additional_headers=ana)
        client = await proxied.http()
        refused = await client.get("/healthz", headers=ana)
        assert refused.status_code == 429
        assert "192.0.2.1" in refused.json()["message"]
        assert int(refused.headers["Retry-After"]) > 0
        assert (await client.get("/healthz", headers={"X-Forwarded-For": "192.0.2.2"})).status_code == 200
        spoofed = {"X-Forwarded-For": "198.51.100.1, 192.0.2.1"}
        assert (await client.get("/healthz", headers=spoofed)).status_code == 429

    async def test_nobody_else_is_believed(self, build: Build) -> None:
        house = await build(protection=protection(connections_per_address=2))
        client = await house.http()
        for number in range(5):
            headers = {"X-Forwarded-For": f"192.0.2.{number}"}
            assert (await client.get("/healthz", headers=headers)).status_code == 200
        assert seats(house)._by_address.keys() == {"127.0.0.1"}


class TestDeadlines:
    @pytest.mark.parametrize("half", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
    async def test_half_a_request(self, build: Build, half: bytes) -> None:
        house = await build(timing=TICK, protection=protection(request_seconds=0.05))
        client = await house.wire()
        client.send(half)
        status, _, body = refusal(await client.ended())
        assert (status, body["code"]) == (408, "too_slow")

    async def test_a_byte_now_and_then_is_not_sooner(self, build: Build) -> None:
        house = await build(timing=TICK, protection=protection(request_seconds=0.1))
        client = await house.wire()

        client.send(b"GET / HTTP/1.1\r\nX: ")
        ended = asyncio.create_task(client.ended())

        def drip() -> bool:
            client.send(b"x")
            return ended.done()

        await until(drip)
        assert refusal(await ended)[0] == 408

    async def test_nothing_at_all_is_closed_without_a_word(self, build: Build) -> None:
        house = await build(timing=TICK, protection=protection(request_seconds=0.05))
        assert await (await house.wire()).ended() == b""
        await until(lambda: seats(house).taken == 0)

    async def test_half_a_second_request(self, build: Build) -> None:
        house = await build(timing=TICK, protection=protection(request_seconds=0.05))
        client = await house.wire()
        client.send(REQUEST)
        assert (await client.head()).startswith("HTTP/1.1 200 ")
        assert await client.reader.readexactly(len(b'{"status": "ok"}'))
        client.send(b"GET ")
        assert refusal(await client.ended())[0] == 408

    async def test_who_waits_between_two_requests_may(self, build: Build) -> None:
        house = await build(timing=TICK, protection=protection(request_seconds=0.02))
        assert house.server._heads is not None
        client = await house.http()
        for _ in range(5):
            assert (await client.get("/healthz")).status_code == 200
            # Longer than a request may take, as one sees who began nothing at all.
            assert await (await house.wire()).ended() == b""
            assert len(house.server._heads) == 0
        assert seats(house).taken == 1

    async def test_streams_have_no_deadline(self, build: Build) -> None:
        house = await build(timing=TICK, protection=protection(request_seconds=0.05))
        peer, stream = await house.visit("ana"), await house.read_along("/rooms/main")
        await stream.opening()
        assert await (await house.wire()).ended() == b""  # one has been closed since
        await peer.say("send", key="k", room="main", text="still here")
        await peer.hear_of("event", key="k")

    @pytest.mark.parametrize(
        "body", [b"Content-Length: 100\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n5\r\nha"]
    )
    async def test_half_a_body(self, build: Build, body: bytes) -> None:
        house = await build(protection=protection(body_seconds=0.05))
        heads = house.heads()
        client = await house.wire()
        client.send(b"POST /rooms/main HTTP/1.1\r\nHost: localhost\r\n" + body)
        status, _, answer = refusal(await client.ended())
        assert (status, answer["code"]) == (408, "too_slow")
        assert house.heads() == heads


class TestHeaders:
    @pytest.mark.parametrize(
        ("filling", "status"),
        [
            (b"X: " + b"x" * (8 << 20), 400),
            (b"X" * (8 << 20) + b": x", 400),
            (b"X: y\r\n" * (1 << 20), 400),
            (b"\r\n".join(b"X-%d: %b" % (number, b"y" * 4000) for number in range(90)), 431),
        ],
        ids=["one value", "one name", "many", "large together"],
    )
    async def test_eight_megabytes_of_headers(self, build: Build, filling: bytes, status: int) -> None:
        house = await build()
        client = await house.wire()
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        # In pieces, as a network would bring them.
        for start in range(0, len(filling), 1 << 16):
            client.send(filling[start : start + (1 << 16)])
            with contextlib.suppress(ConnectionError):
                await client.writer.drain()
        answered, _, body = refusal(await client.ended())
        assert answered == status
        assert body["code"] in ("malformed", "too_large")
        client.drop()
        await until(lambda: seats(house).taken == 0)

    async def test_large_headers_are_fine(self, house: House) -> None:
        client = await house.http()
        headers = {f"X-{number}": "y" * 4000 for number in range(7)}
        assert (await client.get("/healthz", headers=headers)).status_code == 200


def gate(house: House) -> Gate:
    assert house.server._gate is not None
    return house.server._gate


class _Exhausted:
    """A listening socket that has no descriptors left for a while."""

    def __init__(self, listener: socket.socket, times: int) -> None:
        self._listener = listener
        self.times = times

    def accept(self) -> tuple[socket.socket, Any]:
        if self.times:
            self.times -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._listener.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)


@pytest.fixture
async def exhausted(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[_Exhausted]:
    monkeypatch.setattr("server.gate._PAUSE", 0.01)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield _Exhausted(listener, 3)


async def test_no_descriptors_for_a_while(exhausted: _Exhausted, caplog: pytest.LogCaptureFixture) -> None:
    gone = asyncio.Event()

    class Greeter(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"hello")
            transport.close()
            gone.set()

    held = Seats(10, 10)
    gate = Gate(exhausted, lambda _: Greeter(), seats=held, addresses=Addresses(), handshake=1)  # type: ignore[arg-type]
    gate.open()
    async with await WireClient.connect(exhausted.getsockname()[1]) as client:
        assert await client.ended() == b"hello"
    gate.close()
    gate.close()
    assert exhausted.times == 0
    # Once for each pause, however often the socket is ready meanwhile.
    assert [record.getMessage() for record in caplog.records] == [
        "no connection can be accepted for a moment: Too many open files"
    ] * 3


class TestDescriptors:
    @pytest.fixture(autouse=True)
    def limits(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
        held = {"limit": (100, 5000)}
        monkeypatch.setattr("resource.getrlimit", lambda _: held["limit"])
        monkeypatch.setattr("resource.setrlimit", lambda _, limit: held.update(limit=limit))
        return held

    def test_the_limit_is_raised_as_far_as_needed(self, limits: dict[str, tuple[int, int]]) -> None:
        assert affordable(1000) == 1000
        assert limits["limit"] == (1000 + RESERVED, 5000)

    def test_and_not_further_than_it_can_be(
        self, limits: dict[str, tuple[int, int]], caplog: pytest.LogCaptureFixture
    ) -> None:
        assert affordable(10_000) == 5000 - RESERVED
        assert limits["limit"] == (5000, 5000)
        assert "at most 4800 connections instead of 10000" in caplog.text

    def test_a_system_that_refuses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_: int, limit: tuple[int, int]) -> None:
            raise ValueError(limit)

        monkeypatch.setattr("resource.setrlimit", refuse)
        monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 5000))
        assert affordable(1000) == 1024 - RESERVED
