"""What passes over both flows, as records: a short chat, and a status stream that is lost in the end."""

from __future__ import annotations

import msgspec

from pushtui.wire.frames import wire_bytes
from pushtui.wire.handshake import Accept
from pushtui.wire.records import (
    Close,
    Direction,
    Dispatch,
    Frame,
    Line,
    Record,
    Request,
    Response,
    RoundTrip,
    Wait,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455, section 1.3
MASK = bytes.fromhex("3fa2b1c0")
POSITION = "f3k9q2ab.5521"


def frame(
    at: float, direction: Direction, opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0
) -> Frame:
    masked = direction == "up"
    length = wire_bytes(len(payload), masked=masked)
    return Frame(at, direction, opcode, payload, fin, rsv, MASK if masked else None, length)


def line(at: float, text: bytes) -> Line:
    return Line(at, text, len(text) + 1)


def upgrade(subprotocol: str = "pushtui.v1.json") -> list[Request | Response]:
    asked = [
        ("Host", "127.0.0.1:8765"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", KEY),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", subprotocol),
    ]
    answered = [
        ("Upgrade", "websocket"),
        ("Connection", "upgrade"),
        ("Sec-WebSocket-Accept", Accept.of(KEY).value),
        ("Sec-WebSocket-Protocol", subprotocol),
    ]
    return [
        Request(0.001, "GET", "/chat", "HTTP/1.1", asked, 226),
        Response(0.003, "HTTP/1.1", 101, "Switching Protocols", answered, 180),
    ]


def chat() -> list[Record]:
    """Behind the handshake: both directions, every opcode, a fragment, bytes that are no text, and the end."""
    said = {"type": "event", "room": "main", "seq": 1043, "body": {"text": "thanks all"}}
    return [
        frame(0.004, "up", 1, b'{"type":"hello","nick":"ana","session":"k2","rooms":{"main":null}}'),
        frame(0.009, "down", 1, b'{"type":"welcome","server":"pushtui","you":{"nick":"ana","role":"member"}}'),
        frame(1.200, "up", 9, b"\x8f\x01\x02\x03"),
        frame(1.212, "down", 10, b"\x8f\x01\x02\x03"),
        RoundTrip(1.212, 0.0121),
        frame(2.500, "down", 1, '{"type":"event","body":{"text":"héllo \x1b[2J"}}'.encode()),
        frame(3.100, "down", 2, msgspec.msgpack.encode(said)),
        frame(4.000, "down", 1, b"the first half, ", fin=False),
        frame(4.001, "down", 0, b"and the other"),
        frame(5.000, "down", 2, bytes(range(40)), rsv=4),
        frame(9.100, "down", 8, (1012).to_bytes(2) + b"restart"),
        frame(9.100, "up", 8, (1012).to_bytes(2)),
        Close(9.101, "restart", 1012, "server"),
        Wait(9.102, 1.37, "the server restarts"),
    ]


def stream_head() -> list[Request | Response]:
    return [
        Request(
            0.001,
            "GET",
            "/status?replay=50",
            "HTTP/1.1",
            [("Host", "127.0.0.1:8765"), ("Accept", "text/event-stream"), ("Cache-Control", "no-store")],
            139,
        ),
        Response(
            0.003,
            "HTTP/1.1",
            200,
            "OK",
            [("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-store")],
            201,
        ),
    ]


def stream() -> list[Record]:
    """Behind the head: every field, a comment, a block without data, and the wait before one comes back."""
    return [
        line(0.010, b"retry: 2000"),
        line(0.010, b"event: resume"),
        line(0.010, b"id: f3k9q2ab.5520"),
        line(0.010, b'data: {"outcome":"fresh","epoch":"f3k9q2ab","after":5520,"head":5521}'),
        line(0.010, b""),
        Dispatch(0.010, "resume", "f3k9q2ab.5520", 69),
        line(1.000, b": ping"),
        line(1.000, b""),
        Dispatch(1.000, "", "f3k9q2ab.5520", 0),
        line(2.000, b"event: sample"),
        line(2.000, f"id: {POSITION}".encode()),
        line(2.000, b'data: {"host":"ops-1","at":1795356451000,"cpu":{"percent":37.5}}'),
        line(2.000, b"colour: blue"),
        line(2.000, b""),
        Dispatch(2.000, "sample", POSITION, 62),
        Close(5.000, "the server hung up"),
        Wait(5.000, 2.0, "the server hung up", POSITION),
    ]
