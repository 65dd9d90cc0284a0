"""Whatever a client does, what a server in a process of its own holds for it is bounded, and others chat on.

The bounds are generous: without them each of these attacks would take several times as much.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

from pushtui.protocol.frames import Opcode
from tests.server.abuse.bystander import Bystander
from tests.server.serving import Serving
from tests.server.wire_client import WireClient, masked

MIB = 1 << 20


def hello(nick: str, *rooms: str) -> bytes:
    said = {"type": "hello", "nick": nick, "session": nick, "rooms": dict.fromkeys(rooms)}
    return masked(Opcode.TEXT, json.dumps(said).encode())


class Attacked:
    """A server, and somebody who chats there."""

    def __init__(self, serving: Serving, bystander: Bystander) -> None:
        self.serving = serving
        self.bystander = bystander
        self._process = psutil.Process(serving.process.pid)
        self._before = self._process.memory_info().rss

    @classmethod
    @contextlib.asynccontextmanager
    async def begin(cls, data: Path, *options: str) -> AsyncIterator["Attacked"]:
        async with Serving.running(data, "--interval", "60", *options) as serving:
            bystander = Bystander(await serving.chat("bystander"))
            await bystander.goes_on(50)
            yield cls(serving, bystander)

    def grown(self) -> float:
        """MiB more than at the beginning."""
        return (self._process.memory_info().rss - self._before) / MIB

    async def intrude(self, greeting: bytes = b"", receive_buffer: int | None = None) -> WireClient:
        wire = await self.serving.wire(receive_buffer)
        await wire.upgrade()
        wire.send(greeting)
        return wire


async def test_pings_of_one_that_does_not_read(tmp_path: Path) -> None:
    async with Attacked.begin(tmp_path, "--memory") as attacked:
        wire = await attacked.intrude(hello("mallory", "main"), receive_buffer=4096)
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        wire.send(masked(Opcode.PING, bytes(125)) * 400_000)
        await attacked.bystander.goes_on(300)
        assert wire.writer.transport.get_write_buffer_size() > 40 * MIB, "the server does not read on"
        assert attacked.grown() < 16


async def test_pings_of_one_that_reads_and_pongs_that_nobody_asked_for(tmp_path: Path) -> None:
    async with Attacked.begin(tmp_path, "--memory") as attacked:
        wire = await attacked.intrude()
        flood = masked(Opcode.PONG, bytes(125)) * 10 + masked(Opcode.PING, bytes(125))

        async def read_pongs() -> None:
            for _ in range(20_000):
                assert (await wire.frame()).opcode == Opcode.PONG

        reading = asyncio.create_task(read_pongs())
        for _ in range(200):
            wire.send(flood * 100)
            await wire.writer.drain()
        await attacked.bystander.goes_on(5)
        await reading
        assert attacked.grown() < 16


async def test_messages_that_are_never_finished(tmp_path: Path) -> None:
    """As much of each as may be."""
    async with Attacked.begin(tmp_path, "--memory") as attacked:
        for number in range(100):
            wire = await attacked.intrude(hello(f"mallory{number}"))
            wire.send(masked(Opcode.TEXT, b"[" * 1000, first=0) + masked(0, b"x" * 1000, first=0) * 64)
            await wire.writer.drain()
        await attacked.bystander.goes_on(20)
        assert attacked.grown() < 32


async def test_two_thousand_that_say_nothing(tmp_path: Path) -> None:
    options = ("--memory", "--max-connections-per-address", "5000")
    async with Attacked.begin(tmp_path, *options) as attacked:
        for hundred in range(20):
            wires = await asyncio.gather(
                *(attacked.intrude(hello(f"idle{100 * hundred + number}")) for number in range(100))
            )
            for wire in wires:
                assert json.loads((await wire.frame()).payload)["type"] == "welcome"
        await attacked.bystander.goes_on(20)
        assert attacked.grown() < 120


async def test_rooms_that_were_left(tmp_path: Path) -> None:
    """What was said there is in the log, and nowhere else."""
    async with Attacked.begin(tmp_path, "--durability", "relaxed") as attacked:
        peer = await attacked.serving.chat("mallory")
        for room in (f"room{number}" for number in range(10)):
            await peer.say("join", room=room)
            for key in range(130):
                await peer.say("send", key=f"{room} {key}", room=room, text="x" * 15_000)
            await peer.hear_of("event", key=f"{room} 129")
            peer.heard.clear()
            await peer.say("leave", room=room)
        peer.ws.transport.abort()  # what it does not hear any more would keep it from taking leave
        await attacked.bystander.goes_on(20)
        assert attacked.grown() < 24
