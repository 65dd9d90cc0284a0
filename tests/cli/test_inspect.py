import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.cli.conftest import Pushtui, PushtuiHere
from tests.cli.test_tail import Start, end_of, line_with
from tests.cli.test_tail import start as start
from tests.client.peers import Request, forever, http_peer

Ended = tuple[int | None, str, str]
Inspect = Callable[..., Awaitable[Ended]]


@pytest.fixture
async def inspect(start: Start) -> Inspect:
    """Runs the command to its end while a peer in this process goes on."""

    async def run(*arguments: str, **variables: str) -> Ended:
        process = await start("inspect", *arguments, **variables)
        printed, said = await asyncio.wait_for(process.communicate(), 30)
        return process.returncode, printed.decode(), said.decode()

    return run


@pytest.fixture
async def websocket() -> AsyncIterator[str]:
    async def handle(connection: ServerConnection) -> None:
        await connection.send("héllo\x1b[2J")
        await connection.send(b"\0\1\2\3\4")
        await connection.ping(b"?")
        await connection.close(4001, "enough")

    async with serve(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def stream(request: Request) -> None:
    """One stream, and nothing more for who comes back with its id."""
    if "last-event-id" in request.headers:
        await request.answer("204 No Content")
    else:
        await request.open_stream(b": hi\nretry: 0\nid: 7\nevent: e\ndata: h\xc3\xa9\x1b[2J\ndata: 2\n\n")


async def test_a_stream_as_json_until_there_is_no_more(inspect: Inspect) -> None:
    async with http_peer(stream) as address:
        code, printed, said = await inspect(f"{address.http}/any", "--json", PYTHONIOENCODING="ascii")
    assert (code, said) == (0, "")
    opened, *rest = map(json.loads, printed.splitlines())
    assert (opened["flow"], opened["what"], opened["status"]) == ("sse", "open", 200)
    assert opened["headers"]["content-type"].startswith("text/event-stream")
    assert rest == [
        {"flow": "sse", "what": "comment", "text": "hi"},
        {"flow": "sse", "what": "retry", "ms": 0},
        {"flow": "sse", "what": "event", "event": "e", "data": "hé\x1b[2J\n2", "id": "7"},
        {"flow": "sse", "what": "closed", "reason": "the server hung up"},
        {"flow": "sse", "what": "reconnecting", "after_ms": 50, "last_event_id": "7"},
        {
            "flow": "sse",
            "what": "closed",
            "reason": "the server has nothing more to say (HTTP 204)",
            "status": 204,
        },
    ]
    assert "\x1b" not in printed


async def test_a_stream_as_text_once(inspect: Inspect) -> None:
    async with http_peer(stream) as address:
        code, printed, said = await inspect(address.http, "--once")
    assert (code, said) == (0, "")
    assert printed.splitlines() == [
        "○ open · 200 · text/event-stream; charset=utf-8",
        ": hi",
        "○ retry · 0 ms",
        "← e · id 7",
        "    hé\ufffd[2J",
        "    2",
        "○ closed · the server hung up",
    ]


async def test_a_websocket_as_json(inspect: Inspect, websocket: str) -> None:
    code, printed, said = await inspect(websocket, "--json")
    assert (code, said) == (0, "")
    opened, *rest = map(json.loads, printed.splitlines())
    assert (opened["flow"], opened["what"], opened["status"]) == ("websocket", "open", 101)
    assert opened["subprotocol"] is None
    assert rest == [
        {"flow": "websocket", "what": "message", "text": "héllo\x1b[2J"},
        {"flow": "websocket", "what": "message", "binary": "AAECAwQ="},
        {"flow": "websocket", "what": "ping", "text": "?"},
        {"flow": "websocket", "what": "closed", "code": 4001, "reason": "enough"},
    ]


async def test_a_websocket_as_text(inspect: Inspect, websocket: str) -> None:
    code, printed, said = await inspect(websocket)
    assert (code, said) == (0, "")
    assert printed.splitlines() == [
        "○ open · 101 · no subprotocol",
        "← text",
        "    héllo\ufffd[2J",
        "← binary · 5 bytes",
        "    00 01020304",
        "← ping ?",
        "○ closed · 4001 enough",
    ]


async def test_our_own_server(start: Start, server_url: str) -> None:
    process = await start("inspect", f"{server_url}/status", "--json")
    assert json.loads(await line_with('"resume"', process))["id"]
    assert json.loads(json.loads(await line_with('"sample"', process))["data"])["host"]
    process.send_signal(signal.SIGINT)
    assert await end_of(process) == (130, "")


async def test_what_is_no_stream(inspect: Inspect, server_url: str) -> None:
    code, printed, said = await inspect(f"{server_url}/nowhere", "--json")
    assert code == 5
    assert json.loads(printed) == {"flow": "sse", "what": "closed", "reason": "HTTP 404", "status": 404}
    assert said == f"pushtui: no event stream at {server_url.removeprefix('http://')}: HTTP 404\n"


async def test_what_is_no_websocket(inspect: Inspect, server_url: str) -> None:
    authority = server_url.removeprefix("http://")
    assert await inspect(f"ws://{authority}/nowhere") == (
        5,
        "",
        f"pushtui: no WebSocket at {authority}: HTTP 404\n",
    )


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_no_server(pushtui: Pushtui, silent_port: int, scheme: str) -> None:
    ended = pushtui("inspect", f"{scheme}://127.0.0.1:{silent_port}/")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == f"pushtui: no server at 127.0.0.1:{silent_port}\n"


@pytest.mark.parametrize("url", ["", "example.com", "ftp://x/", "http://a:b@c/"])
def test_what_is_no_url(pushtui_here: PushtuiHere, url: str) -> None:
    code, printed, said = pushtui_here("inspect", url)
    assert (code, printed) == (2, "")
    assert said.count("\n") == 1


async def test_a_reader_who_goes_ends_it_quietly(start: Start) -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(b"data: 1\n\n")
        await forever()

    async with http_peer(peer) as address:
        process = await start("inspect", address.http)
        await line_with("1", process)
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        code = await asyncio.wait_for(process.wait(), 30)
    assert code == 0
