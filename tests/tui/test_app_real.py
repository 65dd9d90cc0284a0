"""The app with its real clients on a real server."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pushtui.client.address import Address
from tests.tui.stage import Stage
from tui.clients import real_clients


class Server:
    """``pushtui serve`` on a port that stays the same when it is started again."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._port = "0"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> Address:
        command = [sys.executable, "-m", "pushtui", "serve", "--port", self._port, "--data", str(self._data)]
        self._process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(20):
            said = (await self._process.stdout.readline()).decode()
        address = Address.parse(said.split()[-1])
        self._port = address.authority.rpartition(":")[2]
        return address

    async def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            async with asyncio.timeout(20):
                await self._process.communicate()
            self._process = None


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    running = Server(tmp_path / "data")
    yield running
    await running.stop()


async def test_what_is_said_is_stored_and_a_restart_of_the_server_is_survived(
    stage: type[Stage], server: Server
) -> None:
    address = await server.start()
    async with stage((140, 24), address=address, clients=real_clients(None)) as on:
        await on.until(lambda: on.text.count("◉ live") == 2)
        await on.write("hello from the screen")
        await on.until(lambda: any("hello from" in line and "✓" in line for line in on.text.split("\n")))
        await on.write("/topic incident 4711")
        await on.shows("main · incident 4711")
        await server.stop()
        await on.until(lambda: on.text.count("○ lost") == 2)
        await on.write("said while it was away")
        await server.start()
        await on.press("ctrl+r")
        await on.until(lambda: on.text.count("caught up") == 2)
        await on.until(lambda: any("said while" in line and "✓" in line for line in on.text.split("\n")))
        assert on.text.count("hello from the screen") == 1


async def test_a_nick_that_is_taken_is_asked_for_again(stage: type[Stage], server: Server) -> None:
    address = await server.start()
    async with stage((110, 30), address=address, clients=real_clients(None)) as first:
        await first.shows("◉ live")
        async with stage((110, 30), address=address, clients=real_clients(None)) as second:
            await second.shows("the nick ana is taken")
            await second.press("end", "2", "enter")
            await second.shows("◉ live")
        await first.shows("ana2")


async def test_no_server_is_told_with_what_to_do(stage: type[Stage], server: Server) -> None:
    address = await server.start()
    await server.stop()
    async with stage((110, 30), address=address, clients=real_clients(None)) as on:
        await on.shows(f"no server at {address.authority}")
        await server.start()
        await on.press("enter")
        await on.shows("◉ live")
