"""WebSocket servers that are right. They say back what they hear."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from pushtui.doctor.probe import accept_of
from pushtui.protocol.frames import Opcode, frame

CONTINUATION = 0
SUBPROTOCOL = "echo.v1"


class Incoming(NamedTuple):
    fin: bool
    reserved: int
    opcode: int
    masked: bool
    payload: bytes


class ClosedError(Exception):
    """The connection is to be closed with this code."""

    def __init__(self, code: int) -> None:
        self.code = code


class RightServer:
    """RFC 6455, as short as it goes. Each method is one thing that can be done wrong."""

    message_bytes = 1 << 16

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.opcode = 0
        self.pieces: list[bytes] = []

    async def run(self) -> None:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        _, *lines = head.split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        refusal = self.refusal(fields)
        if refusal is not None:
            self.answer(*refusal)
            return
        self.answer("101 Switching Protocols", *self.welcome(fields))
        try:
            while True:
                self.take(await self.frame())
        except ClosedError as closed:
            self.close(closed.code)
            await self.end()

    def answer(self, status: str, *fields: str) -> None:
        self.writer.write("\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode())

    def refusal(self, fields: dict[str, str]) -> tuple[str, ...] | None:
        if fields.get("sec-websocket-version") != "13":
            return self.wrong_version(fields)
        if len(fields.get("sec-websocket-key", "")) != 24:
            return ("400 Bad Request",)
        if fields.get("origin") is not None:
            return ("403 Forbidden",)
        return None

    def wrong_version(self, fields: dict[str, str]) -> tuple[str, ...] | None:
        return ("426 Upgrade Required", "Sec-WebSocket-Version: 13")

    def welcome(self, fields: dict[str, str]) -> list[str]:
        lines = [
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {self.accept(fields.get('sec-websocket-key', ''))}",
        ]
        chosen = self.subprotocol([name.strip() for name in fields.get("sec-websocket-protocol", "").split(",")])
        if chosen:
            lines.append(f"Sec-WebSocket-Protocol: {chosen}")
        if extension := self.extension(fields.get("sec-websocket-extensions", "")):
            lines.append(f"Sec-WebSocket-Extensions: {extension}")
        return lines

    def accept(self, key: str) -> str:
        return accept_of(key)

    def subprotocol(self, offered: list[str]) -> str:
        return SUBPROTOCOL if SUBPROTOCOL in offered else ""

    def extension(self, offered: str) -> str:
        return ""

    async def frame(self) -> Incoming:
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
        head = Incoming(bool(first & 0x80), first >> 4 & 7, first & 0x0F, bool(second & 0x80), b"")
        self.check(head, size)
        self.check_size(size + sum(map(len, self.pieces)))
        mask = await self.reader.readexactly(4) if head.masked else bytes(4)
        payload = await self.reader.readexactly(size)
        return head._replace(payload=bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)))

    def check(self, head: Incoming, size: int) -> None:
        self.check_mask(head)
        self.check_reserved(head)
        self.check_opcode(head)
        if head.opcode >= Opcode.CLOSE:
            self.check_control(head, size)
        else:
            self.check_order(head)

    def check_mask(self, head: Incoming) -> None:
        if not head.masked:
            raise ClosedError(1002)

    def check_reserved(self, head: Incoming) -> None:
        if head.reserved:
            raise ClosedError(1002)

    def check_opcode(self, head: Incoming) -> None:
        if head.opcode not in (CONTINUATION, *Opcode):
            raise ClosedError(1002)

    def check_control(self, head: Incoming, size: int) -> None:
        if size > 125 or not head.fin:
            raise ClosedError(1002)

    def check_order(self, head: Incoming) -> None:
        if (head.opcode == CONTINUATION) != bool(self.opcode):
            raise ClosedError(1002)

    def check_size(self, size: int) -> None:
        if size > self.message_bytes:
            raise ClosedError(1009)

    def take(self, came: Incoming) -> None:
        match came.opcode:
            case Opcode.PING:
                self.ping(came.payload)
            case Opcode.CLOSE:
                self.closing(came.payload)
            case Opcode.TEXT | Opcode.BINARY | 0:
                self.fragment(came)

    def ping(self, payload: bytes) -> None:
        self.send(Opcode.PONG, payload)

    def closing(self, payload: bytes) -> None:
        code = int.from_bytes(payload[:2]) if len(payload) != 1 else 0
        if payload and not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
            raise ClosedError(1002)
        raise ClosedError(code)

    def fragment(self, came: Incoming) -> None:
        self.opcode = came.opcode or self.opcode
        self.pieces.append(came.payload)
        if came.fin:
            whole, opcode = self.whole(), self.opcode
            self.pieces, self.opcode = [], 0
            if opcode == Opcode.TEXT:
                self.check_text(whole)
            self.send(Opcode(opcode), whole)

    def whole(self) -> bytes:
        return b"".join(self.pieces)

    def check_text(self, text: bytes) -> None:
        try:
            text.decode()
        except UnicodeDecodeError:
            raise ClosedError(1007) from None

    def send(self, opcode: Opcode, payload: bytes) -> None:
        self.writer.write(frame(opcode, payload))

    def close(self, code: int) -> None:
        self.send(Opcode.CLOSE, code.to_bytes(2) if code else b"")

    async def end(self) -> None:
        """Say that nothing more comes, but let the client read before the connection is cut."""
        self.writer.write_eof()
        while await self.reader.read(1 << 16):
            pass


@asynccontextmanager
async def serving(kind: type[RightServer]) -> AsyncIterator[str]:
    """One of these servers, at a URL."""
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await kind(reader, writer).run()
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        finally:
            writer.close()
            running.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for task in tuple(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class Talkative(RightServer):
    """Right as well: it has something to say before it is asked."""

    def answer(self, status: str, *fields: str) -> None:
        super().answer(status, *fields)
        if status.startswith("101"):
            for number in range(3):
                self.send(Opcode.TEXT, b"news %d" % number)


class WantsNoTexts(RightServer):
    """Right as well: it speaks and does not listen."""

    def check_order(self, head: Incoming) -> None:
        raise ClosedError(1008)


class ReadsNoMore(RightServer):
    """At least not what is long."""

    def check_size(self, size: int) -> None:
        if size > self.message_bytes:
            self.writer.transport.pause_reading()  # type: ignore[attr-defined]
