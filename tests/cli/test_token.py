"""Tokens on the command line: made, listed, taken back; given, asked for, and never shown."""

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import signal
import stat
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import pytest

from pushtui.commands import credential
from pushtui.exits import CommandError, Exit
from pushtui.protocol.roles import Role
from server.access import tokens
from server.access.file import NAME, AccessFile
from tests.cli.conftest import SECONDS, Pushtui, PushtuiHere, clean_environment, command
from tests.client.peers import TOKEN, Request, http_peer

SHAPE = re.compile(r"ptk_([0-9a-f]{12})_([0-9a-f]{64})\n")
IN_CLEAR = TOKEN.header.removeprefix("Bearer ")


def make(data: Path, name: str, role: Role = Role.MEMBER, lasts: int | None = None) -> str:
    file = AccessFile.open(data)
    try:
        return str(tokens.create(file, name, role, now=time.time_ns() // 1_000_000, lasts=lasts))
    finally:
        file.close()


def kept(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


# Made, listed, taken back


def test_a_token_is_printed_alone_and_once(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    code, printed, said = pushtui_here("token", "create", "ana", "--expires", "30d", "--data", str(data))
    assert code == 0
    found = SHAPE.fullmatch(printed)
    assert found
    assert "shown this once" in said
    assert "PUSHTUI_TOKEN" in said
    assert "--token-file" in said
    assert f"pushtui token revoke {found[1]}" in said
    assert found[2] not in said
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for file in data.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert found[2].encode() not in file.read_bytes()


def test_the_list_tells_all_but_the_tokens(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    secrets = [
        make(tmp_path, "ana"),
        make(tmp_path, "ops-1", Role.AGENT, lasts=-1),
        make(tmp_path, "美咲", Role.ADMIN),
    ]
    assert pushtui_here("token", "revoke", "ana", *data)[0] == 0
    code, printed, _ = pushtui_here("token", "list", *data)
    assert code == 0
    head, *rows = printed.splitlines()
    assert head.split() == ["id", "role", "state", "created", "expires", "last", "used", "name"]
    starts = {head.index(word) for word in ("role", "state", "created", "expires", "last used", "name")}
    for row in rows:
        assert all(row[start - 2 : start] == "  " and row[start] != " " for start in starts)
    found = {row[head.index("name") :]: row.split() for row in rows}
    assert found["ana"][1:3] == ["member", "revoked"]
    assert found["ops-1"][1:3] == ["agent", "expired"]
    assert found["美咲"][1:3] == ["admin", "valid"]
    assert found["美咲"][-2] == "never"
    code, printed, _ = pushtui_here("token", "list", "--json", *data)
    records = [json.loads(line) for line in printed.splitlines()]
    assert {record["name"]: record["state"] for record in records} == {
        "ana": "revoked",
        "ops-1": "expired",
        "美咲": "valid",
    }
    for secret in secrets:
        assert secret.rpartition("_")[2] not in printed


def test_a_look_makes_nothing(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    data = tmp_path / "mistyped"
    assert pushtui_here("token", "list", "--data", str(data)) == (
        0,
        "",
        f"no token was ever made for the server of {data}\n",
    )
    code, _, said = pushtui_here("token", "revoke", "ana", "--data", str(data))
    assert (code, said) == (5, f"pushtui: no token was ever made for the server of {data}\n")
    assert not data.exists()


def test_what_cannot_be_a_name_or_looks_like_another_one_is_refused(
    pushtui_here: PushtuiHere, tmp_path: Path
) -> None:
    make(tmp_path, "ana")
    for name, code, words in (
        ("Ana", 5, "Ana looks like ana, who has a token already"),
        ("a na", 2, "nick"),
        ("", 2, "a nick cannot be empty"),
    ):
        ended, printed, said = pushtui_here("token", "create", name, "--data", str(tmp_path))
        assert (ended, printed) == (code, "")
        assert words in said
    code, printed, _ = pushtui_here("token", "create", "ana", "--data", str(tmp_path))
    assert code == 0
    assert SHAPE.fullmatch(printed)  # one can take the place of the other without a pause


def test_options_that_cannot_be(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    for arguments, words in (
        (("--expires", "soon"), "soon is no length of time"),
        (("--expires", "0d"), "0d is no length of time"),
        (("--role", "root"), "--role"),
    ):
        code, printed, said = pushtui_here("token", "create", "ana", *arguments, "--data", str(tmp_path / "data"))
        assert (code, printed) == (2, "")
        assert words in said
    assert not (tmp_path / "data").exists()


def test_tokens_are_taken_back_by_name_by_id_and_by_themselves(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    first, second, third = (make(tmp_path, name) for name in ("ana", "ana", "ben"))
    code, printed, _ = pushtui_here("token", "revoke", first.split("_")[1], *data)
    assert (code, printed) == (0, f"revoked {first.split('_')[1]} of ana, member\n")
    code, printed, _ = pushtui_here("token", "revoke", "ana", *data)
    assert (code, printed) == (0, f"revoked {second.split('_')[1]} of ana, member\n")
    for again in ("ana", second.split("_")[1]):
        code, printed, said = pushtui_here("token", "revoke", again, *data)
        assert (code, printed) == (5, "")
        assert f"{again} was revoked already" in said
    code, _, said = pushtui_here("token", "revoke", "bne", *data)
    assert (code, said) == (5, "pushtui: there is no token bne; did you mean ben?\n")
    code, printed, said = pushtui_here("token", "revoke", third, *data)
    assert (code, printed) == (0, f"revoked {third.split('_')[1]} of ben, member\n")
    assert len(pushtui_here("token", "list", *data)[1].splitlines()) == 4  # so that the server stays closed


def test_a_file_that_is_something_else(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("x" * 5000)
    for words in (("create", "ana"), ("list",), ("revoke", "ana")):
        code, printed, said = pushtui_here("token", *words, "--data", str(tmp_path))
        assert (code, printed) == (3, "")
        assert said.count("\n") == 1
        assert str(tmp_path / NAME) in said


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, True), (0o600, False)])
def test_a_file_that_others_may_read_is_told(
    environment: dict[str, str], tmp_path: Path, mode: int, warned: bool
) -> None:
    path = kept(tmp_path / "token", "", mode)
    with path.open("w") as file:
        ended = subprocess.run(
            command("token", "create", "ana", "--data", str(tmp_path / "data")),
            stdout=file,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
            timeout=SECONDS,
            check=True,
        )
    assert SHAPE.fullmatch(path.read_text())
    assert ("Others can read the file" in ended.stderr) is warned


# Given


def test_the_file_with_the_token(tmp_path: Path) -> None:
    for text in (IN_CLEAR, f"{IN_CLEAR}\n", f"{IN_CLEAR}\r\n"):
        assert credential.of_file(kept(tmp_path / "token", text)) == TOKEN


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (IN_CLEAR, 0o640, "is open to others (-rw-r-----); do: chmod 600 "),
        (IN_CLEAR, 0o604, "is open to others (-rw----r--); do: chmod 600 "),
        (IN_CLEAR, 0o620, "is open to others (-rw--w----); do: chmod 600 "),
        ("hunter2", 0o600, "this is no token"),
        (f"{IN_CLEAR}\n{IN_CLEAR}", 0o600, "this is no token"),
        ("", 0o600, "this is no token"),
    ],
)
def test_a_file_that_is_not_good_enough(tmp_path: Path, text: str, mode: int, words: str) -> None:
    path = kept(tmp_path / "token", text, mode)
    with pytest.raises(CommandError) as refused:
        credential.of_file(path)
    assert refused.value.code is Exit.WRONG_OPTIONS
    assert words in str(refused.value)
    assert str(path) in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_no_file_and_somebody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        credential.of_file(tmp_path / "none")
    with pytest.raises(CommandError, match="cannot be read: Is a directory"):
        credential.of_file(tmp_path)
    path = kept(tmp_path / "token", IN_CLEAR)
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(CommandError, match="belongs to somebody else"):
        credential.of_file(path)


@pytest.mark.parametrize("text", ["", "hunter2", "ptk_"])
@pytest.mark.parametrize("words", [("send", "hi"), ("tail",)])
def test_a_variable_that_holds_no_token_stops_everything(
    pushtui_here: PushtuiHere, silent_port: int, text: str, words: tuple[str, ...]
) -> None:
    code, printed, said = pushtui_here(*words, "--url", f"127.0.0.1:{silent_port}", PUSHTUI_TOKEN=text)
    assert (code, printed) == (2, "")
    assert "PUSHTUI_TOKEN: this is no token" in said
    assert "hunter2" not in said


def test_a_token_is_no_flag_and_no_part_of_an_address(pushtui_here: PushtuiHere) -> None:
    for arguments in (
        ("send", "hi", "--token", IN_CLEAR),
        ("tail", "--url", f"http://127.0.0.1/?token={IN_CLEAR}"),
    ):
        code, printed, said = pushtui_here(*arguments)
        assert (code, printed) == (2, "")
        assert IN_CLEAR not in said


# At a server


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
