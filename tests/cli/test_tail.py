import asyncio
import json
import os
import signal
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from pushtui.client.address import Address
from pushtui.client.posting import post_message
from tests.cli.conftest import SECONDS, Pushtui, command

Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start(environment: dict[str, str]) -> AsyncIterator[Start]:
    """Starts the command, and ends what is left of it after the test."""
    started: list[Process] = []

    async def run(*arguments: str, stdin: int = DEVNULL, **variables: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            *command(*arguments), stdin=stdin, stdout=PIPE, stderr=PIPE, env=environment | variables
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_with(words: str, process: Process) -> str:
    """The next line that has these words."""
    output = cast(asyncio.StreamReader, process.stdout)
    async with asyncio.timeout(SECONDS):
        async for line in output:
            if words in line.decode():
                return line.decode().rstrip("\n")
    raise AssertionError(f"{words!r} never came; {(await process.communicate())[1].decode()}")


async def end_of(process: Process) -> tuple[int | None, str]:
    """The exit code, and what was said on standard error."""
    _, said = await asyncio.wait_for(process.communicate(), SECONDS)
    return process.returncode, said.decode()


async def post(url: str, room: str, text: str, nick: str = "ana") -> None:
    await post_message(Address.parse(url), room, text, nick=nick, key=os.urandom(8).hex())


async def test_the_chat_with_what_was_said_before_and_what_is_said_now(
    start: Start, server_url: str, room: str
) -> None:
    await post(server_url, room, "before")
    tail = await start("tail", "--url", server_url, "--room", room)
    assert (await line_with("ana", tail)).endswith(" ana: before")
    assert "joined, 1 replayed" in await line_with("○", tail)
    await post(server_url, room, "now\n14:02 ben: not me \x1b[31m")
    assert (await line_with("ana", tail)).endswith(" ana: now")
    assert await line_with("ben", tail) == "      14:02 ben: not me \ufffd[31m"
    tail.send_signal(signal.SIGINT)
    assert await end_of(tail) == (130, "")


async def test_how_much_is_replayed_is_an_option(start: Start, server_url: str, room: str) -> None:
    for text in ("one", "two", "three"):
        await post(server_url, room, text)
    tail = await start("tail", "--json", "--replay", "1", "--url", server_url, "--room", room)
    event = json.loads(await line_with('"event"', tail))
    assert event["body"]["text"] == "three"
    caught_up = json.loads(await line_with('"caught_up"', tail))
    assert (caught_up["outcome"], caught_up["replayed"]) == ("fresh", 1)


async def test_the_status_as_lines(start: Start, server_url: str) -> None:
    tail = await start("tail", "status", "--url", server_url)
    assert "%" in await line_with(" cpu ", tail)


async def test_the_status_as_json(start: Start, server_url: str) -> None:
    tail = await start("tail", "status", "--json", "--url", server_url)
    resume = json.loads(await line_with('"resume"', tail))
    assert resume["outcome"] == "fresh"
    sample = json.loads(await line_with('"sample"', tail))
    assert sample["type"] == "event"
    assert sample["body"]["host"]


@pytest.mark.parametrize("flow", ["chat", "status"])
def test_no_server(pushtui: Pushtui, silent_port: int, flow: str) -> None:
    ended = pushtui("tail", flow, "--url", f"127.0.0.1:{silent_port}")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == f"pushtui: no server at 127.0.0.1:{silent_port} (--wait waits for it)\n"


async def test_a_nick_that_is_taken(start: Start, server_url: str, room: str) -> None:
    options = ("tail", "--url", server_url, "--room", room, "--nick", "ana")
    await line_with("joined", await start(*options))
    code, said = await end_of(await start(*options))
    assert code == 5
    assert "taken" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("flow", ["chat", "status"])
def test_a_reader_who_goes_ends_it_quietly(
    environment: dict[str, str], server_url: str, room: str, flow: str
) -> None:
    with subprocess.Popen(
        command("tail", flow, "--url", server_url, "--room", room),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        tail.stdout.readline()
        tail.stdout.close()
        assert tail.wait(SECONDS) == 0
        assert tail.stderr.read() == b""


async def test_a_terminal_that_knows_only_ascii(start: Start, server_url: str, room: str) -> None:
    tail = await start("tail", "--url", server_url, "--room", room, PYTHONIOENCODING="ascii")
    assert "\\u25cb live" in await line_with("live", tail)


async def test_a_server_that_restarts(start: Start, silent_port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{silent_port}"
    serve = ("serve", "--port", str(silent_port), "--data", str(tmp_path / "data"), "--log-level", "error")
    tail = await start("tail", "--wait", "--url", url)
    await line_with(f"link lost: no server at 127.0.0.1:{silent_port}; retry in 1 s", tail)
    server = await start(*serve)
    await line_with("joined, 0 replayed", tail)
    server.terminate()
    assert await end_of(server) == (0, "")
    await line_with("link lost", tail)
    server = await start(*serve)
    await line_with("listens on", server)
    await post(url, "main", "missed me?")
    assert (await line_with("ana", tail)).endswith("ana: missed me?")
