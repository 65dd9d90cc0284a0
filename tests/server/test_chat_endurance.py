"""Keeping alive, limits of a frame, and clients that do not read."""

import asyncio
import contextlib
import json
import os
from typing import Any

import pytest
from msgspec.structs import replace
from websockets.exceptions import ConnectionClosed

from pushtui.protocol.frames import Opcode
from pushtui.protocol.limits import LIMITS, PROTECTION
from server.sink import HIGH_WATER, TransportSink
from tests.server.conftest import NO_FLOODS, Build, House, author, timing, until
from tests.server.wire_client import WireClient, masked

HELLO = '{"type":"hello","nick":"slow","session":"slow","rooms":{"main":null}}'


class TestPings:
    async def test_the_server_pings_and_a_client_that_answers_stays(self, build: Build) -> None:
        house = await build(timing=timing(ping=0.01, pong=5, tick=0.005))
        wire = await house.wire()
        await wire.upgrade()
        wire.say(HELLO)
        for _ in range(3):
            ping = await wire.frame_of(Opcode.PING)
            wire.send(masked(Opcode.PONG, ping.payload))
        assert house.service.connections.count() == {"websocket": 1}

    async def test_a_client_that_never_answers_is_let_go(self, build: Build) -> None:
        house = await build(timing=timing(ping=0.01, pong=0.03, tick=0.005))
        wire = await house.wire()
        await wire.upgrade()
        wire.say(HELLO)
        await wire.frame_of(Opcode.PING)
        while json.loads((frame := await wire.frame_of(Opcode.TEXT)).payload)["type"] != "bye":
            pass
        assert json.loads(frame.payload)["code"] == 4002
        close = await wire.frame()
        assert (close.opcode, close.close_code) == (Opcode.CLOSE, 4002)
        assert close.payload[2:] == json.loads(frame.payload)["reason"].encode()
        wire.send(masked(Opcode.CLOSE, close.payload[:2]))
        assert await wire.ended() == b""

    async def test_a_clients_ping_is_answered_with_its_payload(self, house: House) -> None:
        wire = await house.wire()
        await wire.upgrade()
        for payload in (b"", b"hello", b"x" * 125):
            wire.send(masked(Opcode.PING, payload))
            assert await wire.frame() == (Opcode.PONG, payload)

    async def test_a_ping_between_the_fragments_of_a_message(self, house: House) -> None:
        wire = await house.wire()
        await wire.upgrade()
        wire.send(masked(Opcode.TEXT, HELLO[:10].encode(), first=0))
        wire.send(masked(Opcode.PING, b"now"))
        wire.send(masked(0, HELLO[10:].encode()))
        assert await wire.frame() == (Opcode.PONG, b"now")
        assert json.loads((await wire.frame()).payload)["type"] == "welcome"


class TestFrameLimit:
    def padded(self, size: int) -> str:
        """A frame of exactly that many bytes that asks for nothing special."""
        frame = {"type": "typing", "room": "main", "on": True, "x": ""}
        return json.dumps(frame | {"x": "x" * (size - len(json.dumps(frame)))})

    async def test_a_frame_of_the_limit_is_read(self, house: House) -> None:
        peer = await house.visit()
        await peer.ws.send(self.padded(LIMITS.frame_bytes))
        assert await peer.barrier() == []

    async def test_in_fragments_too(self, house: House) -> None:
        peer = await house.visit()
        text = self.padded(LIMITS.frame_bytes)
        await peer.ws.send([text[:30_000], text[30_000:60_000], text[60_000:]])
        assert await peer.barrier() == []

    @pytest.mark.parametrize("size", [LIMITS.frame_bytes + 1, 1 << 20, 8 << 20])
    async def test_a_longer_one_ends_in_1009(self, house: House, size: int) -> None:
        peer = await house.visit()
        with contextlib.suppress(ConnectionClosed):  # the server does not wait for the end of it
            await peer.ws.send(self.padded(size))
        frames, code, reason = await peer.until_closed()
        assert code == 1009
        assert frames == [{"type": "bye", "code": 1009, "reason": reason}]
        assert reason

    async def test_longer_in_fragments_too(self, house: House) -> None:
        peer = await house.visit()
        await peer.ws.send([self.padded(LIMITS.frame_bytes), " "])
        assert (await peer.until_closed())[1] == 1009


class Slow:
    """A chat client that said hello and does not read."""

    def __init__(self, house: House, wire: WireClient, sink: TransportSink) -> None:
        self.house = house
        self.wire = wire
        self.sink = sink

    @classmethod
    async def visit(cls, house: House) -> "Slow":
        wire = await house.wire(receive_buffer=4096)
        await wire.upgrade()
        before = set(house.service.connections._all)
        wire.say(HELLO)
        (connection,) = (set(house.service.connections._all) - before) or house.service.connections._all
        while json.loads((await wire.frame()).payload)["type"] != "resume":
            pass
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        return cls(house, wire, connection.sink)

    @property
    def held(self) -> int:
        """What the server holds for it, in bytes, besides the kernel."""
        return self.sink._transport.get_write_buffer_size()

    async def take(self, size: int) -> None:
        """Take so many bytes, past the paused transport."""
        peer = self.wire.writer.get_extra_info("socket")
        while size > 0:
            try:
                size -= len(os.read(peer.fileno(), size))
            except BlockingIOError:
                await asyncio.sleep(0)

    async def fill(self) -> int:
        """Post until it is full; returns how many messages that took."""
        count = 0
        while self.sink.has_room():
            await self.house.service.writing.message(author("bo"), "main", f"{count} ".ljust(16_000, "x"))
            count += 1
            await asyncio.sleep(0)
        return count


async def post(house: House, count: int, first: int = 0, room: str = "main") -> None:
    for number in range(first, first + count):
        await house.service.writing.message(author("bo"), room, f"{number} ".ljust(16_000, "x"))
        await asyncio.sleep(0)


def numbers(texts: list[str]) -> list[int]:
    return [int(text.split(" ")[0]) for text in texts]


class TestSlowReader:
    async def test_it_delays_nobody_and_holds_little(self, any_house: House) -> None:
        slow = await Slow.visit(any_house)
        quick = await any_house.visit("quick", replay=0)
        filled = await slow.fill()
        await post(any_house, 200, first=filled)
        assert numbers(await quick.texts(filled + 200)) == list(range(filled + 200))
        assert 0 < slow.held <= 2 * HIGH_WATER + 1024

    async def test_when_it_reads_again_it_gets_everything_once(self, any_house: House) -> None:
        slow = await Slow.visit(any_house)
        filled = await slow.fill()
        # More than the tail holds, so that some of it has to be read from the store.
        any_house.service.fanout._tails["room:main"]._capacity = 20
        await post(any_house, 100, first=filled)
        slow.wire.writer.transport.resume_reading()  # type: ignore[attr-defined]
        seqs: list[int] = []
        while len(seqs) < filled + 100:
            frame: dict[str, Any] = json.loads((await slow.wire.frame()).payload)
            assert frame["type"] == "event"
            seqs.append(frame["seq"])
        assert seqs == list(range(1, filled + 101))

    async def test_stuck_for_too_long_it_is_cut_off_and_can_come_back(self, build: Build, any_store: Any) -> None:
        house = await build(any_store, timing=timing(tick=0.01), protection=replace(NO_FLOODS, stuck_seconds=0.05))
        slow = await Slow.visit(house)
        quick = await house.visit("quick", replay=0)
        filled = await slow.fill()
        await post(house, 10, first=filled)
        await until(lambda: house.service.connections.count() == {"websocket": 1})
        assert numbers(await quick.texts(filled + 10)) == list(range(filled + 10))
        slow.wire.writer.transport.resume_reading()  # type: ignore[attr-defined]
        seen = []
        try:
            while True:
                frame = json.loads((await slow.wire.frame()).payload)
                if frame["type"] == "event":
                    seen.append(frame["seq"])
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        assert seen == list(range(1, len(seen) + 1))
        epoch = quick.heard[1]["epoch"]
        back = await house.visit("slow", {"main": f"{epoch}.{len(seen)}"}, session="slow")
        assert back.heard[1]["outcome"] == "caught_up"
        missed = [event["seq"] for event in await back.events(filled + 10 - len(seen))]
        assert seen + missed == list(range(1, filled + 11))

    @pytest.mark.parametrize(("bytes_per_second", "kept"), [(0, False), (1, False), (2048, True)])
    async def test_what_it_takes_counts_as_an_average(
        self, build: Build, bytes_per_second: int, kept: bool
    ) -> None:
        """A link of a few kB/s never empties the transport between two looks, and still works."""
        house = await build(timing=timing(tick=1000))
        slow = await Slow.visit(house)
        slow.sink.write(bytes(8 << 20))
        least, most = PROTECTION.least_bytes_per_second, PROTECTION.stuck_seconds
        longest = 0.0
        for second in range(100):
            longest = max(longest, slow.sink.behind(second, least))
            await slow.take(bytes_per_second)
            assert not slow.sink.has_room()
        assert (longest <= most) == kept

    async def test_who_takes_everything_now_and_then_is_not_behind(self, build: Build) -> None:
        house = await build(timing=timing(tick=1000))
        slow = await Slow.visit(house)
        least = PROTECTION.least_bytes_per_second
        for _ in range(3):
            slow.sink.write(bytes(1 << 20))
            assert slow.sink.behind(0, least) == 0
            assert slow.sink.behind(10, least) == pytest.approx(10)
            await slow.take(900_000)
            assert slow.sink.behind(20, least) == 0
            await slow.take((1 << 20) - 900_000)
            await until(slow.sink.has_room)
            assert slow.sink.behind(30, least) == 0

    async def test_what_it_asks_for_waits(self, house: House) -> None:
        """Answers would fill the memory: who does not read is not listened to."""
        slow = await Slow.visit(house)
        filled = await slow.fill()
        for number in range(300):
            slow.wire.say(
                json.dumps({"type": "history", "id": str(number), "room": "main", "before": 99, "limit": 9})
            )
        await post(house, 20, first=filled)
        for _ in range(50):
            await asyncio.sleep(0)
        assert slow.held <= 2 * HIGH_WATER + 300_000

    async def test_leaving_a_room_does_not_disturb_the_others(self, house: House) -> None:
        """Several cursors wait for one transport; one that goes must not take the others' wake-up with it."""
        await house.service.fanout.open("room:long")
        house.service.fanout._holds["room:long"] += 1
        house.service.fanout._tails["room:long"]._capacity = 1
        await post(house, 100, room="long")
        slow = await Slow.visit(house)
        epoch = house.service.fanout._tails["room:long"].epoch
        slow.wire.say(json.dumps({"type": "join", "room": "long", "after": f"{epoch}.0"}))
        (conversation,) = house.service.people._by_session.values()
        await until(lambda: "long" in conversation._cursors and not slow.sink.has_room())
        paging = conversation._cursors["long"]
        assert paging._paging is not None
        await house.post("still here")
        conversation._leave("long")
        slow.wire.writer.transport.resume_reading()  # type: ignore[attr-defined]
        while (frame := json.loads((await slow.wire.frame()).payload)).get("room") != "main":
            pass
        assert frame["body"] == {"text": "still here"}
        assert house.service.connections.count() == {"websocket": 1}
