"""Tokens in use: on a server that wants one, at a terminal, and nowhere in what is written."""

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import pytest

from pushtui.protocol.roles import Role
from tests.cli.conftest import SECONDS, Pushtui, PushtuiHere, clean_environment, command
from tests.cli.test_token import IN_CLEAR, kept, make
from tests.client.peers import TOKEN, Request, http_peer


class Closed(NamedTuple):
    """A server that wants tokens; it knew these when it started."""

    url: str
    data: Path
    tokens: dict[str, str]


@contextmanager
def closed_server(folder: Path) -> Iterator[Closed]:
    data = folder / "data"
    known = {name: make(data, name) for name in ("ana", "cyd", "dan")}
    known |= {name: make(data, name, Role.READER) for name in ("reads-chat", "reads-status")}
    with subprocess.Popen(
        command("serve", "--port", "0", "--data", str(data), "--interval", "0.2", "--log-level", "error"),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=clean_environment(folder),
    ) as process:
        try:
            found = re.search(r"http://\S+", cast(IO[str], process.stdout).readline())
            assert found
            yield Closed(found[0], data, known)
        finally:
            process.terminate()
            process.wait(SECONDS)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    with closed_server(tmp_path_factory.mktemp("closed")) as server:
        yield server


def test_who_has_a_token_is_who_it_says(
    pushtui_here: PushtuiHere, closed: Closed, room: str, tmp_path: Path
) -> None:
    to = ("--url", closed.url, "--room", room)
    code, _, said = pushtui_here("send", *to, "hi")
    assert code == 5
    assert "wants a token; it was not sent (give it by PUSHTUI_TOKEN or --token-file)" in said
    token = closed.tokens["ana"]
    assert pushtui_here("send", *to, "--nick", "ben", "by variable", PUSHTUI_TOKEN=token) == (0, "", "")
    file = kept(tmp_path / "token", token)
    assert pushtui_here("send", *to, "by file", "--token-file", str(file)) == (0, "", "")
    lines = tailed(closed, room, token, 2)
    assert [(line["by"], line["body"]["text"]) for line in lines] == [("ana", "by variable"), ("ana", "by file")]
    ((name, used),) = [
        (record["name"], record["used"])
        for record in map(
            json.loads, pushtui_here("token", "list", "--json", "--data", str(closed.data))[1].splitlines()
        )
        if record["id"] == token.split("_")[1]
    ]
    assert name == "ana"
    assert used is None or used > 0


def tailed(closed: Closed, room: str, token: str, events: int) -> list[dict[str, Any]]:
    """The first events that ``tail`` prints."""
    found = []
    with subprocess.Popen(
        command("tail", "--url", closed.url, "--room", room, "--json"),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=clean_environment(closed.data) | {"PUSHTUI_TOKEN": token},
    ) as process:
        for line in cast(IO[str], process.stdout):
            record = json.loads(line)
            if record["type"] == "event":
                found.append(record)
            if len(found) == events:
                break
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)
    return found


@pytest.mark.parametrize("flow", ["chat", "status"])
def test_who_reads_along_stops_when_the_token_is_taken_back(
    pushtui_here: PushtuiHere, closed: Closed, flow: str
) -> None:
    token = closed.tokens[f"reads-{flow}"]
    with subprocess.Popen(
        command("tail", flow, "--url", closed.url, "--wait", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=clean_environment(closed.data) | {"PUSHTUI_TOKEN": token},
    ) as process:
        output, errors = cast(IO[str], process.stdout), cast(IO[str], process.stderr)
        try:
            for line in output:
                if '"live"' in line:
                    break
            assert pushtui_here("token", "revoke", token, "--data", str(closed.data))[0] == 0
            assert process.wait(SECONDS) == 5
            assert "this token was revoked" in errors.read()
        finally:
            process.kill()


async def test_inspect_sends_a_token_only_if_it_is_told_to(environment: dict[str, str], tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def peer(request: Request) -> None:
        seen.append(request.headers.get("authorization"))
        await request.open_stream(b"data: hi\n\n")

    file = kept(tmp_path / "token", IN_CLEAR)
    async with http_peer(peer) as address:
        for arguments in ((), ("--token-file", str(file))):
            process = await asyncio.create_subprocess_exec(
                *command("inspect", f"{address}/x", "--once", *arguments),
                stdout=subprocess.PIPE,
                env=environment | {"PUSHTUI_TOKEN": IN_CLEAR, "PUSHTUI_TOKEN_FILE": str(file)},
            )
            async with asyncio.timeout(SECONDS):
                printed, _ = await process.communicate()
            assert b"hi" in printed
    assert seen == [None, TOKEN.header]


def test_a_token_that_travels_in_the_open_is_warned_of(pushtui: Pushtui, silent_port: int) -> None:
    for words in (("send", "hi"), ("tail",)):
        for host, warned in (("127.0.0.1", False), ("unknown.invalid", True)):
            ended = pushtui(*words, "--url", f"http://{host}:{silent_port}", PUSHTUI_TOKEN=IN_CLEAR)
            assert ended.returncode == 4
            assert (f"your token travels to {host}:{silent_port} unencrypted" in ended.stderr) is warned


# On a terminal


class Terminal:
    """A command on a pseudo-terminal.

    Attributes:
        painted: all that it wrote.
    """

    def __init__(self, *arguments: str, environment: dict[str, str]) -> None:
        self.painted = b""
        self._near, far = pty.openpty()
        fcntl.ioctl(self._near, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
        self.process = subprocess.Popen(
            command(*arguments),
            stdin=far,
            stdout=far,
            stderr=far,
            env=environment | {"TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(far)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._near)

    def until(self, text: str) -> None:
        while text.encode() not in self.painted:
            assert self._read(), f"it ended: {self.painted!r}"

    def type(self, text: str) -> None:
        os.write(self._near, text.encode())

    def end(self) -> int:
        while self._read():
            pass
        return self.process.wait(SECONDS)

    def _read(self) -> bool:
        """Take what it writes next; False when nothing will come any more."""
        ready, _, _ = select.select([self._near], [], [], SECONDS)
        assert ready, self.painted
        try:
            data = os.read(self._near, 65536)
        except OSError:  # how Linux tells that nobody has the other end any more
            return False
        self.painted += data
        return bool(data)


def test_send_asks_once_for_a_token_and_does_not_show_it(
    environment: dict[str, str], closed: Closed, room: str
) -> None:
    token = closed.tokens["cyd"]
    with Terminal("send", "hi", "--url", closed.url, "--room", room, environment=environment) as terminal:
        terminal.until("token for 127.0.0.1")
        terminal.type(f"{token}\n")
        assert terminal.end() == 0
        assert token.encode() not in terminal.painted
    with Terminal("send", "hi", "--url", closed.url, environment=environment) as terminal:
        terminal.until("token for")
        terminal.type(f"{IN_CLEAR}\n")
        assert terminal.end() == 5
        assert terminal.painted.count(b"token for") == 1
        assert b"does not know this token" in terminal.painted
    with Terminal("tail", "--url", closed.url, "--room", room, environment=environment) as terminal:
        terminal.until("token for")
        terminal.type(f"{token}\n")
        terminal.until("cyd: hi")
        terminal.type("\x03")
        assert terminal.end() == 130
        assert token.encode() not in terminal.painted


def test_nothing_that_is_written_holds_the_secret(
    environment: dict[str, str], pushtui: Pushtui, closed: Closed, room: str, tmp_path: Path
) -> None:
    token = closed.tokens["dan"]
    secret = token.rpartition("_")[2]
    file = kept(tmp_path / "token", token)
    written = []
    for arguments in (
        ("send", "hi", "--url", closed.url, "--room", "elsewhere"),
        ("send", "hi", "--url", f"{closed.url}/nowhere"),
        ("tail", "--url", f"{closed.url}/nowhere"),
        ("tail", "status", "--url", f"{closed.url}/nowhere"),
        ("inspect", f"{closed.url}/nowhere"),
        ("inspect", f"{closed.url.replace('http', 'ws')}/nowhere"),
        ("token", "list", "--data", str(closed.data)),
    ):
        token_file = () if arguments[0] == "token" else ("--token-file", str(file))
        ended = pushtui(*arguments, *token_file, "--log-level", "debug")
        written.append(ended.stdout + ended.stderr)
    assert "Authorization" in "".join(written)  # the libraries do log what they send
    with Terminal(
        "connect", closed.url, "--room", room, "--token-file", str(file), environment=environment
    ) as terminal:
        terminal.until("live")
        terminal.type("hello\r")
        terminal.until("✓")
        terminal.type("\x11")
        terminal.end()
        written.append(terminal.painted.decode(errors="replace"))
    file.unlink()
    files = [path for path in (*tmp_path.rglob("*"), *closed.data.rglob("*")) if path.is_file()]
    written += [path.read_bytes().decode(errors="replace") for path in files]
    assert any("hello" in text for text in written)
    for text in written:
        assert secret not in text
        assert secret[32:] not in text
