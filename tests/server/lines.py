"""Ways for a link to go bad, by real means: the other end stops, a wire is cut, or carries nothing."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

import pytest

from tests.server import far_client

PATIENCE = 20.0
#: RFC 2544: addresses for tests of network devices, which nobody has.
_SERVER, _CLIENT = "198.18.77.1", "198.18.77.2"
#: Packets for this link-layer address reach nobody (locally administered, so it is no real device's).
_NOBODY = "02:00:00:00:00:99"


class Far:
    """The clients in a process of their own.

    Attributes:
        heard: everything that they have told.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[dict[str, Any]] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, url: str, *within: str, patient: bool = False) -> "AsyncIterator[Far]":
        """Both clients, live; see `far_client`. ``within`` is a command that runs them somewhere else."""
        process = await asyncio.create_subprocess_exec(
            *within,
            *(sys.executable, "-m", far_client.__name__, url, *(["patient"] if patient else [])),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        )
        far = cls(process)
        try:
            for flow in ("chat", "status"):
                await far.hears(flow, "link", state="live")
            yield far
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
            process._transport.close()  # type: ignore[attr-defined]

    async def hears(self, flow: str, what: str, **fields: object) -> dict[str, Any]:
        """Wait until this was told, once more than was waited for before."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for told in self.heard:
                    if not told.get("waited for") and _is(told, flow, what, fields):
                        told["waited for"] = True
                        return told
                await self._hear()

    async def has(self, flow: str, seqs: list[int]) -> None:
        """Wait until it has as many events, and see that they are these."""
        async with asyncio.timeout(PATIENCE):
            while len(self.seqs(flow)) < len(seqs):
                await self._hear()
        assert self.seqs(flow) == seqs

    def seqs(self, flow: str) -> list[int]:
        return [told["seq"] for told in self.heard if _is(told, flow, "event", {})]

    def links(self, flow: str) -> list[str]:
        """Every state of its link so far."""
        return [told["state"] for told in self.heard if _is(told, flow, "link", {})]

    def say(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode() + b"\n")

    async def _hear(self) -> None:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, "the clients ended"
        self.heard.append(json.loads(line))


def _is(told: dict[str, Any], flow: str, what: str, fields: dict[str, object]) -> bool:
    return (told["flow"], told["what"]) == (flow, what) and all(told[name] == fields[name] for name in fields)


class Line(Protocol):
    """What lies between a server and one client."""

    #: Whether the other end's system answers while nothing gets through (it does for a process that is stopped).
    system_answers: bool
    #: Where the server has to listen.
    host: str

    def client(self, port: int, *, patient: bool = False) -> contextlib.AbstractAsyncContextManager[Far]:
        """The clients, at the other end."""
        ...

    def freeze(self) -> None:
        """From now on nothing gets through, and nobody is told."""
        ...

    def thaw(self) -> None:
        """It works again."""
        ...


class Stopped:
    """The process of the client is stopped, as by Ctrl-Z, a debugger, or a computer that swaps."""

    system_answers = True
    host = "127.0.0.1"

    def __init__(self) -> None:
        self._far: Far | None = None

    @contextlib.asynccontextmanager
    async def client(self, port: int, *, patient: bool = False) -> AsyncIterator[Far]:
        async with Far.start(f"http://127.0.0.1:{port}", patient=patient) as far:
            self._far = far
            yield far

    def freeze(self) -> None:
        assert self._far is not None
        self._far.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._far is not None
        self._far.process.send_signal(signal.SIGCONT)


class Relay:
    """A relay in the middle that carries nothing for a while: a firewall that forgot, a tunnel that hangs."""

    system_answers = True
    host = "127.0.0.1"

    def __init__(self) -> None:
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def client(self, port: int, *, patient: bool = False) -> AsyncIterator[Far]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._carry(reader, writer, port))
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        try:
            async with Far.start(f"http://127.0.0.1:{_port(server)}", patient=patient) as far:
                yield far
        finally:
            server.close()
            for task in self._carrying:
                task.cancel()
            await asyncio.gather(*self._carrying, return_exceptions=True)
            await server.wait_closed()

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        """Both ends get a reset."""
        for writer in self._writers:
            peer = writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter, port: int) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", port)
        ends = {to_client, to_server}
        self._writers |= ends
        pumps = [
            asyncio.ensure_future(self._pump(client, to_server)),
            asyncio.ensure_future(self._pump(server, to_client)),
        ]
        try:
            await asyncio.wait(pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            for writer in ends:
                writer.close()
            self._writers -= ends

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
            await self._flows.wait()
            writer.close()


def _port(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


class Cable:
    """A network of two machines, made of namespaces, whose cable carries nothing for a while (root, Linux)."""

    system_answers = False
    host = _SERVER

    def __init__(self) -> None:
        self._name = f"pushtui-{os.getpid()}"
        self._near, self._end = f"pt{os.getpid()}a", f"pt{os.getpid()}b"

    @classmethod
    @contextlib.contextmanager
    def laid(cls) -> "Iterator[Cable]":
        """Make it; skips the test, and says why, where that is not possible."""
        if shutil.which("ip") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
            pytest.skip("a network of one's own needs root and the command ip")
        cable = cls()
        try:
            try:
                cable._lay()
            except subprocess.CalledProcessError as error:
                pytest.skip(f"no network of one's own can be made here: {error.stderr.strip()}")
            yield cable
        finally:
            subprocess.run(["ip", "netns", "del", cable._name], check=False, capture_output=True)
            subprocess.run(["ip", "link", "del", cable._near], check=False, capture_output=True)

    def client(self, port: int, *, patient: bool = False) -> contextlib.AbstractAsyncContextManager[Far]:
        return Far.start(f"http://{_SERVER}:{port}", "ip", "netns", "exec", self._name, patient=patient)

    def freeze(self) -> None:
        """What is sent goes to a machine that is not there."""
        self._both_ends("replace", "lladdr", _NOBODY, "nud", "permanent")

    def thaw(self) -> None:
        self._both_ends("del")

    def reset(self) -> None:
        """The client's system ends its connections by a reset.

        Raises:
            NotImplementedError: this system cannot.
        """
        ended = _ip("netns", "exec", self._name, "ss", "-K", "dst", _SERVER)
        if len(ended.splitlines()) < 2:
            raise NotImplementedError

    def _lay(self) -> None:
        _ip("netns", "add", self._name)
        _ip("link", "add", self._near, "type", "veth", "peer", "name", self._end, "netns", self._name)
        _ip("addr", "add", f"{_SERVER}/30", "dev", self._near)
        _ip("-n", self._name, "addr", "add", f"{_CLIENT}/30", "dev", self._end)
        _ip("link", "set", self._near, "up")
        _ip("-n", self._name, "link", "set", self._end, "up")

    def _both_ends(self, verb: str, *rest: str) -> None:
        _ip("neigh", verb, _CLIENT, *rest, "dev", self._near)
        _ip("-n", self._name, "neigh", verb, _SERVER, *rest, "dev", self._end)


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout
