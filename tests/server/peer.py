"""A chat client for tests: speaks plain dicts in either encoding, over the real `websockets` library."""

import asyncio
import json
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from pushtui.protocol.messages import JSON, MSGPACK

Frame = dict[str, Any]
#: Names of rooms, or each one's last position.
Rooms = tuple[str, ...] | dict[str, str | None]
PATIENCE = 10.0


class Peer:
    """One end of one WebSocket.

    Attributes:
        heard: every frame so far.
    """

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws
        self.heard: list[Frame] = []

    async def say(self, kind: str, **fields: object) -> None:
        await self.send_frame({"type": kind, **fields})

    async def send_frame(self, frame: object) -> None:
        if self.ws.subprotocol == MSGPACK:
            await self.ws.send(msgspec.msgpack.encode(frame))
        else:
            await self.ws.send(json.dumps(frame))

    async def hear(self) -> Frame:
        """The next frame."""
        async with asyncio.timeout(PATIENCE):
            data = await self.ws.recv()
        if isinstance(data, bytes):
            assert self.ws.subprotocol == MSGPACK
            frame: Frame = msgspec.msgpack.decode(data)
        else:
            assert self.ws.subprotocol in {JSON, None}
            frame = json.loads(data)
        self.heard.append(frame)
        return frame

    async def hear_of(self, type_: str, /, **fields: object) -> Frame:
        """The next frame of that type with those fields; what comes before it is passed over."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.hear()
                if frame["type"] == type_ and all(frame.get(name) == value for name, value in fields.items()):
                    return frame

    async def events(self, count: int) -> list[Frame]:
        """The next events, that many."""
        return [await self.hear_of("event") for _ in range(count)]

    async def texts(self, count: int) -> list[str]:
        """What the next messages say, that many."""
        return [(await self.hear_of("event", kind="message"))["body"]["text"] for _ in range(count)]

    async def hello(self, nick: str = "ana", rooms: Rooms = ("main",), **fields: object) -> Frame:
        """Come in; returns the welcome. Further ``fields`` go into the hello."""
        positions = rooms if isinstance(rooms, dict) else dict.fromkeys(rooms)
        named: Frame = {"nick": nick, "session": f"session of {nick}", "rooms": positions, **fields}
        await self.say("hello", **named)
        welcome = await self.hear()
        assert welcome["type"] == "welcome", welcome
        return welcome

    async def resumes(self) -> dict[str, Frame]:
        """The answers to ``rooms`` of the hello, by room."""
        rooms = [state["room"] for state in self.heard[0]["rooms"]]
        return {room: await self.hear_of("resume", room=room) for room in rooms}

    async def until_closed(self) -> tuple[list[Frame], int, str]:
        """Hear everything up to the end: the frames, the close code and its reason."""
        frames = []
        try:
            while True:
                frames.append(await self.hear())
        except ConnectionClosed as closed:
            farewell = closed.rcvd
        assert farewell is not None, f"the connection broke after {frames}"
        return frames, farewell.code, farewell.reason

    async def barrier(self) -> list[Frame]:
        """Everything that was on its way: asks for something that is answered in order."""
        await self.say("history", id="barrier", room="no-such-room", before=1, limit=1)
        before = len(self.heard)
        await self.hear_of("error", code="not_allowed")
        return self.heard[before:-1]
