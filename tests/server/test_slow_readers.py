"""Readers that take nothing, and readers that take little, among others who take everything."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pushtui.protocol.samples import Process, Processes, Sample
from server.log.sqlite import SqliteStore
from server.log.streams import STATUS
from server.sink import HIGH_WATER
from tests.server.conftest import NO_FLOODS, Build, House, author, ticking_clock, timing, until
from tests.server.event_stream import Block, parse_block
from tests.server.pure_listeners import chunks
from tests.server.wire_client import WireClient

ALL, STUCK = 50, 5
MESSAGES = 60


async def stop_reading(house: House, nick: str) -> WireClient:
    """A chat client that comes in and then takes nothing."""
    wire = await house.wire(receive_buffer=4096)
    await wire.upgrade()
    wire.say(json.dumps({"type": "hello", "nick": nick, "session": nick, "rooms": {"main": None}}))
    while json.loads((await wire.frame()).payload)["type"] != "resume":
        pass
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
    return wire


async def seqs_until_the_end(wire: WireClient) -> list[int]:
    """What still arrives when it reads again, up to where it was cut off."""
    wire.writer.transport.resume_reading()  # type: ignore[attr-defined]
    seqs = []
    try:
        while True:
            frame = json.loads((await wire.frame()).payload)
            if frame["type"] == "event":
                seqs.append(frame["seq"])
    except (asyncio.IncompleteReadError, ConnectionError):
        return seqs


async def test_one_in_ten_is_stuck(build: Build, tmp_path: Path) -> None:
    """The others get everything at once; each stuck one is cut off, and gets the rest when it comes back."""
    store = SqliteStore(tmp_path / "log.sqlite3", clock_ms=ticking_clock())
    house = await build(store, timing=timing(tick=0.02), protection=replace(NO_FLOODS, stuck_seconds=1000))
    others = [await house.visit(f"reads{number}", replay=0) for number in range(ALL - STUCK)]
    stuck = {f"stuck{number}": await stop_reading(house, f"stuck{number}") for number in range(STUCK)}
    sinks = [house.service.people.named(nick)[0]._sink for nick in stuck]
    texts = [f"{number} ".ljust(8000, "x") for number in range(MESSAGES)]
    for text in texts:
        await house.service.writing.message(author("bo"), "main", text)
    for peer in others:
        assert await peer.texts(MESSAGES) == texts
    assert house.service.connections.count() == {"websocket": ALL}, "they waited for nobody to be cut off"
    for sink in sinks:
        assert not sink.has_room()
        assert sink._transport.get_write_buffer_size() <= 2 * HIGH_WATER + 1024
    connections = house.service.connections
    connections._protection = replace(NO_FLOODS, stuck_seconds=0.05)
    await until(lambda: house.service.connections.count() == {"websocket": ALL - STUCK})
    connections._protection = replace(NO_FLOODS, stuck_seconds=1000)
    epoch = others[0].heard[1]["epoch"]
    for nick, wire in stuck.items():
        seen = await seqs_until_the_end(wire)
        assert len(seen) < MESSAGES
        back = await house.visit(nick, {"main": f"{epoch}.{len(seen)}"}, session=nick)
        resume = next(frame for frame in back.heard if frame["type"] == "resume")
        assert (resume["outcome"], resume["after"]) == ("caught_up", len(seen))
        missed = await back.events(MESSAGES - len(seen))
        assert seen + [event["seq"] for event in missed] == list(range(1, MESSAGES + 1))
        others.append(back)
    for peer in others:  # fifty farewells, each told to all the others, would be most of the time
        peer.ws.transport.abort()


class SlowReader:
    """Reads the status stream, a few kilobytes when it is told to."""

    def __init__(self, wire: WireClient) -> None:
        self._wire = wire
        self._data = b""

    @classmethod
    async def come(cls, house: House) -> "SlowReader":
        wire = await house.wire(receive_buffer=4096)
        await wire.request("/status?replay=0")
        return cls(wire)

    async def take(self, size: int) -> None:
        self._data += await self._wire.reader.readexactly(size)

    async def take_until(self, end: bytes) -> list[Block]:
        """Everything there is, by blocks."""
        async with asyncio.timeout(20):
            while end not in self._data:
                self._data += await self._wire.reader.read(4096)
            self._data += (
                await self._wire.reader.readuntil(b"\n\r\n") if not self._data.endswith(b"\n\r\n") else b""
            )
        text = b"".join(chunks(self._data)).decode().removesuffix("\n\n")
        return [parse_block(block) for block in text.split("\n\n")]


def sample(host: str, at: int) -> Sample:
    """One of a kilobyte and a half, about as large as they are."""
    top = [Process(pid, "a process with a name ".ljust(60, "x"), 1.0, 1) for pid in range(12)]
    return Sample(host, at, 1.0, processes=Processes(300, top))


async def test_a_slow_reader_of_the_status_can_count_what_it_was_spared(build: Build, tmp_path: Path) -> None:
    """Samples that arrive and samples that were skipped are all that were made; everything else arrives."""
    store = SqliteStore(tmp_path / "log.sqlite3", clock_ms=ticking_clock())
    house = await build(store)
    marker = await house.visit("ana")
    client = await house.http()
    reader = await SlowReader.come(house)
    await until(lambda: house.service.connections.count()["sse"] == 1)
    made: Counter[str] = Counter()
    told: list[tuple[str, str]] = []
    for turn in range(60):
        for number in range(15):
            host = f"h{number % 3}"
            made[host] += 1
            await house.service.writing.sample(sample(host, made[host]))
        told.append(("notice", f"notice {turn}"))
        assert (await client.post("/notices", content=told[-1][1])).status_code == 201
        told.append(("mark", f"mark {turn}"))
        await marker.say("mark", key=str(turn), room="main", text=told[-1][1])
        await marker.hear_of("event", key=str(turn))
        await reader.take(4000)
    told.append(("notice", "the end"))
    await client.post("/notices", content="the end")
    _, resume, *blocks = await reader.take_until(b'"the end"')
    assert resume.event == "resume"
    seqs = [int(str(block.id).split(".")[1]) for block in blocks]
    assert seqs == sorted(set(seqs))
    assert seqs[-1] == house.head_of(STATUS)
    assert [(block.event, block.data["text"]) for block in blocks if block.event != "sample"] == told
    arrived: dict[str, list[dict[str, Any]]] = {host: [] for host in made}
    for block in blocks:
        if block.event == "sample":
            arrived[block.data["host"]].append(block.data)
    for host, samples in arrived.items():
        at = 0
        for one in samples:
            at += 1 + one.get("skipped", 0)
            assert one["at"] == at, "each says how many were left out before it"
        assert at == made[host]
        assert len(samples) < made[host], "it was not slow"
