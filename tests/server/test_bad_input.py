"""Whatever a client does wrong: one clear sentence, the right code, nothing stored, and nobody else disturbed."""

import json
import random
from typing import Any

import msgspec
import pytest

from pushtui.protocol.frames import Opcode
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import JSON, MSGPACK
from tests.server.conftest import House, until
from tests.server.peer import Frame, Peer
from tests.server.wire_client import masked


def sentence(frame: Frame) -> str:
    """What an error or a bye says, which is one line that has no control characters in it."""
    text: str = frame["message"] if frame["type"] == "error" else frame["reason"]
    assert text
    assert text.isprintable()
    return text


async def unharmed(house: House, heads: dict[str, int]) -> None:
    """Nothing was stored, and the server still does its work."""
    assert house.heads() == heads
    bystander = await house.visit("bystander", session="bystander")
    await bystander.say("send", key="k", room="main", text="still here")
    await bystander.hear_of("event", key="k")


class TestHello:
    @pytest.mark.parametrize(
        ("nick", "why"),
        [
            ("", "a nick cannot be empty"),
            ("x" * 500, "a nick has at most 32 characters, this one has 500"),
            ("a\nb", "control characters"),
            ("a\x1b[2Jb", "control characters"),
            ("a\x00", "control characters"),
            ("a b", "no spaces"),
            ("a\u202eb", "invisible"),
            ("!!!", "at least one letter or digit"),
        ],
    )
    async def test_a_nick_that_cannot_be(self, house: House, subprotocol: str, nick: str, why: str) -> None:
        peer = await house.knock((subprotocol,))
        await peer.say("hello", nick=nick, session="s", rooms={"main": None, "new": None})
        frames, code, reason = await peer.until_closed()
        assert (len(frames), frames[0]["code"], code) == (1, 4501, 4501)
        assert why in sentence(frames[0])
        assert reason == frames[0]["reason"]
        await unharmed(house, {"status": 0, "room:main": 0})

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"rooms": {"a/b": None}}, "a room name has letters"),
            ({"rooms": {"main": None, "../x": None}}, "a room name has letters"),
            ({"rooms": {"комната": None}}, "a room name has letters"),
            ({"rooms": {"": None}}, "a room name cannot be empty"),
            ({"rooms": {"x" * 65: None}}, "at most 64"),
            ({"rooms": {f"r{number}": None for number in range(65)}}, "at most 64 rooms"),
            ({"rooms": {"main": 5}}, "rooms"),
            ({"rooms": ["main"]}, "rooms"),
            ({"rooms": None}, "rooms"),
            ({"session": ""}, "a session has"),
            ({"session": "s" * 129}, "a session has"),
            ({"session": None}, "session"),
            ({"nick": 5}, "nick"),
            ({"replay": -1}, "replay is 0 to 1000"),
            ({"replay": 1001}, "replay is 0 to 1000"),
            ({"replay": 2**63}, "replay is 0 to 1000"),
            ({"replay": "5"}, "replay"),
            ({"type": "send"}, "the first frame is a hello"),
            ({"type": "helo"}, "'helo'"),
            ({"type": 5}, "the first frame is a hello"),
        ],
    )
    async def test_a_hello_that_cannot_be(
        self, house: House, subprotocol: str, fields: dict[str, Any], why: str
    ) -> None:
        peer = await house.knock((subprotocol,))
        await peer.send_frame({"type": "hello", "nick": "ana", "session": "s", "rooms": {"main": None}} | fields)
        frames, code, _ = await peer.until_closed()
        assert (len(frames), frames[0]["code"], code) == (1, 4501, 4501)
        assert why in sentence(frames[0])
        await unharmed(house, {"status": 0, "room:main": 0})

    @pytest.mark.parametrize("first", ["", "{", "null", "hello", '{"type":"leave","room":"main"}', "[" * 60_000])
    async def test_a_first_frame_that_is_none(self, house: House, first: str) -> None:
        peer = await house.knock()
        await peer.ws.send(first)
        frames, code, _ = await peer.until_closed()
        assert code == 4501
        assert sentence(frames[0]).startswith("the first frame is a hello")

    async def test_a_client_that_goes_in_the_middle_of_it(self, house: House) -> None:
        hello = b'{"type":"hello","nick":"ana","session":"s","rooms":{"main":null}}'
        for cut in (1, 3, 7, 20):
            wire = await house.wire()
            await wire.upgrade()
            wire.send(masked(Opcode.TEXT, hello)[:cut])
            wire.drop()
        for half in ("GET /cha", "GET /chat HTTP/1.1\r\nUpgra"):
            wire = await house.wire()
            wire.send(half.encode())
            wire.drop()
        wire = await house.wire()
        await wire.upgrade()
        wire.send(masked(Opcode.TEXT, hello))
        wire.drop()
        await until(house.is_empty)
        await unharmed(house, {"status": 0, "room:main": 0})


class TestFrames:
    """Each gives an `error`, and the connection stays up."""

    async def refused(self, peer: Peer, frame: str | bytes) -> Frame:
        await peer.ws.send(frame)
        error = await peer.hear()
        assert error["type"] == "error", error
        sentence(error)
        await peer.say("typing", room="main", on=True)
        assert await peer.barrier() == []
        return error

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "}",
            "null",
            "1e999",
            "NaN",
            "[]",
            '"hello"',
            '{"type":"send"',
            "{'type':'send'}",
            '{"type":"send","key":"k","room":"main","text":"\\ud800"}',
            '{"type":"send","key":"k","room":"main","text":"tab\tin it"}',
            "{" * 60_000,
            "[" * 60_000,
            '{"a":' * 10_000 + "1" + "}" * 10_000,
            '{"type":"send","key":"k","room":"main","text":"x","extra":' + "[" * 20_000 + "]" * 20_000 + "}",
            "\ufeff{}",
            "\x00",
        ],
    )
    async def test_broken_json(self, house: House, text: str) -> None:
        peer = await house.visit()
        assert (await self.refused(peer, text))["code"] == "malformed"
        await unharmed(house, {"status": 0, "room:main": 0})

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\xc1",
            b"\xff" * 100,
            b"\x81\xa4type\xa2\xff\xfe",
            b"\x91" * 5000 + b"\xc0",
            b"\xdd\xff\xff\xff\xff",
            b"\xdb\xff\xff\xff\xffabc",
            b"\xc6\xff\xff\xff\xff",
            msgspec.msgpack.encode({1: 2}),
            msgspec.msgpack.encode([]),
            msgspec.msgpack.encode({"type": "leave", "room": msgspec.msgpack.Ext(5, b"main")}),
            msgspec.msgpack.encode({"type": msgspec.msgpack.Ext(-1, b"1234"), "room": "main"}),
            msgspec.msgpack.encode({"type": "leave", "room": b"main"}),
            msgspec.msgpack.encode({"type": "leave", "room": "main"}) + b"\xc0",
            msgspec.msgpack.encode(msgspec.msgpack.Ext(1, b"")),
        ],
    )
    async def test_broken_msgpack(self, house: House, data: bytes) -> None:
        peer = await house.visit(subprotocol=MSGPACK)
        assert (await self.refused(peer, data))["code"] == "malformed"
        await unharmed(house, {"status": 0, "room:main": 0})

    @pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
    async def test_garbage(self, house: House, subprotocol: str) -> None:
        peer = await house.visit(subprotocol=subprotocol)
        dice = random.Random(7)
        for _ in range(200):
            data = dice.randbytes(dice.randrange(80))
            await self.refused(peer, data if subprotocol == MSGPACK else data.decode("latin-1"))
        await unharmed(house, {"status": 0, "room:main": 0})

    @pytest.mark.parametrize(
        ("frame", "code", "why"),
        [
            ({"type": "shout"}, "unknown_type", "'shout'"),
            ({"type": "event", "room": "main", "seq": 1}, "unknown_type", "'event'"),
            ({"type": ""}, "unknown_type", "''"),
            ({"type": "x" * 5000}, "unknown_type", "'xxx"),
            ({"type": "\x1b[2J"}, "unknown_type", "type"),
            ({"type": None}, "malformed", "type"),
            ({"type": 7}, "malformed", "type"),
            ({}, "malformed", "type"),
            ({"type": "send", "room": "main", "text": "x"}, "malformed", "key"),
            ({"type": "send", "key": "k", "room": "main"}, "malformed", "text"),
            ({"type": "send", "key": "k", "room": "main", "text": 5}, "malformed", "text"),
            ({"type": "send", "key": "k", "room": "main", "text": ""}, "malformed", "a message cannot be empty"),
            ({"type": "send", "key": "k", "room": "main", "text": " \n"}, "malformed", "cannot be empty"),
            ({"type": "send", "key": "", "room": "main", "text": "x"}, "malformed", "a key has 1 to 128"),
            ({"type": "send", "key": "k" * 129, "room": "main", "text": "x"}, "malformed", "a key has 1 to 128"),
            ({"type": "send", "key": "a\x00b", "room": "main", "text": "x"}, "malformed", "a key has 1 to 128"),
            ({"type": "send", "key": "k", "room": "main", "text": "x" * 16_385}, "too_long", "16385"),
            ({"type": "send", "key": "k", "room": "main", "text": "é" * 8193}, "too_long", "16386"),
            ({"type": "edit", "key": "k", "room": "main", "target": 1, "text": ""}, "no_such_target", "1"),
            ({"type": "mark", "key": "k", "room": "main", "text": ""}, "malformed", "a mark cannot be empty"),
            ({"type": "mark", "key": "k", "room": "main", "text": "x" * 251}, "too_long", "a mark"),
            ({"type": "send", "key": "k", "room": "other", "text": "x"}, "not_allowed", "not in the room other"),
            ({"type": "topic", "key": "k", "room": "a/b", "text": "x"}, "not_allowed", "not in the room a/b"),
            ({"type": "typing", "room": "other", "on": True}, "not_allowed", "not in the room"),
            ({"type": "leave", "room": "other"}, "not_allowed", "not in the room"),
            ({"type": "leave", "room": "x\x1b" * 1000}, "not_allowed", "not in the room"),
            ({"type": "history", "id": "h", "room": "other", "before": 1, "limit": 1}, "not_allowed", "not in"),
            ({"type": "join", "room": "a/b"}, "malformed", "a room name has letters"),
            ({"type": "join", "room": "комната"}, "malformed", "a room name has letters"),
            ({"type": "join", "room": ""}, "malformed", "a room name cannot be empty"),
            ({"type": "join", "room": "x" * 65}, "malformed", "at most 64"),
            ({"type": "join", "room": "ok\x00"}, "malformed", "a room name has letters"),
            ({"type": "typing", "room": "main", "on": 1}, "malformed", "on"),
            ({"type": "away", "on": "yes"}, "malformed", "on"),
        ],
    )  # fmt: skip
    async def test_what_cannot_be_done(
        self, house: House, subprotocol: str, frame: Frame, code: str, why: str
    ) -> None:
        peer = await house.visit(subprotocol=subprotocol)
        packed = msgspec.msgpack.encode(frame) if subprotocol == MSGPACK else json.dumps(frame)
        error = await self.refused(peer, packed)
        assert error["code"] == code
        assert why in error["message"]
        assert len(error["message"]) < 400
        assert error.get("key") == frame.get("key")
        await unharmed(house, {"status": 0, "room:main": 0})

    async def test_the_key_of_what_cannot_be_read_is_named(self, house: House, subprotocol: str) -> None:
        """So that whoever said it can tell which of its messages failed."""
        peer = await house.visit(subprotocol=subprotocol)
        await peer.say("send", key="k7", room="main", text=["not", "a", "text"])
        error = await peer.hear()
        assert (error["code"], error["key"]) == ("malformed", "k7")
        await peer.say("shout", key="k8")
        error = await peer.hear()
        assert (error["code"], error["key"]) == ("unknown_type", "k8")

    async def test_a_text_of_exactly_the_limit(self, house: House) -> None:
        peer = await house.visit()
        await peer.say("send", key="k", room="main", text="x" * LIMITS.text_bytes)
        assert len((await peer.texts(1))[0]) == LIMITS.text_bytes


class TestViolations:
    """Each ends the connection, with a word before."""

    @pytest.mark.parametrize(
        ("subprotocol", "opcode", "why"),
        [(JSON, Opcode.BINARY, "text frames"), (MSGPACK, Opcode.TEXT, "binary frames")],
    )
    @pytest.mark.parametrize("greeted", [False, True])
    async def test_the_other_kind_of_frame(
        self, house: House, subprotocol: str, opcode: Opcode, why: str, greeted: bool
    ) -> None:
        peer = await house.visit(subprotocol=subprotocol) if greeted else await house.knock((subprotocol,))
        await peer.ws.send(b"{}" if opcode is Opcode.BINARY else "{}")
        frames, code, reason = await peer.until_closed()
        assert (frames[-1]["type"], frames[-1]["code"], code) == ("bye", 4501, 4501)
        assert why in sentence(frames[-1])
        assert reason == frames[-1]["reason"]

    @pytest.mark.parametrize(
        ("name", "data", "code"),
        [
            ("text that is not UTF-8", masked(Opcode.TEXT, b"\xff\xfe"), 1007),
            ("text that ends within a character", masked(Opcode.TEXT, b"\xc3"), 1007),
            ("a reserved bit", masked(Opcode.TEXT, b"{}", first=0xC0), 1002),
            ("a reserved opcode", masked(0x3, b"{}"), 1002),
            ("a continuation of nothing", masked(0x0, b"{}"), 1002),
            ("a ping in fragments", masked(Opcode.PING, b"", first=0), 1002),
            ("a long ping", masked(Opcode.PING, b"x" * 126), 1002),
            ("a message within a message", masked(1, b"{", first=0) + masked(1, b"}"), 1002),
            ("a close of one byte", masked(Opcode.CLOSE, b"\x03"), 1002),
        ],
    )
    async def test_what_rfc_6455_forbids(self, house: House, name: str, data: bytes, code: int) -> None:
        wire = await house.wire()
        await wire.upgrade()
        wire.send(data)
        bye = json.loads((await wire.frame()).payload)
        assert (bye["type"], bye["code"]) == ("bye", code), name
        close = await wire.frame()
        assert (close.opcode, close.close_code) == (Opcode.CLOSE, code)
        assert close.payload[2:].decode() == sentence(bye)
        assert await wire.ended() == b""
        await unharmed(house, {"status": 0, "room:main": 0})

    async def test_a_long_reason_is_cut_within_its_123_bytes(self, house: House) -> None:
        peer = await house.knock()
        await peer.say("hello", nick="ana", session="s", rooms={"main": None}, replay="é" * 500)
        frames, code, reason = await peer.until_closed()
        assert code == 4501
        assert len(reason.encode()) <= 123
        assert frames[0]["reason"].startswith(reason)


class TestGarbageOverHttp:
    @pytest.mark.parametrize(
        "data",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"\x00" * 1000,
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nBad Header\r\n\r\n",
            b"POST /rooms/main HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        ],
        ids=range(7),
    )
    async def test_it_is_refused_and_forgotten(self, house: House, data: bytes) -> None:
        wire = await house.wire()
        wire.send(data)
        answer = await wire.ended()
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 ", b"HTTP/1.1 414 ")), answer[:100]
        assert b"Traceback" not in answer
        await unharmed(house, {"status": 0, "room:main": 0})
