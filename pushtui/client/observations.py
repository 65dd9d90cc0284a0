"""What an inspected address sends, as records: one struct for each thing that can be seen on the wire.

Their texts are exactly what came, so they are data and not for a terminal; `line` writes one so that it is.
"""

import json
import re

import msgspec
from msgspec import UNSET, Struct, UnsetType

_FLOW, _WHAT = "flow", "what"
# JSON escapes C0; these drive a terminal, let one line disguise itself as another, or cannot be seen.
_UNESCAPED = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


class SseRecord(
    Struct, frozen=True, kw_only=True, tag_field=_WHAT, tag=lambda name: name.removeprefix("Sse").lower()
):
    """Something seen of an event stream."""

    flow: str = "sse"


class SseOpen(SseRecord, frozen=True, kw_only=True):
    """The stream has begun. Names of headers are in lower case; what came twice is joined by a comma."""

    status: int
    headers: dict[str, str]


class SseEvent(SseRecord, frozen=True, kw_only=True):
    """What an EventSource dispatches: ``id`` is its ``lastEventId``, which stays until another one is given."""

    event: str
    data: str
    id: str


class SseRetry(SseRecord, frozen=True, kw_only=True):
    """The server sets the reconnection time."""

    ms: int


class SseComment(SseRecord, frozen=True, kw_only=True):
    """What stands behind the colon of a comment, without one leading space."""

    text: str


class SseClosed(SseRecord, frozen=True, kw_only=True):
    """The stream has ended, or there is none; ``status`` when it was an answer that made it end."""

    reason: str
    status: int | UnsetType = UNSET


class SseReconnecting(SseRecord, frozen=True, kw_only=True):
    """The next try comes after so many ms, with this id; ``reason`` when the last one found no stream."""

    after_ms: int
    last_event_id: str
    reason: str | UnsetType = UNSET


class WebSocketRecord(
    Struct, frozen=True, kw_only=True, tag_field=_WHAT, tag=lambda name: name.removeprefix("WebSocket").lower()
):
    """Something seen of a WebSocket. ``binary`` is base64 in JSON."""

    flow: str = "websocket"


class WebSocketOpen(WebSocketRecord, frozen=True, kw_only=True):
    """The handshake is done; headers as in `SseOpen`."""

    status: int
    subprotocol: str | None
    headers: dict[str, str]


class WebSocketMessage(WebSocketRecord, frozen=True, kw_only=True):
    """A whole message, however many frames it came in: either text or binary."""

    text: str | UnsetType = UNSET
    binary: bytes | UnsetType = UNSET


class WebSocketPing(WebSocketRecord, frozen=True, kw_only=True):
    """The server asks for a sign of life; it gets one. Its payload is text where that is UTF-8."""

    text: str | UnsetType = UNSET
    binary: bytes | UnsetType = UNSET


class WebSocketPong(WebSocketRecord, frozen=True, kw_only=True):
    """The answer to a ping that was sent from here every 20 s, or one that nobody asked for."""

    text: str | UnsetType = UNSET
    binary: bytes | UnsetType = UNSET


class WebSocketClosed(WebSocketRecord, frozen=True, kw_only=True):
    """The connection has ended: the close code (1005: none was given, 1006: no close frame came) and why."""

    code: int
    reason: str


Record = (
    SseOpen
    | SseEvent
    | SseRetry
    | SseComment
    | SseClosed
    | SseReconnecting
    | WebSocketOpen
    | WebSocketMessage
    | WebSocketPing
    | WebSocketPong
    | WebSocketClosed
)


def line(record: Record) -> str:
    """One line of JSON, without its end: ``flow``, ``what``, then the rest; harmless to a terminal."""
    fields = msgspec.to_builtins(record)
    text = msgspec.json.encode({_FLOW: fields.pop(_FLOW), **fields}).decode()
    return _UNESCAPED.sub(lambda found: json.dumps(found[0])[1:-1], text)
