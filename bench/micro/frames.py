"""From an entry to the bytes of each wire, and from a client's frame to a message."""

from collections.abc import Iterator
from functools import partial

import msgspec

from bench.load.message import stamped
from bench.measured import Measured
from bench.micro.timed import microseconds
from pushtui.protocol.codec import CODECS
from pushtui.protocol.messages import Send
from server.log.store import Entry
from server.log.streams import room_stream
from server.log.wire import WIRES

_EPOCH = "f3k9q2ab"
_AT = 1_700_000_000_000


def entries(count: int) -> list[Entry]:
    """Messages of 150 bytes."""
    body = msgspec.json.encode({"text": stamped().decode()})
    stream = room_stream("main")
    return [Entry(stream, seq, _AT + seq, "message", "ana", f"key{seq}", body) for seq in range(1, count + 1)]


def measure() -> Iterator[Measured]:
    """Each wire, each codec."""
    entry = entries(1)[0]
    for wire in WIRES:
        took = microseconds(partial(wire.encode, entry, _EPOCH))
        yield Measured(f"encode an event, {wire.name}", took, "µs")
    said = Send("key1", "main", stamped().decode())
    for name, codec in CODECS.items():
        frame = codec.encode(said)
        # aiohttp hands text frames over as str.
        took = microseconds(partial(codec.decode_client, frame if codec.binary else frame.decode()))
        yield Measured(f"decode a send, {name}", took, "µs")
