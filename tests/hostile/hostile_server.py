"""A server on a raw socket that says whatever it is told to, to both clients on one port."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterable
from typing import Any, Self

import msgspec

from pushtui.protocol.frames import Opcode, frame
from pushtui.protocol.limits import LIMITS

EPOCH = "abcdefgh"
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class HostileServer:
    """Attributes say what it answers with; `chat` and `status` are what it sends.

    Attributes:
        topic: of the room.
        members: of the room: nick and away text.
        server: its own name.
        refusal: status line, headers and body for every request, instead of all else.
    """

    def __init__(self) -> None:
        self.topic = ""
        self.members: list[tuple[str, str]] = []
        self.server = "peer"
        self.refusal: bytes | None = None
        self.chats: list[asyncio.StreamWriter] = []
        self.streams: list[asyncio.StreamWriter] = []
        self.came = asyncio.Event()
        self._serial = 0
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    # What it says

    def frame(self, **fields: Any) -> None:
        """One frame to every chat; any field may be anything."""
        for writer in self.chats:
            _tell(writer, fields)

    def event(self, kind: str, body: dict[str, Any], *, by: str = "eve", room: str = "main") -> int:
        """One event in the room; returns its number."""
        self._serial += 1
        self.frame(type="event", room=room, seq=self._serial, at=self._serial, kind=kind, by=by, body=body)
        return self._serial

    def message(self, text: str) -> None:
        """Any text as a message, which need not be a frame of ours."""
        for writer in self.chats:
            writer.write(frame(Opcode.TEXT, text.encode()) + frame(Opcode.PING, text.encode()[:100]))

    def close(self, code: int, reason: bytes) -> None:
        """A close frame to every chat, and the end of its connection."""
        for writer in self.chats:
            writer.write(frame(Opcode.CLOSE, code.to_bytes(2) + reason))
            writer.close()

    def stream(self, event: str, data: Any, *, identity: str | None = None) -> None:
        """One event of the status stream."""
        lines = [f"event: {event}", f"data: {json.dumps(data)}"]
        if identity is not None:
            lines.append(f"id: {identity}")
        self.raw("\n".join(lines).encode() + b"\n\n")

    def raw(self, data: bytes) -> None:
        """Bytes into the status stream."""
        for writer in self.streams:
            writer.write(data)

    async def has(self, *, chats: int = 0, streams: int = 0) -> None:
        """Wait until so many are there."""
        async with asyncio.timeout(30):
            while len(self.chats) < chats or len(self.streams) < streams:
                self.came.clear()
                await self.came.wait()

    # How it is talked to

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            if self.refusal is not None:
                writer.write(self.refusal)
                await writer.drain()
            elif "sec-websocket-key" in headers:
                self._welcome(head, writer)
                await reader.read(-1)
            elif head.startswith("GET /status"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 1000\n\n")
                self.streams.append(writer)
                resume = {"outcome": "fresh", "epoch": EPOCH, "after": 0, "head": 0}
                writer.write(f"event: resume\ndata: {json.dumps(resume)}\nid: {EPOCH}.0\n\n".encode())
                self.came.set()
                await reader.read(-1)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _welcome(self, head: str, writer: asyncio.StreamWriter) -> None:
        key = next(
            line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n".encode()
            # Who names none, such as inspect, is to be given none.
            + (b"Sec-WebSocket-Protocol: pushtui.v1.json\r\n" if "pushtui.v1.json" in head else b"")
            + b"\r\n"
        )
        self.chats.append(writer)
        room = {
            "room": "main", "epoch": EPOCH, "head": 0, "floor": 1, "topic": self.topic,
            "members": [{"nick": nick, "state": "away", "text": text} for nick, text in self.members],
        }  # fmt: skip
        limits = msgspec.to_builtins(LIMITS)
        you = {"nick": "ana", "role": "member"}
        welcome = {"type": "welcome", "server": self.server, "version": "1", "you": you, "limits": limits}
        _tell(writer, welcome | {"rooms": [room]})
        _tell(
            writer, {"type": "resume", "room": "main", "outcome": "fresh", "epoch": EPOCH, "after": 0, "head": 0}
        )
        self.came.set()


def _tell(writer: asyncio.StreamWriter, fields: dict[str, Any]) -> None:
    writer.write(frame(Opcode.TEXT, json.dumps(fields).encode()))


def batches(texts: Iterable[tuple[str, str]], size: int) -> list[list[tuple[str, str]]]:
    """So many at a time."""
    every = list(texts)
    return [every[first : first + size] for first in range(0, len(every), size)]
