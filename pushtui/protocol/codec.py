"""Frames to bytes and back, in the two encodings of the WebSocket conversation."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from pushtui.protocol.messages import JSON, MSGPACK, ClientMessage, ServerMessage


class Codec(NamedTuple):
    """One subprotocol: how its frames are written and read, and whether they are text or binary frames."""

    subprotocol: str
    binary: bool
    encode: Callable[[Any], bytes]
    decode_client: Callable[[bytes | str], ClientMessage]
    decode_server: Callable[[bytes | str], ServerMessage]


CODECS: dict[str, Codec] = {
    JSON: Codec(
        JSON,
        False,
        msgspec.json.Encoder().encode,
        msgspec.json.Decoder(ClientMessage).decode,
        msgspec.json.Decoder(ServerMessage).decode,
    ),
    MSGPACK: Codec(
        MSGPACK,
        True,
        msgspec.msgpack.Encoder().encode,
        msgspec.msgpack.Decoder(ClientMessage).decode,  # type: ignore[arg-type]
        msgspec.msgpack.Decoder(ServerMessage).decode,  # type: ignore[arg-type]
    ),
}
