"""``pushtui doctor``: its lines, its exit code, and what it refuses to begin with."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Pushtui, PushtuiHere
from tests.cli.test_tail import Start
from tests.cli.test_tail import start as start
from tests.client.peers import TOKEN, Request, http_peer
from tests.doctor.right_websocket import RightServer, serving
from tests.doctor.wrong_stream import RetryInWords, RightStream
from tests.doctor.wrong_stream import serving as streaming
from tests.doctor.wrong_websocket import AnyOrigin

Ended = tuple[int | None, str, str]
Doctor = Callable[..., Awaitable[Ended]]
QUICK = ("--patience", "0.2", "--oversize", "1")
SIGNS = {"✓": "ok", "!": "warn", "✗": "fault", "–": "skipped"}


@pytest.fixture
async def doctor(start: Start) -> Doctor:
    """Runs the command to its end while a peer in this process goes on."""

    async def run(*arguments: str) -> Ended:
        process = await start("doctor", *arguments, *QUICK)
        printed, said = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, printed.decode(), said.decode()

    return run


async def test_a_right_server_as_text(doctor: Doctor) -> None:
    async with serving(RightServer) as url:
        code, printed, said = await doctor(url)
    assert (code, said) == (0, "")
    first, *lines, last = printed.splitlines()
    assert first.startswith(f"{url} · broken frames, and 1 MiB of a message without an end; ")
    assert all(SIGNS[line[0]] == line.split()[1] for line in lines)
    assert any(line.startswith("✓ ok       handshake ") and line.endswith(" · RFC 6455 4.2.2") for line in lines)
    assert last == "0 faults, 0 warnings, 17 fine, 2 skipped"


async def test_a_fault_as_json(doctor: Doctor) -> None:
    async with streaming(RetryInWords) as url:
        code, printed, said = await doctor(url, "--json")
    assert (code, said) == (7, "")
    *findings, verdict = map(json.loads, printed.splitlines())
    assert {one["type"] for one in findings} == {"finding"}
    assert [one for one in findings if one["level"] == "fault"] == [
        {
            "type": "finding",
            "check": "retry",
            "level": "fault",
            "seen": "'2s' is no number: clients pass it over",
            "source": "WHATWG HTML 9.2.6",
            "advice": "write milliseconds in digits",
        }
    ]
    assert verdict == {"type": "verdict", "worst": "fault", "ok": 14, "warn": 0, "fault": 1, "skipped": 3}


async def test_a_warning_with_its_advice(doctor: Doctor) -> None:
    async with serving(AnyOrigin) as url:
        code, printed, _ = await doctor(url, "--send", "hello")
    assert code == 6
    lines = printed.splitlines()
    assert ", and the text to send twice; " in lines[0]
    at = next(number for number, line in enumerate(lines) if line.startswith("!"))
    assert lines[at + 1].lstrip().startswith("→ unless it is meant for every page")


async def test_what_an_endpoint_says_cannot_drive_the_terminal(doctor: Doctor) -> None:
    class Hostile(RightStream):
        cache_control = "public \x1b[2J\x9b1m" + 1000 * "x"

    async with streaming(Hostile) as url:
        code, printed, _ = await doctor(url)
    assert code == 6
    assert "\ufffd[2J" in printed
    assert not {"\x1b", "\x9b"} & set(printed)
    assert max(map(len, printed.splitlines())) < 400


async def test_what_is_given_goes_along(doctor: Doctor, tmp_path: Path) -> None:
    asked: list[Request] = []

    async def peer(request: Request) -> None:
        asked.append(request)
        await request.answer("404 Not Found")

    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text(TOKEN.header.removeprefix("Bearer "))
    async with http_peer(peer) as address:
        options = ("--token-file", str(file), "-H", "X-Team: red", "--origin", "https://wiki.example")
        code, printed, _ = await doctor(f"{address.http}/events?a=b", *options)
    assert code == 7
    assert "404: clients give up for good" in printed
    assert asked[0].target == "/events?a=b"
    headers = asked[0].headers
    assert headers["authorization"] == TOKEN.header
    assert (headers["x-team"], headers["origin"]) == ("red", "https://wiki.example")
    assert headers["accept"] == "text/event-stream"


async def test_a_token_is_not_posted_to_another_server(doctor: Doctor, tmp_path: Path) -> None:
    posted: list[Request] = []

    async def other(request: Request) -> None:
        posted.append(request)
        await request.answer("201 Created")

    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text(TOKEN.header.removeprefix("Bearer "))
    async with streaming(RightStream) as url, http_peer(other) as address:
        code, _, _ = await doctor(url, "--token-file", str(file), "-H", "X-Key: 1", "--post", f"{address.http}/in")
    assert code == 7
    assert [request.method for request in posted] == ["POST", "POST"]
    assert all(not {"authorization", "x-key"} & set(request.headers) for request in posted)


async def test_what_speaks_no_http(doctor: Doctor) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        for scheme in ("ws", "http"):
            code, printed, _ = await doctor(f"{scheme}://127.0.0.1:{port}/")
            assert code == 7
            assert "no HTTP is spoken here" in printed


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_no_server(pushtui: Pushtui, silent_port: int, scheme: str) -> None:
    ended = pushtui("doctor", f"{scheme}://127.0.0.1:{silent_port}/", "--json")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == f"pushtui: no server at 127.0.0.1:{silent_port}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("example.com",), "is no URL: it begins with"),
        (("ftp://x/",), "is not an address: it begins with http, https, ws or wss"),
        (("ws://x/", "--post", "http://x/"), "--post is for event streams"),
        (("http://x/", "--post", "ws://x/"), "--post is for event streams"),
        (("http://x/", "--send", "a"), "--send is for a WebSocket"),
        (("http://x/", "--subprotocol", "a"), "--subprotocol is for a WebSocket"),
        (("http://x/", "-H", "no colon"), "-H takes a header"),
        (("http://x/", "--patience", "0"), "Must be >= 0.1"),
        (("ws://x/", "--oversize", "0"), "Must be >= 1"),
    ],
)
def test_wrong_options(pushtui_here: PushtuiHere, arguments: tuple[str, ...], words: str) -> None:
    code, printed, said = pushtui_here("doctor", *arguments)
    assert (code, printed) == (2, "")
    assert words in said
    assert said.count("\n") == 1
