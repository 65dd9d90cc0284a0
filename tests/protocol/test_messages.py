"""The frames as PROTOCOL has them, in both encodings."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.protocol import messages
from pushtui.protocol.close import CloseCode, is_final
from pushtui.protocol.codec import CODECS
from pushtui.protocol.limits import Limits
from pushtui.protocol.positions import Lost, Outcome

FROM_CLIENT: list[tuple[dict[str, Any], messages.ClientMessage]] = [
    (
        {"type": "hello", "nick": "ana", "session": "s", "rooms": {"main": None, "ops": "f3k9q2ab.12"}},
        messages.Hello("ana", "s", {"main": None, "ops": "f3k9q2ab.12"}),
    ),
    (
        {"type": "hello", "nick": "ana", "session": "s", "rooms": {}, "replay": 5, "token": "t"},
        messages.Hello("ana", "s", {}, 5, "t"),
    ),
    ({"type": "send", "key": "k", "room": "main", "text": "hi"}, messages.Send("k", "main", "hi")),
    (
        {"type": "send", "key": "k", "room": "main", "text": "hi", "reply_to": 3},
        messages.Send("k", "main", "hi", 3),
    ),
    ({"type": "edit", "key": "k", "room": "main", "target": 1, "text": "x"}, messages.Edit("k", "main", 1, "x")),
    ({"type": "redact", "key": "k", "room": "main", "target": 1}, messages.Redact("k", "main", 1)),
    (
        {"type": "react", "key": "k", "room": "main", "target": 1, "emoji": "👍", "on": True},
        messages.React("k", "main", 1, "👍", True),
    ),
    ({"type": "topic", "key": "k", "room": "main", "text": "t"}, messages.SetTopic("k", "main", "t")),
    ({"type": "mark", "key": "k", "room": "main", "text": "t"}, messages.SetMark("k", "main", "t")),
    ({"type": "join", "room": "ops"}, messages.Join("ops")),
    ({"type": "join", "room": "ops", "after": "f3k9q2ab.1"}, messages.Join("ops", "f3k9q2ab.1")),
    ({"type": "leave", "room": "ops"}, messages.Leave("ops")),
    ({"type": "typing", "room": "main", "on": True}, messages.Typing("main", True)),
    ({"type": "away", "on": True, "text": "lunch"}, messages.Away(True, "lunch")),
    (
        {"type": "history", "id": "h", "room": "main", "before": 9, "limit": 5},
        messages.History("h", "main", 9, 5),
    ),
]
FROM_SERVER: list[tuple[dict[str, Any], messages.ServerMessage]] = [
    (
        {
            "type": "welcome",
            "server": "x",
            "version": "1",
            "you": {"nick": "ana", "role": "member"},
            "limits": msgspec.to_builtins(Limits()),
            "rooms": [
                {
                    "room": "main",
                    "epoch": "f3k9q2ab",
                    "head": 2,
                    "floor": 1,
                    "topic": "",
                    "members": [{"nick": "ana", "state": "here"}, {"nick": "bo", "state": "away", "text": "zz"}],
                }
            ],
        },
        messages.Welcome(
            "x",
            "1",
            messages.You("ana", "member"),
            Limits(),
            [
                messages.RoomState(
                    "main",
                    "f3k9q2ab",
                    2,
                    1,
                    "",
                    [messages.Member("ana", "here"), messages.Member("bo", "away", "zz")],
                )
            ],
        ),
    ),
    (
        {
            "type": "resume",
            "room": "main",
            "outcome": "gap",
            "epoch": "f3k9q2ab",
            "after": 8,
            "head": 9,
            "lost": {"after": 1, "before": 9},
        },
        messages.Resume("main", Outcome.GAP, "f3k9q2ab", 8, 9, Lost(1, 9)),
    ),
    (
        {"type": "event", "room": "main", "seq": 1, "at": 5, "kind": "topic", "by": "ana", "body": {"text": "x"}},
        messages.Event("main", 1, 5, "topic", "ana", {"text": "x"}),
    ),
    ({"type": "ack", "key": "k", "room": "main", "seq": 1, "duplicate": True}, messages.Ack("k", "main", 1, True)),
    (
        {"type": "presence", "room": "main", "nick": "bo", "state": "gone"},
        messages.Presence("main", "bo", "gone"),
    ),
    ({"type": "typing", "room": "main", "on": False, "nick": "bo"}, messages.Typing("main", False, "bo")),
    ({"type": "crowd", "room": "main", "count": 201}, messages.Crowd("main", 201)),
    (
        {"type": "members", "room": "main", "members": [{"nick": "bo", "state": "here"}]},
        messages.Members("main", [messages.Member("bo", "here")]),
    ),
    (
        {"type": "history", "id": "h", "room": "main", "events": [], "more": False},
        messages.Page("h", "main", [], False),
    ),
    (
        {"type": "error", "code": "busy", "message": "m", "key": "k", "retry_after_ms": 5},
        messages.Error("busy", "m", "k", 5),
    ),
    ({"type": "bye", "code": 1012, "reason": "r", "retry_ms": 5}, messages.Bye(1012, "r", 5)),
]


@pytest.mark.parametrize(("shape", "message"), FROM_CLIENT, ids=lambda value: str(value)[:30])
def test_what_clients_say(shape: dict[str, Any], message: messages.ClientMessage, subprotocol: str) -> None:
    codec = CODECS[subprotocol]
    encoded = codec.encode(message)
    assert _plain(encoded, codec.binary) == shape
    assert codec.decode_client(_packed(shape, codec.binary)) == message


@pytest.mark.parametrize(("shape", "message"), FROM_SERVER, ids=lambda value: str(value)[:30])
def test_what_the_server_says(shape: dict[str, Any], message: messages.ServerMessage, subprotocol: str) -> None:
    codec = CODECS[subprotocol]
    assert _plain(codec.encode(message), codec.binary) == shape
    assert codec.decode_server(_packed(shape, codec.binary)) == message


def test_unknown_fields_are_ignored(subprotocol: str) -> None:
    codec = CODECS[subprotocol]
    said = {"type": "leave", "room": "ops", "new": {"in": ["a", 1, None]}}
    assert codec.decode_client(_packed(said, codec.binary)) == messages.Leave("ops")


@given(st.binary(max_size=200))
def test_garbage_is_refused_with_an_error_of_the_codec(data: bytes) -> None:
    for codec in CODECS.values():
        with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
            codec.decode_client(data)


@pytest.mark.parametrize("name", ["nick", "session", "rooms"])
def test_a_missing_field_is_named(name: str, subprotocol: str) -> None:
    codec = CODECS[subprotocol]
    said = {"type": "hello", "nick": "ana", "session": "s", "rooms": {}}
    del said[name]
    with pytest.raises(msgspec.ValidationError, match=name):
        codec.decode_client(_packed(said, codec.binary))


def test_which_closes_are_final() -> None:
    finals = {code for code in CloseCode if is_final(code)}
    assert finals == {
        CloseCode.BAD_TOKEN,
        CloseCode.PROTOCOL_ERROR,
        CloseCode.NICK_TAKEN,
        CloseCode.REMOVED,
        CloseCode.REPLACED,
    }


def _plain(data: bytes, binary: bool) -> object:
    return msgspec.msgpack.decode(data) if binary else json.loads(data)


def _packed(shape: dict[str, Any], binary: bool) -> bytes:
    return msgspec.msgpack.encode(shape) if binary else json.dumps(shape).encode()
