"""Upgrades that are none, and clients that stop halfway."""

import json

import pytest
from msgspec.structs import replace
from websockets.asyncio.client import connect

from pushtui.protocol.frames import Opcode
from pushtui.protocol.limits import LIMITS
from tests.server.abuse.bystander import Bystander
from tests.server.conftest import Build, House, timing
from tests.server.peer import Peer
from tests.server.wire_client import masked

GOOD = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Connection": None}, 400),
        ({"Connection": "keep-alive"}, 400),
        ({"Upgrade": None}, 400),
        ({"Upgrade": "h2c"}, 400),
        ({"Sec-WebSocket-Version": None}, 426),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Version": "14"}, 426),
        ({"Sec-WebSocket-Version": "13, 8"}, 426),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Sec-WebSocket-Key": ""}, 400),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ"}, 400),
        ({"Sec-WebSocket-Key": "dGhl*HNhbXBsZSBub25jZQ=="}, 400),
        ({"Sec-WebSocket-Key": "ключ"}, 400),
        ({"Sec-WebSocket-Key": "x" * 4000}, 400),
        ({"Sec-WebSocket-Protocol": "chat"}, 400),
        ({"Sec-WebSocket-Protocol": ","}, 400),
        ({"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"}, 101),
    ],
)
async def test_what_is_no_handshake(
    house: House, bystander: Bystander, changed: dict[str, str | None], status: int
) -> None:
    headers = [f"{name}: {value}" for name, value in (GOOD | changed).items() if value is not None]
    wire = await house.wire()
    head = await wire.request("/chat", *headers)
    assert head.startswith(f"HTTP/1.1 {status} ")
    if status != 101:
        length = next(line for line in head.split("\r\n") if line.lower().startswith("content-length:"))
        answer = json.loads(await wire.reader.readexactly(int(length.split(":")[1])))
        assert answer["message"].isprintable()
    if status == 426:
        assert "Sec-WebSocket-Version: 13\r\n" in head
    await bystander.goes_on()


async def test_a_client_that_would_compress_talks_without_it(house: House) -> None:
    async with connect(f"ws://127.0.0.1:{house.port}/chat", compression="deflate", proxy=None) as ws:
        assert ws.protocol.extensions == []
        peer = Peer(ws)
        await peer.hello("compresses")
        await peer.say("send", key="k", room="main", text="x" * 5000)
        await peer.hear_of("event", key="k")


async def test_frames_in_the_packet_of_the_handshake_are_looked_at_too(house: House) -> None:
    head = "\r\n".join(
        ["GET /chat HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in GOOD.items())]
    )
    wire = await house.wire()
    wire.send(head.encode() + b"\r\n\r\n" + b"\x81\x02{}")
    assert (await wire.head()).startswith("HTTP/1.1 101 ")
    assert (await wire.frame_of(Opcode.CLOSE)).close_code == 1002


HELLO = masked(Opcode.TEXT, b'{"type":"hello","nick":"slow","session":"s","rooms":{"main":null}}')


@pytest.mark.parametrize("data", [b"", HELLO[:1], HELLO[:5], HELLO[:-1]], ids=len)
async def test_a_hello_that_does_not_come(build: Build, data: bytes) -> None:
    """Nor does it help to say other things meanwhile."""
    house = await build(limits=replace(LIMITS, hello_seconds=0.1))
    bystander = Bystander(await house.visit("bystander"))
    wire = await house.wire()
    await wire.upgrade()
    wire.send(masked(Opcode.PING, b"") * 3 + data)
    bye = json.loads((await wire.frame_of(Opcode.TEXT)).payload)
    assert (bye["type"], bye["code"]) == ("bye", 4000)
    assert (await wire.frame()).close_code == 4000
    await bystander.goes_on()


async def test_half_a_frame_and_no_more(build: Build) -> None:
    """It cannot answer a ping in the middle of a frame."""
    house = await build(timing=timing(ping=0.05, pong=0.05, tick=0.01))
    wire = await house.wire()
    await wire.upgrade()
    wire.send(HELLO + HELLO[:20])
    while json.loads((frame := await wire.frame_of(Opcode.TEXT)).payload)["type"] != "bye":
        pass
    assert json.loads(frame.payload)["code"] == 4002
    assert (await wire.frame_of(Opcode.CLOSE)).close_code == 4002
