"""How a connection is opened: what is said, and what is waited for."""

import base64
import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """Say something, then wait until an answer with this in it has come."""

    say: bytes
    until: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """The steps of one connection.

    Attributes:
        steps: one after the other; then the connection is open.
        ping: bytes of a ping of this server, answered with a pong; None when it sends none or each is different.
    """

    steps: tuple[Step, ...]
    ping: bytes | None = None


#: A masked, empty pong: RFC 6455 section 5.5.3.
PONG = b"\x8a\x80\0\0\0\0"


def upgrade(path: str, *headers: str) -> Step:
    """Ask for a WebSocket."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        *headers,
    ]
    return Step(("\r\n".join(lines) + "\r\n\r\n").encode(), b"\r\n\r\n")


def get(path: str, until: bytes, *headers: str) -> Step:
    """Ask for an event stream."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: text/event-stream", *headers]
    return Step(("\r\n".join(lines) + "\r\n\r\n").encode(), until)


def post(path: str, body: bytes) -> bytes:
    """A request with a body, on a connection that stays open."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: text/plain",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def text_frame(payload: bytes) -> bytes:
    """A client's text frame, masked with zeros (RFC 6455 section 5.3 wants a mask, not a secret)."""
    length = len(payload)
    head = bytes((0x81, 0x80 | length)) if length < 126 else bytes((0x81, 0xFE)) + length.to_bytes(2)
    return head + b"\0\0\0\0" + payload
