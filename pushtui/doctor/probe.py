"""A WebSocket client that does what none should: RFC 6455 by hand, with every bit of a frame free to choose."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from pushtui.doctor.endpoint import Bounds, Endpoint
from pushtui.doctor.head import Head, request
from pushtui.doctor.link import EndedError, Link
from pushtui.protocol.frames import Opcode

CONTINUATION = 0x0
VERSION = "13"
#: What a client says that wants a WebSocket, but for its key: section 4.1.
_UPGRADE: dict[str, str | None] = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": VERSION,
}
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEPT = 1 << 16
_PIECE = 1 << 14
_MOST_SAID = 100
#: Codes that a close frame may carry: section 7.4.1, with those that IANA registered later.
_REGISTERED = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}


class Frame(NamedTuple):
    """One frame as it came.

    Attributes:
        fin: the last one of its message.
        reserved: the three reserved bits, as a number.
        opcode: see `Opcode`.
        masked: whether it was masked.
        size: bytes of its payload.
        payload: the payload, or its beginning if it is very long.
    """

    fin: bool
    reserved: int
    opcode: int
    masked: bool
    size: int
    payload: bytes

    @property
    def close_code(self) -> int | None:
        """Of a close frame; None when it has none."""
        return int.from_bytes(self.payload[:2]) if len(self.payload) >= 2 else None


class Reaction(IntEnum):
    """What became of a connection."""

    CLOSED = 1
    """A close frame came."""
    DROPPED = 2
    """The connection ended without one."""
    GOES_ON = 3
    """The ping that was sent behind was answered."""
    SILENT = 4
    """Nothing of these within the time."""


class Answer(NamedTuple):
    """How an endpoint took what it was sent.

    Attributes:
        reaction: what became of the connection.
        code: of the close frame.
        said: the first ones of the text and binary frames, and of the pongs to other pings, that came before.
    """

    reaction: Reaction
    code: int | None
    said: tuple[Frame, ...]

    @property
    def in_words(self) -> str:
        """As it stands in a report."""
        match self.reaction:
            case Reaction.CLOSED:
                return f"closed with {self.code or 'no code'}"
            case Reaction.DROPPED:
                return "hung up without a close frame"
            case Reaction.GOES_ON:
                return "went on as if nothing was wrong"
            case Reaction.SILENT:
                return "neither closed nor went on"


@dataclass
class Manners:
    """What an endpoint did wrong by itself in any frame of any connection: sections 5 and 7.4.

    Attributes:
        frames: how many were seen.
        breaches: one sentence for each kind.
    """

    frames: int = 0
    breaches: dict[str, None] = field(default_factory=dict)

    def see(self, frame: Frame, *, provoked: bool) -> None:
        """Look at one frame.

        Args:
            frame: as it came.
            provoked: it may carry back what should not have been sent.
        """
        self.frames += 1
        if frame.masked:
            self._breach("a frame was masked")
        if frame.reserved:
            self._breach("a reserved bit was set, and no extension was agreed on")
        if frame.opcode not in (CONTINUATION, *Opcode):
            self._breach(f"a frame had the reserved opcode {frame.opcode:#x}")
        if frame.opcode >= Opcode.CLOSE and not frame.fin:
            self._breach("a control frame was in fragments")
        if provoked:
            return
        if frame.opcode >= Opcode.CLOSE and frame.size > 125:
            self._breach(f"a control frame had {frame.size} bytes")
        if frame.opcode == Opcode.CLOSE and not _may_be_sent(frame):
            self._breach(f"a close frame had the code {frame.close_code or 'of one byte'}")
        whole = frame.fin and frame.size == len(frame.payload)
        if frame.opcode == Opcode.TEXT and whole and not _is_utf8(frame.payload):
            self._breach("a text frame was not UTF-8")

    def _breach(self, sentence: str) -> None:
        self.breaches[sentence] = None


def _may_be_sent(close: Frame) -> bool:
    code = close.close_code
    return not close.size if code is None else code in _REGISTERED or 3000 <= code <= 4999


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def accept_of(key: str) -> str:
    """What ``Sec-WebSocket-Accept`` has to be: section 4.2.2."""
    return base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()


def new_key() -> str:
    """Sixteen random bytes: section 4.1."""
    return base64.b64encode(secrets.token_bytes(16)).decode()


async def shake(
    link: Link, endpoint: Endpoint, bounds: Bounds, fields: Mapping[str, str | None], *, key: str | None = None
) -> Head:
    """Ask for a WebSocket, and return the head of the answer, whatever it is.

    Args:
        link: a new connection.
        endpoint: where it leads to.
        bounds: how long to wait.
        fields: header fields of this handshake; None leaves one out.
        key: of the handshake, a new one by default.
    """
    link.send(request(endpoint, {**_UPGRADE, "Sec-WebSocket-Key": key or new_key(), **fields}))
    return await link.head(bounds.answer)


class Probe:
    """One WebSocket after its handshake."""

    def __init__(self, link: Link, bounds: Bounds, manners: Manners) -> None:
        self.link = link
        self._bounds = bounds
        self._manners = manners
        self._provoking = False

    def send(self, *frames: bytes) -> None:
        """Send frames in one go, so that an endpoint which hangs up at the first has read all of them."""
        self.link.send(b"".join(frames))

    async def frame(self) -> Frame:
        """The next frame.

        Raises:
            EndedError: there is none.
        """
        first, second = await self.link.exactly(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await self.link.exactly(2 if size == 126 else 8))
        masked = bool(second & 0x80)
        mask = await self.link.exactly(4) if masked else b""
        payload, left = b"", size
        while left:
            piece = await self.link.some(min(left, _PIECE))
            left -= len(piece)
            payload += piece[: _KEPT - len(payload)]
        frame = Frame(bool(first & 0x80), first >> 4 & 7, first & 0x0F, masked, size, _unmasked(payload, mask))
        self._manners.see(frame, provoked=self._provoking)
        return frame

    async def provoke(self, *frames: bytes) -> Answer:
        """Send frames and a ping behind them: so nobody has to wait to see that nothing happens."""
        self._provoking |= bool(frames)
        fence = secrets.token_bytes(8)
        self.send(*frames, frame(Opcode.PING, fence))
        return await self.answer(fence)

    async def outrage(self, *frames: bytes) -> Answer:
        """As `provoke`, with frames that should end the connection: some answer pings before they look."""
        first = await self.provoke(*frames)
        if first.reaction is not Reaction.GOES_ON:
            return first
        then = await self.answer(seconds=self._bounds.pause)
        said = first.said + then.said
        return first._replace(said=said) if then.reaction is Reaction.SILENT else then._replace(said=said)

    async def answer(
        self, fence: bytes | None = None, *, data: int | None = None, seconds: float | None = None
    ) -> Answer:
        """What comes until the connection closes, or something else does.

        Args:
            fence: the ping with this payload is answered.
            data: so many data frames came.
            seconds: are over; by default an answer's.
        """
        said: list[Frame] = []
        try:
            async with asyncio.timeout(self._bounds.answer if seconds is None else seconds):
                while True:
                    came = await self.frame()
                    if came.opcode == Opcode.CLOSE:
                        return Answer(Reaction.CLOSED, came.close_code, tuple(said))
                    if came.opcode == Opcode.PONG and came.payload == fence:
                        return Answer(Reaction.GOES_ON, None, tuple(said))
                    if came.opcode == Opcode.PING and self.link.has_room:
                        self.send(frame(Opcode.PONG, came.payload))
                    elif len(said) < _MOST_SAID:
                        said.append(came)
                    if data is not None and sum(one.opcode < Opcode.CLOSE for one in said) >= data:
                        return Answer(Reaction.GOES_ON, None, tuple(said))
        except EndedError:
            return Answer(Reaction.DROPPED, None, tuple(said))
        except TimeoutError:
            return Answer(Reaction.SILENT, None, tuple(said))


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """One frame of a client, right or wrong: section 5.2."""
    size = len(payload)
    first = fin << 7 | reserved << 4 | opcode
    bit = masked << 7
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 1 << 16:
        head = bytes((first, bit | 126)) + size.to_bytes(2)
    else:
        head = bytes((first, bit | 127)) + size.to_bytes(8)
    mask = secrets.token_bytes(4) if masked else b""
    return head + mask + _unmasked(payload, mask)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    if not mask or not payload:
        return payload
    size = len(payload)
    long = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(long)).to_bytes(size)


def close(code: int, reason: str = "") -> bytes:
    """A client's close frame."""
    return frame(Opcode.CLOSE, code.to_bytes(2) + reason.encode())
