import asyncio
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pushtui.duel.contender import DuelError
from pushtui.duel.stage import own_server
from tests.cli.conftest import SECONDS, Pushtui, PushtuiHere, command
from tests.cli.test_demo import answers, wait_until

SHORT = ("--messages", "12", "--rate", "200", "--no-cut")


def test_a_table_without_a_terminal(pushtui: Pushtui, tmp_path: Path) -> None:
    """On a server of its own, whatever is configured for others."""
    ended = pushtui(
        "duel", *SHORT, "--bytes", "100", PUSHTUI_URL="http://127.0.0.1:1", PUSHTUI_TOKEN="no token at all"
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.split("\n")
    assert re.fullmatch(r"12 messages of 100 bytes, 200 a second · 127\.0\.0\.1:\d+ · duel-[0-9a-f]{8}", lines[0])
    assert lines[2].split() == ["⇄", "WebSocket", "←", "SSE", "↻", "long", "polling"]
    assert re.search(r"^messages heard +12 +12 +12$", ended.stdout, re.MULTILINE)
    assert re.search(r"^lost / doubled +0 / 0 +0 / 0 +0 / 0$", ended.stdout, re.MULTILINE)
    assert re.search(r"^answered over +same link +another one +another one$", ended.stdout, re.MULTILINE)
    assert "⇄ WebSocket: Cheapest, " in ended.stdout
    assert not list(tmp_path.glob("home/.local/share/pushtui/*")), "it leaves nothing behind"


def test_as_json_on_a_server_that_is_there(pushtui: Pushtui, server_url: str) -> None:
    ended = pushtui("duel", server_url, *SHORT, "--json", text="")
    assert (ended.returncode, ended.stderr) == (0, "")
    record = json.loads(ended.stdout)
    assert (record["phase"], record["said"], record["messages"]) == ("over", 12, 12)
    assert [lane["transport"] for lane in record["lanes"]] == ["websocket", "sse", "polling"]
    for lane in record["lanes"]:
        assert (lane["heard"], lane["lost"], lane["doubled"], lane["recovery"]) == (12, 0, 0, None)
        assert lane["carried"]["connections"] == 1
        assert lane["latency"]["p50_ms"] <= lane["latency"]["p99_ms"] <= lane["latency"]["max_ms"]
        assert "latencies_ms" not in lane
    page = httpx.get(f"{server_url}/rooms/{record['room']}?wait=0", trust_env=False).json()
    assert len(page["events"]) == 12 + 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--bytes", "10"), 2, "Must be >= 64."),
        (("--messages", "1"), 2, "Must be >= 10."),
        (("--rate", "0"), 2, "Must be >= 0.1."),
        (("ftp://x",), 2, "'ftp://x' is not an address"),
        (("--token-file", "/nowhere", "127.0.0.1:1"), 2, "the token file /nowhere cannot be read"),
    ],
)
def test_a_wrong_option(pushtui_here: PushtuiHere, arguments: tuple[str, ...], code: int, words: str) -> None:
    ended, printed, said = pushtui_here("duel", *arguments)
    assert (ended, printed) == (code, "")
    assert words in said
    assert said.count("\n") == 1


def test_no_server(pushtui: Pushtui, silent_port: int) -> None:
    ended = pushtui("duel", f"127.0.0.1:{silent_port}", *SHORT)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == f"pushtui: no server at 127.0.0.1:{silent_port}\n"


def test_ctrl_c_ends_it_and_its_server(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        command("duel", "--lines", "--messages", "100000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        encoding="utf-8",
    ) as process:
        wait_until(lambda: bool(children(process.pid)))
        (server,) = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
        assert (process.returncode, said) == (130, "")
    wait_until(lambda: not Path(f"/proc/{server}").exists())


def test_a_server_of_its_own_ends_with_a_duel_that_was_killed(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        command("duel", "--lines", "--messages", "100000"), stdout=subprocess.DEVNULL, env=environment
    ) as process:
        wait_until(lambda: bool(children(process.pid)))
        (server,) = children(process.pid)
        process.kill()
    wait_until(lambda: not Path(f"/proc/{server}").exists() or "Z (zombie)" in status(server))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return "Z (zombie)"


async def test_its_own_server(environment: dict[str, str]) -> None:
    async with own_server() as at, asyncio.timeout(SECONDS):
        address = await at()
        assert answers(str(address))
    assert not answers(str(address))


async def test_its_own_server_does_not_start(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    async with own_server() as at, asyncio.timeout(SECONDS):
        with pytest.raises(DuelError, match="the duel's own server does not start"):
            await at()


def more(terminal: int) -> bytes:
    assert select.select([terminal], [], [], SECONDS)[0], "nothing more is shown"
    return os.read(terminal, 65536)


def test_on_a_terminal_the_table_stays_behind(environment: dict[str, str]) -> None:
    here, there = pty.openpty()
    process = subprocess.Popen(
        command("duel", "--messages", "12", "--rate", "200", "--no-cut"),
        stdin=there,
        stdout=there,
        stderr=there,
        env=environment | {"TERM": "xterm-256color", "LINES": "36", "COLUMNS": "120"},
        start_new_session=True,
    )
    os.close(there)
    shown = b""
    while b"Cheapest" not in shown:
        shown += more(here)
    os.write(here, b"q")
    try:
        while data := more(here):
            shown += data
    except OSError:
        pass  # the other end is closed
    os.close(here)
    assert process.wait(SECONDS) == 0
    left = shown.rpartition(b"\x1b[?1049l")[2].decode()
    assert re.search(r"lost / doubled +0 / 0 +0 / 0 +0 / 0", left)
