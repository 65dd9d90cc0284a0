"""How an entry becomes bytes: one encoding for each kind of listener, the same bytes for all of a kind."""

from collections.abc import Callable

import msgspec

from pushtui.protocol import eventstream, messages
from pushtui.protocol.codec import CODECS
from pushtui.protocol.frames import Opcode, frame
from pushtui.protocol.positions import Position
from server.log.store import Entry
from server.log.streams import room_of


class Wire:
    """One encoding. Compared by identity, so that it can key what was encoded.

    Attributes:
        name: as in the metrics.
        encode: entry and the log's epoch to bytes that may be written between any two others of this wire.
        wrap: the same for a frame or block that is not an entry.
    """

    __slots__ = ("encode", "name", "wrap")

    def __init__(self, name: str, encode: Callable[[Entry, str], bytes], wrap: Callable[[bytes], bytes]) -> None:
        self.name = name
        self.encode = encode
        self.wrap = wrap

    def __repr__(self) -> str:
        return f"<Wire {self.name}>"


def event(entry: Entry, body: object) -> messages.Event:
    """A room's entry as the frame that shows it."""
    return messages.Event(
        room=room_of(entry.stream) or entry.stream,
        seq=entry.seq,
        at=entry.at,
        kind=entry.kind,
        by=entry.by,
        body=body,
        key=entry.key,
    )


def decoded(entry: Entry) -> messages.Event:
    """As `event`, with the body decoded: for encodings that are not JSON."""
    return event(entry, msgspec.json.decode(entry.body))


def _event_json(entry: Entry) -> bytes:
    return CODECS[messages.JSON].encode(event(entry, msgspec.Raw(entry.body)))


def _json_frame(entry: Entry, _epoch: str) -> bytes:
    return frame(Opcode.TEXT, _event_json(entry))


def _msgpack_frame(entry: Entry, _epoch: str) -> bytes:
    return frame(Opcode.BINARY, CODECS[messages.MSGPACK].encode(decoded(entry)))


def _block(entry: Entry, epoch: str) -> bytes:
    data = _timed(entry) if room_of(entry.stream) is None else _event_json(entry)
    return eventstream.block(data.decode(), event=entry.kind, event_id=str(Position(epoch, entry.seq)))


def _timed(entry: Entry) -> bytes:
    """The body, with the time of the event in it; a sample says by itself when it was taken."""
    if entry.kind == "sample":
        return entry.body
    return b'%b,"at":%d}' % (entry.body[:-1], entry.at)


def _chunk(block: bytes) -> bytes:
    """RFC 9112 section 7.1."""
    return b"%x\r\n%b\r\n" % (len(block), block)


def _listed(entry: Entry, _epoch: str) -> bytes:
    """As one element of a JSON array, behind the one before it."""
    return b",%b" % _event_json(entry)


WEBSOCKET_JSON = Wire("websocket_json", _json_frame, lambda payload: frame(Opcode.TEXT, payload))
WEBSOCKET_MSGPACK = Wire("websocket_msgpack", _msgpack_frame, lambda payload: frame(Opcode.BINARY, payload))
SSE = Wire("sse", lambda entry, epoch: _chunk(_block(entry, epoch)), _chunk)
#: For HTTP/1.0, which knows no chunks.
SSE_PLAIN = Wire("sse_plain", _block, lambda block: block)
#: Whoever reads a page of it leaves out the first comma.
POLLING = Wire("polling", _listed, lambda element: b",%b" % element)

WEBSOCKETS = {messages.JSON: WEBSOCKET_JSON, messages.MSGPACK: WEBSOCKET_MSGPACK}
WIRES = (WEBSOCKET_JSON, WEBSOCKET_MSGPACK, SSE, SSE_PLAIN, POLLING)
