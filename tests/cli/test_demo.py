import asyncio
import fcntl
import os
import pty
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import CaughtUp, RoomEvent
from pushtui.demo.conversation import Away, Conversation, Notify, Say, recorded, varied
from pushtui.demo.people import People
from pushtui.protocol import names
from pushtui.protocol.limits import LIMITS
from tests.cli.conftest import SECONDS, Pushtui, command


def test_the_conversation_can_be_played() -> None:
    conversation = recorded()
    names.room(conversation.room)
    assert [names.nick(nick) for nick in conversation.people] == conversation.people
    labels: set[str] = set()
    for step in (*conversation.told, *conversation.told_live, *conversation.afterwards):
        if not isinstance(step, Notify):
            assert step.by in conversation.people
        if isinstance(step, Say):
            assert step.reply_to is None or step.reply_to in labels
            labels |= {step.label} if step.label else set()
        if not isinstance(step, Away):
            assert len(step.text.encode()) <= LIMITS.text_bytes


def test_the_conversation_shows_what_there_is() -> None:
    conversation = recorded()
    steps = (*conversation.told, *conversation.told_live)
    assert {type(step).__name__ for step in steps} == {"Say", "Me", "Topic", "Mark", "Away", "Notify"}
    assert {step.level for step in steps if isinstance(step, Notify)} == {"info", "success", "warning", "critical"}
    texts = "".join(step.text for step in steps if isinstance(step, Say))
    for sort in ("https://", "\n", "[\u4e00-\u9fff]", "[\U0001f300-\U0001faff]"):
        assert re.search(sort, texts)


def test_variations_have_no_gaps_left() -> None:
    chance = random.Random(1)
    for step in recorded().afterwards:
        assert "{" not in getattr(varied(step, chance), "text", "")


async def test_the_people_tell_in_order_and_go_on_for_ever(server_url: str, room: str) -> None:
    script = recorded()
    conversation = Conversation(room, script.people, script.told, script.told_live, script.afterwards)
    address = Address.parse(server_url)
    spoken = [step.text for step in (*script.told, *script.told_live) if isinstance(step, Say)]

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    people = People(address, conversation, sleep=at_once, chance=random.Random(1))
    heard: list[str] = []
    repliers: list[str] = []
    async with people, asyncio.timeout(SECONDS):
        await people.tell()
        going_on = asyncio.create_task(people.go_on())
        async with ChatClient(address, nick="reader", rooms=(room,)) as client:
            async for happening in client:
                if isinstance(happening, CaughtUp):
                    assert happening.replayed >= sum(not isinstance(step, Notify) for step in script.told)
                if isinstance(happening, RoomEvent) and happening.kind == "message":
                    text = getattr(happening.body, "text", "")
                    heard += [] if text.startswith("/me ") else [text]
                    repliers += [happening.by] if getattr(happening.body, "reply_to", None) else []
                if len(heard) > len(spoken) + 10:
                    break
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)
    assert heard[: len(spoken)] == spoken
    assert repliers == ["cyd", "ana"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the demo's folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does and cannot tell of."""
    never, left = threading.Event(), SECONDS * 100
    while not condition():
        assert left, "it never came to be"
        never.wait(0.01)
        left -= 1


def answers(address: str) -> bool:
    host, port = Address.parse(address).authority.split(":")
    try:
        socket.create_connection((host, int(port))).close()
    except ConnectionRefusedError:
        return False
    return True


@contextmanager
def stage(environment: dict[str, str], folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    with subprocess.Popen(
        (sys.executable, "-m", "pushtui.demo.stage"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment | {"TMPDIR": str(folder)},
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(SECONDS)


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM"])
def test_the_stage_stops_the_server_and_removes_its_folder(
    environment: dict[str, str], folder: Path, ending: str
) -> None:
    # what is set for a user's own server must not reach the demo's
    with stage(environment | {"PUSHTUI_SERVE_PORT": "1", "PUSHTUI_SERVE_MEMORY": "x"}, folder) as (process, url):
        assert answers(url)
        assert len(list(folder.iterdir())) == 1
        if ending == "SIGTERM":
            process.terminate()
        else:
            assert process.stdin is not None
            process.stdin.close()
        assert process.wait(SECONDS) == 0
        assert not answers(url)
        assert not list(folder.iterdir())


def test_a_server_that_cannot_start(pushtui: Pushtui, folder: Path) -> None:
    broken = folder / "server"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise RuntimeError('out of order')")
    variables = {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(folder), "TMPDIR": str(folder)}
    ended = pushtui("demo", "--seconds", "5", **variables)
    assert ended.returncode == 3
    assert ended.stderr == "pushtui: the demo cannot start: the server did not start (exit code 1)\n"
    assert list(folder.iterdir()) == [broken]


def test_printed_for_some_seconds(pushtui: Pushtui, folder: Path) -> None:
    ended = pushtui("demo", "--seconds", "0.7", TMPDIR=str(folder))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "incident 4711" in ended.stdout
    assert "p99 is above 800 ms" in ended.stdout
    assert not list(folder.iterdir())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_nothing_is_left_however_it_ends(
    environment: dict[str, str], folder: Path, number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        command("demo", "--seconds", "600"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment | {"TMPDIR": str(folder)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(SECONDS) == code
        assert process.stderr.read() == b""
    wait_until(lambda: not list(folder.iterdir()))  # the stage does it after the process in front has gone


class Terminal:
    """A terminal with the demo in it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.near, self.far = pty.openpty()
        fcntl.ioctl(self.far, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        self.modes = termios.tcgetattr(self.far)
        self.process = subprocess.Popen(
            command("demo"),
            stdin=self.far,
            stdout=self.far,
            stderr=self.far,
            env=environment,
            start_new_session=True,
        )
        self.output = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                self.output += os.read(self.near, 65536)
            except OSError:  # the far end is closed
                return

    def wait_for(self, shown: bytes) -> None:
        try:
            wait_until(lambda: shown in self.output)
        except AssertionError:
            raise AssertionError(f"{shown!r} never came; the end: {self.output[-2000:]!r}") from None

    def press(self, keys: bytes) -> None:
        os.write(self.near, keys)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS)
        os.close(self.far)
        self._reader.join(SECONDS)
        os.close(self.near)


@pytest.fixture
def terminal(environment: dict[str, str], folder: Path) -> Iterator[Terminal]:
    shown = Terminal(environment | {"TMPDIR": str(folder), "TERM": "xterm-256color"})
    yield shown
    shown.close()


@pytest.mark.parametrize(("way", "code"), [("key", 0), ("SIGTERM", 130), ("SIGHUP", 130)])
def test_the_screen_is_left_clean(
    environment: dict[str, str], terminal: Terminal, folder: Path, way: str, code: int
) -> None:
    terminal.wait_for(b"incident 4711")
    if way == "key":
        terminal.press(b"\x11")  # Ctrl-Q
    else:
        terminal.process.send_signal(cast(signal.Signals, getattr(signal, way)))
    assert terminal.process.wait(SECONDS) == code
    assert not list(folder.iterdir())
    assert not Path(environment["HOME"]).exists(), "neither settings nor an outbox"
    assert termios.tcgetattr(terminal.far) == terminal.modes
    terminal.wait_for(b"\x1b[?1049l")  # back from the alternate screen
    assert b"Traceback" not in terminal.output
