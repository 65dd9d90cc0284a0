"""A server in a process of its own, started by the command, and its clients."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import httpx
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from pushtui.protocol.messages import JSON
from tests.server.event_stream import EventStream
from tests.server.peer import Peer
from tests.server.wire_client import WireClient

#: A server without a drain ends within so many seconds, whatever its clients do.
LIMIT = 3.0


def serve(data: Path, *options: str) -> tuple[str, ...]:
    """The command that serves with its log in that folder."""
    fixed = ("--port", "0", "--data", str(data), "--log-level", "warning", "--send-rate", "0")
    return (sys.executable, "-m", "pushtui", "serve", *fixed, *(options or ("--interval", "60")))


class Serving:
    """A server in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port
        self.clients = contextlib.AsyncExitStack()

    @classmethod
    async def start(cls, data: Path, *options: str) -> Self:
        process = await asyncio.create_subprocess_exec(
            *serve(data, *options),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if not name.startswith("PUSHTUI_")},
        )
        assert process.stdout is not None
        async with asyncio.timeout(20):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("pushtui listens on http://127.0.0.1:"), await process.communicate()
        return cls(process, int(line.rsplit(":", 1)[1]))

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, data: Path, *options: str) -> AsyncIterator[Self]:
        """As `start`; at the end it is no more, however that came."""
        serving = await cls.start(data, *options)
        try:
            yield serving
        finally:
            await serving.close()

    async def chat(self, nick: str) -> Peer:
        ws = await self.clients.enter_async_context(
            connect(
                f"ws://127.0.0.1:{self.port}/chat",
                subprotocols=[Subprotocol(JSON)],
                compression=None,
                proxy=None,
            )
        )
        peer = Peer(ws)
        await peer.hello(nick)
        await peer.resumes()
        return peer

    async def http(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, verify=False)
        return await self.clients.enter_async_context(client)

    async def read_along(self, path: str) -> EventStream:
        client = await self.http()
        stream = EventStream(await self.clients.enter_async_context(client.stream("GET", path, timeout=None)))
        await stream.opening()
        return stream

    async def wire(self, receive_buffer: int | None = None) -> WireClient:
        return await self.clients.enter_async_context(
            await WireClient.connect(self.port, receive_buffer=receive_buffer)
        )

    async def ends_after(self, number: int) -> None:
        """Send the signal; see `ends`."""
        self.process.send_signal(number)
        await self.ends()

    async def ends(self) -> None:
        """The process has to end by itself, in time, without a complaint."""
        async with asyncio.timeout(LIMIT):
            _, errors = await self.process.communicate()
        assert (self.process.returncode, errors.decode()) == (0, "")

    async def close(self) -> None:
        await self.clients.aclose()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()
        self.process._transport.close()  # type: ignore[attr-defined]
