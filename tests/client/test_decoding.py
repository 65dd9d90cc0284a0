from typing import Any

import msgspec
import pytest

from pushtui.client import decoding
from pushtui.client.happenings import Page, RoomEvent
from pushtui.protocol import bodies, messages
from pushtui.protocol.codec import CODECS
from pushtui.protocol.samples import Sample

HOSTILE = "a\x1b]0;x\x07\r\nb\u202ec"
LINE = "a\ufffd]0;x\ufffd\ufffd\ufffdb\ufffdc"
TEXT = "a\ufffd]0;x\ufffd\nb\ufffdc"

both = pytest.mark.parametrize("subprotocol", messages.SUBPROTOCOLS)


def decode(subprotocol: str, frame: Any) -> decoding.ServerFrame:
    codec = CODECS[subprotocol]
    data = (msgspec.msgpack if codec.binary else msgspec.json).encode(frame)
    return decoding.frame(codec, data if codec.binary else data.decode())


def event(kind: str, body: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "event", "room": "main", "seq": 1, "at": 2, "kind": kind, "by": "ben", "body": body} | fields


@both
@pytest.mark.parametrize(
    ("kind", "body", "typed"),
    [
        ("message", {"text": HOSTILE, "reply_to": 3}, bodies.Message(TEXT, 3)),
        ("message", {"text": "", "later": 1}, bodies.Message("")),
        ("edit", {"target": 1, "text": HOSTILE}, bodies.Edit(1, TEXT)),
        ("redact", {"target": 1}, bodies.Redact(1)),
        ("react", {"target": 1, "emoji": HOSTILE, "on": True}, bodies.React(1, LINE, True)),
        ("topic", {"text": HOSTILE}, bodies.Topic(LINE)),
        ("mark", {"text": HOSTILE, "room": HOSTILE}, bodies.Mark(LINE, LINE)),
        (
            "notice",
            {"text": HOSTILE, "level": "info", "by": HOSTILE, "title": HOSTILE},
            bodies.Notice(TEXT, "info", LINE, LINE),
        ),
        ("poll", {"text": "x"}, None),
        ("message", {"text": 1}, None),
        ("message", None, None),
        ("notice", {"text": "x", "level": "loud", "by": "x"}, None),
    ],
)
def test_events_are_typed_and_clean(subprotocol: str, kind: str, body: Any, typed: Any) -> None:
    decoded = decode(subprotocol, event(kind, body, by=HOSTILE, room=HOSTILE, key=HOSTILE))
    assert decoded == RoomEvent(LINE, 1, 2, kind, LINE, typed, LINE)


@both
def test_every_other_frame_is_clean(subprotocol: str) -> None:
    room = {"room": HOSTILE, "epoch": "e", "head": 1, "floor": 1, "topic": HOSTILE}
    member = {"nick": HOSTILE, "state": "away", "text": HOSTILE}
    frames: list[dict[str, Any]] = [
        {
            "type": "welcome",
            "server": HOSTILE,
            "version": HOSTILE,
            "you": {"nick": HOSTILE, "role": HOSTILE},
            "limits": {},
            "rooms": [room | {"members": [member]}],
        },
        {"type": "presence", "room": HOSTILE, "nick": HOSTILE, "state": "here", "text": HOSTILE},
        {"type": "typing", "room": HOSTILE, "nick": HOSTILE, "on": True},
        {"type": "crowd", "room": HOSTILE, "count": 201},
        {"type": "members", "room": HOSTILE, "members": [member]},
        {"type": "error", "code": HOSTILE, "message": HOSTILE, "key": HOSTILE},
        {"type": "bye", "code": 1012, "reason": HOSTILE},
        {"type": "ack", "key": HOSTILE, "room": HOSTILE, "seq": 1, "duplicate": True},
        {
            "type": "resume",
            "room": HOSTILE,
            "outcome": "gap",
            "epoch": HOSTILE,
            "after": 1,
            "head": 2,
            "lost": {"after": 0, "before": 2},
            "topic": HOSTILE,
            "members": [member],
        },
        {
            "type": "history",
            "id": HOSTILE,
            "room": HOSTILE,
            "events": [event("topic", {"text": HOSTILE})],
            "more": True,
        },
    ]
    for frame in frames:
        shown = msgspec.json.encode(decode(subprotocol, frame)).decode()
        assert LINE in shown
        assert "\\u001b" not in shown
        assert "\u202e" not in shown
        assert "\\r" not in shown


@both
def test_a_page_has_typed_events(subprotocol: str) -> None:
    frame = {
        "type": "history",
        "id": "i",
        "room": "main",
        "events": [event("message", {"text": "x"})],
        "more": False,
    }
    message = RoomEvent("main", 1, 2, "message", "ben", bodies.Message("x"))
    assert decode(subprotocol, frame) == Page("i", "main", [message], False)


@both
@pytest.mark.parametrize(
    "frame",
    [
        {"type": "poll"},
        {"type": "event"},
        {},
        [],
        1,
        {"type": "typing", "room": "main", "on": "yes"},
        event("message", {"text": "x"}, seq="1"),
        event("message", {"text": "x"}, seq=1.5),
    ],
)
def test_what_is_not_in_the_contract_is_unreadable(subprotocol: str, frame: Any) -> None:
    with pytest.raises(decoding.UnreadableError):
        decode(subprotocol, frame)


@pytest.mark.parametrize("data", ["", "{", "[" * 100_000, "nul", '{"type":"bye","code":1e999,"reason":""}'])
def test_broken_json_is_unreadable(data: str) -> None:
    with pytest.raises(decoding.UnreadableError):
        decoding.frame(CODECS[messages.JSON], data)


def test_a_body_without_a_bottom_is_unreadable() -> None:
    data = '{"type":"event","room":"main","seq":1,"at":1,"kind":"message","by":"b","body":' + "[" * 100_000
    with pytest.raises(decoding.UnreadableError):
        decoding.frame(CODECS[messages.JSON], data)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x81", b"\x91" * 100_000])
def test_broken_messagepack_is_unreadable(data: bytes) -> None:
    with pytest.raises(decoding.UnreadableError):
        decoding.frame(CODECS[messages.MSGPACK], data)


def test_a_frame_of_the_wrong_kind_is_unreadable() -> None:
    with pytest.raises(decoding.UnreadableError):
        decoding.frame(CODECS[messages.JSON], b'{"type":"bye","code":1,"reason":""}')
    with pytest.raises(decoding.UnreadableError):
        decoding.frame(CODECS[messages.MSGPACK], "x")


def test_a_sample_is_clean() -> None:
    data = {
        "host": HOSTILE,
        "at": 1,
        "interval": 1,
        "cpu": {"percent": 1, "per_core": [1, 2], "count": 2, "load": [1, 2, 3]},
        "disks": [{"mount": HOSTILE, "total_bytes": 1, "used_bytes": 1, "percent": 1}],
        "processes": {"count": 1, "top": [{"pid": 1, "name": HOSTILE, "cpu_percent": 1, "memory_bytes": 1}]},
    }
    sample = decoding.json(msgspec.json.encode(data).decode(), Sample)
    assert sample.host == LINE
    assert sample.disks is not None
    assert sample.disks[0].mount == LINE
    assert sample.processes is not None
    assert sample.processes.top[0].name == LINE
    assert sample.cpu is not None
    assert sample.cpu.load == (1, 2, 3)
