"""What strangers send to a server: by every way in, and what then goes out to everyone else."""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from pushtui.protocol.close import CloseCode
from pushtui.protocol.frames import Opcode
from pushtui.protocol.messages import JSON, MSGPACK
from pushtui.protocol.text import safe_line, safe_text
from tests.hostile.corpus import DISGUISES, SEQUENCES, TEXTS
from tests.server.conftest import House
from tests.server.peer import Peer
from tests.server.wire_client import masked

#: Texts of several lines; every other text on the wire has one.
MULTILINE = {"message", "edit", "notice"}
VALID: list[dict[str, Any]] = [
    {"type": "send", "key": "k", "room": "main", "text": "x", "reply_to": 1},
    {"type": "edit", "key": "k", "room": "main", "target": 1, "text": "x"},
    {"type": "redact", "key": "k", "room": "main", "target": 1},
    {"type": "react", "key": "k", "room": "main", "target": 1, "emoji": "x", "on": True},
    {"type": "topic", "key": "k", "room": "main", "text": "x"},
    {"type": "mark", "key": "k", "room": "main", "text": "x"},
    {"type": "join", "room": "main", "after": None},
    {"type": "leave", "room": "main"},
    {"type": "typing", "room": "main", "on": True},
    {"type": "away", "on": True, "text": "x"},
    {"type": "history", "id": "h", "room": "main", "before": 5, "limit": 5},
    {"type": "moderate", "key": "k", "action": "mute", "nick": "x", "room": "main", "seconds": 5, "reason": "x"},
    {"type": "direct", "key": "k", "nick": "bystander"},
]
HELLO = {"type": "hello", "nick": "eve", "session": "s", "rooms": {"main": None}, "replay": 5, "token": None}


def texts_in(value: object, *, several_lines: bool = False) -> Iterator[tuple[str, bool]]:
    """Every text in what came over the wire, and whether it may have several lines."""
    match value:
        case str():
            yield value, several_lines
        case dict():
            inner = (
                several_lines or value.get("kind") in MULTILINE or value.get("type") == "done" or "level" in value
            )
            for name, one in value.items():
                yield name, False
                yield from texts_in(one, several_lines=inner and name in ("text", "body", "message"))
        case list():
            for one in value:
                yield from texts_in(one, several_lines=several_lines)


def is_safe(value: object) -> bool:
    return all((safe_text if several else safe_line)(text) == text for text, several in texts_in(value))


@pytest.fixture
def mistakes(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What the server logged of its own failures."""
    caplog.set_level(logging.WARNING)
    return caplog


async def test_what_goes_out_is_safe_whatever_came_in(
    house: House, subprotocol: str, mistakes: pytest.LogCaptureFixture
) -> None:
    eve = await house.visit("eve", subprotocol=subprotocol)
    bystander = await house.visit("ben", subprotocol=subprotocol)
    status, room = await house.read_along("/status"), await house.read_along("/rooms/main")
    http = await house.http()
    await eve.say("send", key="first", room="main", text="first")
    first = (await eve.hear_of("event", key="first"))["seq"]
    for number, (name, text) in enumerate(TEXTS.items()):
        said: dict[str, Any] = {"room": "main", "key": f"{number}"}
        await eve.say("send", **said | {"text": text, "key": f"send{number}"})
        await eve.say("edit", **said | {"text": text, "target": first, "key": f"edit{number}"})
        await eve.say("react", **said | {"emoji": text[:30], "on": True, "target": first, "key": f"react{number}"})
        await eve.say("topic", **said | {"text": text[:240], "key": f"topic{number}"})
        await eve.say("mark", **said | {"text": text[:240], "key": f"mark{number}"})
        await eve.say("send", **said | {"text": "x", "key": text[:100]})
        await eve.say("away", on=True, text=text[:240])
        await eve.say("typing", room=text[:60], on=True)
        await eve.say("join", room=text[:60], after=text[:60])
        await eve.say("history", id=text[:60], room="main", before=99999, limit=1)
        await eve.say("direct", key=text[:60], nick=text[:30])
        await eve.say("moderate", key=text[:60], action=text[:30], nick=text[:30], reason=text[:100])
        await eve.say(text[:100])
        notice = {"text": text, "title": text[:240], "from": text[:32], "level": "warning"}
        process = {"pid": 1, "name": text[:100], "cpu_percent": 1, "memory_bytes": 1}
        sample = {
            "host": "h", "at": 1, "interval": 1,
            "disks": [{"mount": text[:100], "total_bytes": 1, "used_bytes": 1, "percent": 1}],
            "processes": {"count": 1, "top": [process]}, "temperatures": [{"name": text[:100], "celsius": 1}],
        }  # fmt: skip
        for path, body in (
            ("/notices", notice | {"from": "eve"}),
            ("/notices", notice),
            ("/hosts/h/samples", sample),
        ):
            answer = await http.post(path, json=body)
            assert answer.status_code in (201, 202, 400, 413), (name, answer.text)
            assert answer.text.isprintable()
        await house.post(text, "main", key=f"posted{number}", **{"from": "posted"})
    await eve.say("send", key="last", room="main", text="the last")
    await eve.say("mark", key="last mark", room="main", text="the last mark")
    await bystander.hear_of("event", key="last mark")
    await eve.hear_of("event", key="last mark")
    for frame in (*eve.heard, *bystander.heard):
        # What one asks for comes back to oneself as it was, in JSON or MessagePack.
        own = {"id", "key"} if frame["type"] in ("error", "history", "done") else set()
        assert is_safe({name: value for name, value in frame.items() if name not in own}), frame
    for stream in (status, room):
        while True:
            block = await stream.block()
            assert {name for name, _ in block.fields} <= {"id", "event", "data", "retry", ""}
            assert sum(name == "data" for name, _ in block.fields) <= 1
            assert block.event is None or block.event.isascii()
            if "data" in dict(block.fields):
                assert is_safe(block.data), block
                if "the last mark" in str(block.data):
                    break
    assert not [record for record in mistakes.records if record.exc_info], mistakes.text


async def test_no_nick_and_no_room_can_be_one_of_these(house: House) -> None:
    refused = SEQUENCES | {name: text for name, text in DISGUISES.items() if name != "wide"}
    for name, text in refused.items():
        for fields in ({"nick": text[:32]}, {"rooms": {text[:64]: None}}):
            peer = await house.knock()
            await peer.say("hello", **{key: value for key, value in HELLO.items() if key != "type"} | fields)
            frames, code, reason = await peer.until_closed()
            assert code == CloseCode.PROTOCOL_ERROR, name
            assert is_safe(frames)
            assert is_safe(reason)


def mutated(dice: random.Random, value: Any) -> Any:
    """Something like it, and not quite."""
    odd: list[Any] = [
        None,
        True,
        -1,
        0,
        2**31,
        2**63,
        -(2**70),
        1e308,
        "",
        "x" * 300,
        [],
        {},
        [[[]]],
        {"a": {"b": []}},
        "main",
        "\x1b[2J",
    ]
    match value:
        case dict():
            fields = {
                (dice.choice(list(TEXTS.values()))[:20] if dice.random() < 0.1 else name): (
                    mutated(dice, one) if dice.random() < 0.4 else one
                )
                for name, one in value.items()
                if dice.random() > 0.05
            }
            if "type" in value and dice.random() < 0.95:
                fields["type"] = value["type"]
            return fields
        case str() if dice.random() < 0.6:
            return dice.choice(list(TEXTS.values()))[: dice.choice((1, 40, 300, 9999))]
        case _:
            return dice.choice(odd)


def written(frame: object, subprotocol: str) -> bytes:
    try:
        return json.dumps(frame).encode() if subprotocol == JSON else msgspec.msgpack.encode(frame)
    except OverflowError:  # MessagePack has no such number
        return b"{}"


async def send(peer: Peer, data: bytes) -> None:
    await peer.ws.send(data if peer.ws.subprotocol == MSGPACK else data.decode())


async def test_mutated_frames_are_answered_and_nothing_else(
    house: House, subprotocol: str, mistakes: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(39)
    for _ in range(6):
        peer = await house.visit("eve", subprotocol=subprotocol)
        for _ in range(150):
            data = written(mutated(dice, dice.choice(VALID)), subprotocol)
            if dice.random() < 0.1:
                cut = dice.randrange(len(data) + 1)
                data = data[:cut] + data[cut + 1 :]
            await send(peer, data)
        await peer.say("leave", room="the-barrier")
        while not (peer.heard[-1]["type"] == "error" and "the-barrier" in peer.heard[-1]["message"]):
            await peer.hear()
        assert {frame["type"] for frame in peer.heard} <= {
            "welcome", "error", "event", "ack", "presence", "history", "resume", "done", "left", "typing",
            "invited", "rules",
        }  # fmt: skip
        errors = [frame["message"] for frame in peer.heard if frame["type"] == "error"]
        assert len(errors) > 50
        assert all(is_safe(message) for message in errors)
        peer.ws.transport.abort()  # what is still on its way nobody reads
    await served(house)
    assert not [record for record in mistakes.records if record.exc_info], mistakes.text


async def test_mutated_hellos_are_let_in_or_told_why_not(
    house: House, subprotocol: str, mistakes: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(4501)
    codes = set()
    for _ in range(60):
        peer = await house.knock((subprotocol,))
        await send(peer, written(mutated(dice, HELLO), subprotocol))
        frame = await peer.hear()
        if frame["type"] == "welcome":
            await peer.ws.close()
        else:
            _, code, reason = await peer.until_closed()
            codes.add(code)
            assert is_safe([frame, reason])
    assert codes <= {CloseCode.PROTOCOL_ERROR, CloseCode.NICK_TAKEN, CloseCode.BAD_TOKEN}
    await served(house)
    assert not [record for record in mistakes.records if record.exc_info], mistakes.text


async def test_mutated_websocket_frames_end_in_the_right_code(
    house: House, mistakes: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(6455)
    hello = json.dumps(HELLO).encode()
    for _ in range(40):
        wire = await house.wire()
        await wire.upgrade()
        wire.send(masked(Opcode.TEXT, hello))
        for _ in range(dice.randrange(1, 6)):
            payload = dice.choice((b"", b"{}", b"\xff", dice.randbytes(dice.randrange(200))))
            data = bytearray(masked(dice.randrange(16), payload, first=dice.choice((0x80, 0, 0xC0, 0x90))))
            for _ in range(dice.randrange(3)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            wire.send(bytes(data))
        wire.send(masked(Opcode.CLOSE, (1000).to_bytes(2)))
        wire.writer.write_eof()
        close = None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                frame = await wire.frame()
                close = frame if frame.opcode == Opcode.CLOSE else close
        if close is not None and close.payload:
            assert close.close_code in {1000, 1002, 1003, 1007, 1009, 4501, 4502}, close
        wire.drop()
    await served(house)
    assert not [record for record in mistakes.records if record.exc_info], mistakes.text


async def served(house: House) -> None:
    """Whoever comes next is served."""
    guest = await house.visit("guest", session="guest")
    await guest.say("send", key="still", room="main", text="still here")
    await guest.hear_of("event", key="still")
