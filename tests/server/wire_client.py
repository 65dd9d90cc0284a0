"""A client without a library, for tests where the bytes matter: HTTP and RFC 6455 by hand."""

import asyncio
import socket
import ssl
from types import TracebackType
from typing import NamedTuple, Self

from pushtui.protocol.frames import Opcode

PATIENCE = 10.0
_MASK = b"\x11\x22\x33\x44"
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the one of RFC 6455, section 1.3


class RawFrame(NamedTuple):
    """One frame as it came."""

    opcode: int
    payload: bytes

    @property
    def close_code(self) -> int:
        return int.from_bytes(self.payload[:2])


def masked(opcode: int, payload: bytes, *, first: int = 0x80) -> bytes:
    """A client's frame; ``first`` are the bits beside the opcode."""
    length = len(payload)
    if length < 126:
        head = bytes((first | opcode, 0x80 | length))
    elif length < 1 << 16:
        head = bytes((first | opcode, 0x80 | 126)) + length.to_bytes(2)
    else:
        head = bytes((first | opcode, 0x80 | 127)) + length.to_bytes(8)
    mask = (_MASK * (length // 4 + 1))[:length]
    body = (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(length) if length else b""
    return head + _MASK + body


class WireClient:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(
        cls, port: int, *, receive_buffer: int | None = None, tls: ssl.SSLContext | None = None
    ) -> Self:
        """Connect; a small receive buffer makes a client that does not read felt soon."""
        peer = socket.socket()
        peer.setblocking(False)
        if receive_buffer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", port))
        name = "127.0.0.1" if tls else None
        return cls(*await asyncio.open_connection(sock=peer, limit=2**16, ssl=tls, server_hostname=name))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()

    def drop(self) -> None:
        """Cut the connection without a word."""
        self.writer.transport.abort()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def request(self, path: str, *headers: str, method: str = "GET", version: str = "HTTP/1.1") -> str:
        """Send a request without a body; returns the head of the answer."""
        lines = [f"{method} {path} {version}", "Host: localhost", *headers, "", ""]
        self.send("\r\n".join(lines).encode())
        return await self.head()

    async def head(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode()

    async def upgrade(self, *headers: str) -> str:
        """Become a WebSocket; returns the head of the answer."""
        return await self.request(
            "/chat",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {_KEY}",
            *headers,
        )

    def say(self, text: str) -> None:
        self.send(masked(Opcode.TEXT, text.encode()))

    async def frame(self) -> RawFrame:
        async with asyncio.timeout(PATIENCE):
            first, second = await self.reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                length = int.from_bytes(await self.reader.readexactly(2))
            elif length == 127:
                length = int.from_bytes(await self.reader.readexactly(8))
            assert first & 0x70 == 0, "no extension was agreed on"
            assert second & 0x80 == 0, "a server does not mask"
            return RawFrame(first & 0x0F, await self.reader.readexactly(length))

    async def frame_of(self, opcode: int) -> RawFrame:
        """The next frame of that opcode; others are passed over."""
        while (frame := await self.frame()).opcode != opcode:
            pass
        return frame

    async def ended(self) -> bytes:
        """Read to the end of the connection, however it ends."""
        data = b""
        try:
            async with asyncio.timeout(PATIENCE):
                while part := await self.reader.read(2**16):
                    data += part
        except ConnectionError:
            pass
        return data
