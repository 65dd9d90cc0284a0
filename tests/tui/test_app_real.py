"""The app with its real clients on a real server."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest

from pushtui.client.address import Address
from pushtui.client.happenings import LinkState
from tests.tui.stage import Stage
from tui.clients import Chat, real_clients


class Server:
    """``pushtui serve`` on a port that stays the same when it is started again."""

    def __init__(self, data: Path, *options: str) -> None:
        self._data = data
        self._options = options
        self._port = "0"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> Address:
        command = [sys.executable, "-m", "pushtui", "serve", "--port", self._port, "--data", str(self._data)]
        command += self._options
        self._process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(20):
            said = (await self._process.stdout.readline()).decode()
        address = Address.parse(said.split()[-1])
        self._port = address.authority.rpartition(":")[2]
        return address

    def freeze(self) -> None:
        """Answer nothing any more: links stay up, and nothing comes through."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            async with asyncio.timeout(20):
                await self._process.communicate()
            self._process = None


class Window:
    """``pushtui connect`` in a terminal, which is killed in the end."""

    def __init__(self, address: Address, home: Path) -> None:
        self.outbox = home / "state" / "pushtui" / "outbox"
        self._command = [sys.executable, "-m", "pushtui", "connect", address.http, "--nick", "ana"]
        self._environment = os.environ | {
            "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "TERM": "xterm-256color",
        }  # fmt: skip
        self._painted = b""
        self.code: int | None = None

    async def __aenter__(self) -> Self:
        self._near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 140, 0, 0))
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=far, stdout=far, stderr=far, env=self._environment, start_new_session=True
        )
        os.close(far)
        asyncio.get_running_loop().add_reader(self._near, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.kill()
        self.code = await self._process.wait()
        asyncio.get_running_loop().remove_reader(self._near)
        os.close(self._near)

    def type(self, keys: str) -> None:
        os.write(self._near, keys.encode())

    async def shows(self, text: str) -> None:
        await until(lambda: text.encode() in self._painted)

    async def keeps(self, text: str) -> None:
        """Something said is in the outbox."""
        await until(lambda: any(text in file.read_text() for file in self.outbox.glob("*.jsonl")))

    def _read(self) -> None:
        with suppress(OSError):  # the other end is closed
            self._painted += os.read(self._near, 1 << 16)


async def until(condition: Callable[[], bool]) -> None:
    """Let others work until the condition holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.to_thread(select.select, [], [], [], 0.01)


def sign(on: Stage, text: str) -> str:
    """What became of an own message of one row; empty while there is none."""
    line = next((line for line in on.lines if text in line and "│" not in line), "")
    found = re.search(r" ([…↑✓!])\W*(?:┃|$)", line)
    return found[1] if found else ""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    running = Server(tmp_path / "data")
    yield running
    running.thaw()
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


async def test_a_link_that_dies_without_a_word_freezes_nothing(stage: type[Stage], server: Server) -> None:
    address = await server.start()
    async with stage((140, 24), address=address, clients=real_clients(None)) as on:
        await on.until(lambda: on.text.count("◉ live") == 2)
        server.freeze()
        await on.press(*"first words")
        await on.shows("│ first words ")
        await on.press("enter")
        await on.until(lambda: sign(on, "first words") == "↑")
        await on.write("second words")
        await on.until(lambda: sign(on, "second words") == "…")
        await on.press("f6", "f6", "f11")
        await on.hides("server-sent events")
        await on.press("pageup", "f1", "escape", "f5")
        await on.shows("T take back")
        await on.press("t")
        await on.until(lambda: on.composer.text == "second words")
        server.thaw()
        await on.until(lambda: sign(on, "first words") == "✓")


async def test_a_screen_is_left_whose_link_has_died_without_a_word(stage: type[Stage], server: Server) -> None:
    address = await server.start()
    async with stage((140, 24), address=address, clients=real_clients(None)) as on:
        await on.until(lambda: on.text.count("◉ live") == 2)
        server.freeze()
        await on.press("ctrl+q")
    assert on.app.return_value == 0


async def test_what_is_not_stored_outlives_a_screen_that_is_left(
    stage: type[Stage], server: Server, tmp_path: Path
) -> None:
    address = await server.start()
    clients = real_clients(None, tmp_path / "outbox")
    made: list[Chat] = []

    def chat(*arguments: Any) -> Chat:
        made.append(clients.chat(*arguments))
        return made[-1]

    async with stage((140, 24), address=address, clients=clients._replace(chat=chat)) as on:
        await on.until(lambda: on.text.count("◉ live") == 2)
        server.freeze()
        await on.write("said into the void")
        await on.until(lambda: sign(on, "said into the void") == "↑")
        await on.write("said after it")
        await on.press("ctrl+q")
    # The process would end here, and with it the client.
    await until(lambda: made[0].link.state is LinkState.CLOSED)
    server.thaw()
    async with stage((140, 24), address=address, clients=clients) as on:
        await on.until(lambda: sign(on, "said into the void") == sign(on, "said after it") == "✓")
        assert on.text.count("said into the void") == 1
        assert on.text.index("said into the void") < on.text.index("said after it")


async def test_what_is_not_stored_outlives_a_screen_that_is_killed(
    stage: type[Stage], server: Server, tmp_path: Path
) -> None:
    address = await server.start()
    async with Window(address, tmp_path) as window:
        await window.shows("live")
        server.freeze()
        window.type("said before the end\r")
        await window.keeps("said before the end")
    assert window.code == -signal.SIGKILL
    server.thaw()
    clients = real_clients(None, window.outbox)
    async with stage((140, 24), address=address, clients=clients) as on:
        await on.until(lambda: sign(on, "said before the end") == "✓")
        assert on.text.count("said before the end") == 1


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
