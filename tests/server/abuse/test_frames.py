"""What is no frame of RFC 6455 ends the connection with the code of its section 7.4.1, and harms nobody."""

import itertools
import json
from collections.abc import Iterator

import pytest

from pushtui.protocol.frames import Opcode, frame
from pushtui.protocol.limits import LIMITS
from tests.server.abuse.bystander import Bystander
from tests.server.conftest import House
from tests.server.wire_client import WireClient, masked

CONTINUATION = 0x0
HELLO = '{"type":"hello","nick":"mallory","session":"m","rooms":{"main":null}}'
MOST = LIMITS.frame_bytes


def fragment(opcode: int, payload: bytes) -> bytes:
    """One that is not the last."""
    return masked(opcode, payload, first=0)


def announced(length: int) -> bytes:
    """The head of a text frame that is so long, and nothing of it."""
    return bytes((0x80 | Opcode.TEXT, 0x80 | 127)) + length.to_bytes(8)


def closing(code: int, reason: bytes = b"") -> bytes:
    return masked(Opcode.CLOSE, code.to_bytes(2) + reason)


def violations() -> Iterator[tuple[str, bytes, int]]:
    """What it is, the bytes, the close code."""
    for opcode in Opcode:
        yield f"unmasked {opcode.name}", frame(opcode, b"\x03\xe8"), 1002
    yield "unmasked after a masked one", masked(Opcode.PING, b"") + frame(Opcode.TEXT, b"{}"), 1002
    for bit, opcode in itertools.product((0x40, 0x20, 0x10), (Opcode.TEXT, Opcode.PING, Opcode.CLOSE)):
        yield f"reserved bit {bit:#x} on {opcode.name}", masked(opcode, b"\x03\xe8", first=0x80 | bit), 1002
    for number in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield f"reserved opcode {number}", masked(number, b"{}"), 1002
    for name, text in (
        ("a byte that is none", b"\xff"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("an overlong slash", b"\xc0\xaf"),
        ("beyond Unicode", b"\xf4\x90\x80\x80"),
        ("half a character", b"\xe2\x82"),
    ):
        yield f"UTF-8: {name}", masked(Opcode.TEXT, text), 1007
        yield f"UTF-8 in a close reason: {name}", closing(1000, text), 1007
    yield "UTF-8: wrong over two fragments", fragment(Opcode.TEXT, b"\xe2") + masked(CONTINUATION, b"\x28"), 1007
    yield "a message within a message", fragment(Opcode.TEXT, b"a") + masked(Opcode.TEXT, b"b"), 1002
    yield (
        "another kind of message within a message",
        fragment(Opcode.TEXT, b"a") + masked(Opcode.BINARY, b"b"),
        1002,
    )
    yield "a message after an empty fragment", fragment(Opcode.TEXT, b"") + masked(Opcode.TEXT, b"{}"), 1002
    yield "fragments within a message", fragment(Opcode.TEXT, b"a") + fragment(Opcode.TEXT, b"b"), 1002
    yield "a continuation of nothing", masked(CONTINUATION, b"{}"), 1002
    yield "an unfinished continuation of nothing", fragment(CONTINUATION, b"{}"), 1002
    for opcode in (Opcode.PING, Opcode.PONG, Opcode.CLOSE):
        yield f"{opcode.name} of 126 bytes", masked(opcode, b"\x03\xe8".ljust(126, b"x")), 1002
        yield f"{opcode.name} in fragments", fragment(opcode, b"\x03\xe8"), 1002
    yield "a close of one byte", masked(Opcode.CLOSE, b"\x03"), 1002
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield f"close code {code}", closing(code), 1002
    yield "a frame that is too long", announced(MOST + 1), 1009
    yield "a frame of half the memory there is", announced(1 << 62), 1009
    yield "a frame with a length below zero", announced((1 << 64) - 1), 1009
    parts = [fragment(CONTINUATION, bytes(1000))] * (MOST // 1000 + 1)
    yield "fragments without an end", fragment(Opcode.BINARY, b"") + b"".join(parts), 1009
    yield "empty fragments without an end", fragment(Opcode.TEXT, b"") + fragment(CONTINUATION, b"") * MOST, 1009


CASES = [pytest.param(data, code, id=name) for name, data, code in violations()]


async def bye_and_close(wire: WireClient) -> tuple[int, int]:
    """The codes of both farewells; what else was on its way is passed over."""
    while (said := json.loads((await wire.frame_of(Opcode.TEXT)).payload))["type"] != "bye":
        pass
    return said["code"], (await wire.frame()).close_code


@pytest.mark.parametrize("greeted", [False, True], ids=["before hello", "after hello"])
@pytest.mark.parametrize(("data", "code"), CASES)
async def test_a_violation_ends_with_its_code(
    house: House, bystander: Bystander, data: bytes, code: int, greeted: bool
) -> None:
    wire = await house.wire()
    await wire.upgrade()
    if greeted:
        wire.say(HELLO)
    wire.send(data)
    assert await bye_and_close(wire) == (code, code)
    await bystander.goes_on()


@pytest.mark.parametrize("size", [1, 2, 7])
async def test_also_when_it_comes_in_small_pieces(house: House, size: int) -> None:
    """Heads of frames end anywhere; a violation is found in the third frame, and those before count."""
    data = masked(Opcode.PING, b"x" * 5) + masked(Opcode.BINARY, bytes(200), first=0) + frame(Opcode.PING, b"y")
    wire = await house.wire()
    await wire.upgrade()
    for start in range(0, len(data), size):
        wire.send(data[start : start + size])
        await wire.writer.drain()
    assert (await wire.frame_of(Opcode.PONG)).payload == b"x" * 5
    assert await bye_and_close(wire) == (1002, 1002)


async def test_who_does_not_go_after_that_is_dropped(house: House) -> None:
    wire = await house.wire()
    await wire.upgrade()
    wire.send(frame(Opcode.TEXT, b"{}"))
    assert await bye_and_close(wire) == (1002, 1002)
    wire.send(masked(Opcode.TEXT, HELLO.encode()) * 100)
    assert await wire.ended() == b""


@pytest.mark.parametrize("code", [None, 1000, 1001, 1008, 3000, 4000, 4999])
async def test_a_close_is_answered_with_its_code(house: House, code: int | None) -> None:
    wire = await house.wire()
    await wire.upgrade()
    wire.send(masked(Opcode.CLOSE, b"") if code is None else closing(code, "tschüß".encode()))
    assert (await wire.frame_of(Opcode.CLOSE)).close_code == (code or 1000)
    assert await wire.ended() == b""


async def test_what_is_at_the_limit_is_heard(house: House) -> None:
    """As many bytes as a frame may have, in fragments that begin and end with nothing."""
    hello = HELLO.encode().ljust(MOST)
    wire = await house.wire()
    await wire.upgrade()
    wire.send(fragment(Opcode.TEXT, b""))
    for start in range(0, MOST, 1024):
        wire.send(fragment(CONTINUATION, hello[start : start + 1024]) + fragment(CONTINUATION, b""))
    wire.send(masked(CONTINUATION, b""))
    assert json.loads((await wire.frame()).payload)["type"] == "welcome"
