"""Slow links, dead ones, and clients whose answer waits behind what they said."""

import asyncio
import json
import os

import pytest
from msgspec.structs import replace

from pushtui.protocol.frames import Opcode
from pushtui.protocol.limits import PROTECTION, Rate
from server.chat import Chat
from tests.server.conftest import NO_FLOODS, Build, House, timing, until
from tests.server.wire_client import WireClient, masked

HELLO = '{"type":"hello","nick":"slow","session":"slow","rooms":{"main":null}}'
PING = timing().ping + 1
PONG = timing().pong


async def come(house: House) -> tuple[WireClient, Chat]:
    """A client that said hello and reads only what it is told to; nothing looks after it but the test."""
    wire = await house.wire(receive_buffer=4096)
    await wire.upgrade()
    wire.say(HELLO)
    while json.loads((await wire.frame()).payload)["type"] != "resume":
        pass
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
    (chat,) = house.service.connections._all
    assert isinstance(chat, Chat)
    return wire, chat


async def take(wire: WireClient, size: int) -> None:
    peer = wire.writer.get_extra_info("socket")
    while size > 0:
        try:
            size -= len(os.read(peer.fileno(), size))
        except BlockingIOError:
            await asyncio.sleep(0)


@pytest.mark.parametrize(("bytes_per_second", "kept"), [(0, False), (100, False), (1024, True)])
async def test_a_ping_that_has_not_arrived_yet_cannot_be_answered(
    build: Build, bytes_per_second: int, kept: bool
) -> None:
    house = await build(timing=timing(tick=1000))
    wire, chat = await come(house)
    chat.sink.write(bytes(100_000))
    assert chat.sink.has_room(), "the system holds it"
    now = asyncio.get_running_loop().time() + PING
    for second in range(90):
        chat.tick(now + second)
        await take(wire, bytes_per_second)
    assert chat._ended != kept


async def test_one_that_has_the_ping_and_does_not_answer_is_let_go(build: Build) -> None:
    house = await build(timing=timing(tick=1000))
    wire, chat = await come(house)
    now = asyncio.get_running_loop().time() + PING
    chat.tick(now)
    await take(wire, 2)
    await until(lambda: chat.sink.taken() == chat.sink.written)
    chat.tick(now + PONG)
    assert not chat._ended
    chat.tick(now + PONG + 1)
    assert chat._ended


async def test_while_the_transport_is_full_nothing_is_read_and_no_answer_missed(build: Build) -> None:
    house = await build(timing=timing(tick=1000))
    _, chat = await come(house)
    now = asyncio.get_running_loop().time() + PING
    chat.tick(now)
    chat.sink.write(bytes(4 << 20))
    for second in range(100):
        chat.tick(now + second)
    assert not chat._ended


async def test_an_answer_behind_a_flood_is_waited_for(build: Build) -> None:
    """It is read when its turn comes, and until then it is not missed."""
    frames = Rate(100, 5)
    house = await build(timing=timing(tick=1000), protection=replace(NO_FLOODS, frames=frames))
    wire, chat = await come(house)
    now = asyncio.get_running_loop().time() + PING
    chat.tick(now)
    for _ in range(30):
        wire.send(masked(Opcode.PONG, b""))
    wire.send(masked(Opcode.PING, b"the end"))
    await until(lambda: chat._pulse._unread)
    chat._pulse._due = True
    chat.tick(now + PONG + 1)
    assert not chat._ended
    wire.writer.transport.resume_reading()  # type: ignore[attr-defined]
    assert (await wire.frame_of(Opcode.PONG)).payload == b"the end"
    assert not chat._pulse._due


def test_a_link_that_is_kept_takes_more_than_the_least() -> None:
    assert 100 < PROTECTION.least_bytes_per_second < 1024
