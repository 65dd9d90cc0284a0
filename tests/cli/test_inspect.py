import asyncio
import json
import re
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.cli.conftest import Pushtui, PushtuiHere
from tests.cli.test_tail import Start, end_of, line_with
from tests.cli.test_tail import start as start
from tests.client.peers import Request, forever, http_peer
from tests.server.certificates import issued

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
        await connection.send(b"\xff\1\2\3\4")
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


def shape(line: str) -> str:
    """A line for people without what differs from time to time: its time, ports, keys."""
    line = re.sub(r"^ *\d+\.\d{3} ", "  0.000 ", line)
    line = re.sub(r"127\.0\.0\.1:\d+", "HERE", line)
    return re.sub(r"masked [0-9a-f]{8}", "masked KEY", line)


async def test_a_stream_as_json_until_there_is_no_more(inspect: Inspect) -> None:
    async with http_peer(stream) as address:
        url = f"{address.http}/any?token=secret"
        code, printed, said = await inspect(url, "--json", PYTHONIOENCODING="ascii")
    assert (code, said) == (0, "")
    assert "secret" not in printed
    beginning, *records = map(json.loads, printed.splitlines())
    assert (beginning["what"], beginning["flow"], beginning["version"]) == ("recording", "sse", 1)
    times = [record.pop("at") for record in records]
    assert times == sorted(times)
    asked, answered, *rest = records
    assert (asked["what"], asked["method"], asked["target"]) == ("request", "GET", "/any?token=…")
    assert (answered["what"], answered["status"]) == ("response", 200)
    assert rest[:14] == [
        {"what": "line", "text": ": hi", "wire_bytes": 5},
        {"what": "line", "text": "retry: 0", "wire_bytes": 9},
        {"what": "line", "text": "id: 7", "wire_bytes": 6},
        {"what": "line", "text": "event: e", "wire_bytes": 9},
        {"what": "line", "text": "data: hé\x1b[2J", "wire_bytes": 14},
        {"what": "line", "text": "data: 2", "wire_bytes": 8},
        {"what": "line", "text": "", "wire_bytes": 1},
        {"what": "dispatch", "event": "e", "id": "7", "data_bytes": 9},
        {"what": "close", "reason": "the server hung up", "by": "server"},
        {"what": "wait", "seconds": 0.05, "reason": "the server hung up", "last_event_id": "7"},
        rest[10],
        rest[11],
        {"what": "close", "reason": "the server has nothing more to say (HTTP 204)", "by": "client"},
    ]
    assert ["Last-Event-ID", "7"] in rest[10]["headers"]
    assert rest[11]["status"] == 204
    assert "\x1b" not in printed


async def test_a_stream_as_text_once(inspect: Inspect) -> None:
    async with http_peer(stream) as address:
        code, printed, said = await inspect(address.http, "--once")
    assert (code, said) == (0, "")
    lines = [shape(line) for line in printed.splitlines()]
    assert lines[0].startswith("  0.000 ↑ GET / HTTP/1.1  ")
    assert lines[1] == "            Host: HERE"
    assert lines[-12:] == [
        "  0.000 ↓ HTTP/1.1 200 OK  86 B",
        "            Content-Type: text/event-stream; charset=utf-8",
        "            Connection: close",
        "  0.000 ↓ : hi  5 B",
        "  0.000 ↓ retry: 0  9 B",
        "  0.000 ↓ id: 7  6 B",
        "  0.000 ↓ event: e  9 B",
        "  0.000 ↓ data: hé\\x1b[2J  14 B",
        "  0.000 ↓ data: 2  8 B",
        "  0.000 ↓ (blank line: the end of a block)  1 B",
        "  0.000 ○ event e is dispatched, 9 B of data · last event ID 7",
        "  0.000 ○ closed by the server · the server hung up",
    ]


async def test_a_websocket_as_json(inspect: Inspect, websocket: str) -> None:
    code, printed, said = await inspect(websocket, "--json")
    assert (code, said) == (0, "")
    beginning, asked, answered, *rest = map(json.loads, printed.splitlines())
    assert (beginning["flow"], asked["method"], answered["status"]) == ("websocket", "GET", 101)
    masks = [record.pop("mask") for record in rest if record.get("direction") == "up"]
    assert [len(bytes.fromhex(mask)) for mask in masks] == [4, 4]
    for record in rest:
        del record["at"]
    frame = {"what": "frame"}
    assert sorted(rest, key=lambda record: record.get("direction", "")) == [
        {"what": "close", "reason": "enough", "code": 4001, "by": "server"},
        frame | {"direction": "down", "opcode": 1, "text": "héllo\x1b[2J", "wire_bytes": 12},
        frame | {"direction": "down", "opcode": 2, "base64": "/wECAwQ=", "wire_bytes": 7},
        frame | {"direction": "down", "opcode": 9, "text": "?", "wire_bytes": 3},
        frame | {"direction": "down", "opcode": 8, "base64": "D6Flbm91Z2g=", "wire_bytes": 10},
        frame | {"direction": "up", "opcode": 10, "text": "?", "wire_bytes": 7},
        frame | {"direction": "up", "opcode": 8, "base64": "D6Flbm91Z2g=", "wire_bytes": 14},
    ]


async def test_a_websocket_as_text(inspect: Inspect, websocket: str) -> None:
    code, printed, said = await inspect(websocket)
    assert (code, said) == (0, "")
    lines = [shape(line) for line in printed.splitlines()]
    assert "✓ as answered" in printed
    assert "            subprotocols offered none, chosen none" in lines
    down = [line for line in lines if "↓" in line][1:]
    assert down == [
        "  0.000 ↓ text FIN not masked  12 B = 2 + 10",
        "  0.000 ↓ binary FIN not masked  7 B = 2 + 5",
        "  0.000 ↓ ping FIN not masked  3 B = 2 + 1  ?",
        "  0.000 ↓ close FIN not masked  10 B = 2 + 8  4001 the application's own enough",
    ]
    assert "            héllo\\x1b[2J" in lines
    assert any(line.startswith("            0000  ff 01 02 03 04") for line in lines)
    assert "  0.000 ↑ pong FIN masked KEY  7 B = 6 + 1  ?" in lines
    assert lines[-1] == "  0.000 ○ closed by the server · 4001 the application's own · enough"


async def test_our_own_server(start: Start, server_url: str) -> None:
    process = await start("inspect", f"{server_url}/status", "--json")
    assert json.loads(await line_with("event: ", process))["text"] == "event: resume"
    assert json.loads(await line_with('"data: ', process))["what"] == "line"
    process.send_signal(signal.SIGINT)
    assert await end_of(process) == (130, "")


@pytest.fixture
async def echo() -> AsyncIterator[str]:
    """Says back what it hears, up to ``bye``."""

    async def handle(connection: ServerConnection) -> None:
        async for message in connection:
            if message in ("bye", b"bye"):
                return
            await connection.send(message)

    async with serve(handle, "127.0.0.1", 0, subprotocols=[Subprotocol("b")]) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_lines_of_standard_input_are_sent(start: Start, echo: str) -> None:
    process = await start("inspect", echo, "--json", "--subprotocol", "a,b", stdin=asyncio.subprocess.PIPE)
    printed, said = await asyncio.wait_for(process.communicate("hé\r\n\xff\nbye".encode("latin-1")), 30)
    assert process.returncode == 0
    records = [json.loads(line) for line in printed.decode().splitlines()]
    assert [record["text"] for record in records if record.get("opcode") == 1] == ["bye"]
    assert said.decode() == 2 * "pushtui: a line was not sent: it is no UTF-8\n"
    process = await start("inspect", echo, "--json", "--subprotocol", "a,b", stdin=asyncio.subprocess.PIPE)
    printed, said = await asyncio.wait_for(process.communicate("hé\r\nbye\n".encode()), 30)
    records = [json.loads(line) for line in printed.decode().splitlines()]
    assert ["Sec-WebSocket-Protocol", "a, b"] in records[1]["headers"]
    assert ["Sec-WebSocket-Protocol", "b"] in records[2]["headers"]
    said_and_heard = [(record["direction"], record["text"]) for record in records if record.get("opcode") == 1]
    assert sorted(said_and_heard) == [("down", "hé"), ("up", "bye"), ("up", "hé")]


async def test_bytes_in_hexadecimal_are_sent(start: Start, echo: str) -> None:
    process = await start(
        "inspect", echo, "--json", "--subprotocol", "b", "--binary", stdin=asyncio.subprocess.PIPE
    )
    printed, said = await asyncio.wait_for(process.communicate(b"00 ff\nno\n627965\n"), 30)
    records = [json.loads(line) for line in printed.decode().splitlines()]
    assert sorted(
        (record["direction"], record.get("base64") or record["text"])
        for record in records
        if record.get("opcode") == 2
    ) == [("down", "AP8="), ("up", "AP8="), ("up", "bye")]
    assert (
        said.decode() == "pushtui: a line was not sent: with --binary it is bytes in hexadecimal, such as 00 ff\n"
    )


async def test_it_is_recorded_and_no_secret_with_it(inspect: Inspect, tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    secrets = ("-H", "Authorization: Bearer hidden1", "--header", "Cookie: a=hidden2", "-H", "X-Api-Key: hidden3")
    async with http_peer(stream) as address:
        url = f"{address.http}/?access_token=hidden4"
        code, printed, said = await inspect(url, "--json", "--record", str(file), *secrets)
        assert (code, said) == (0, "")
        assert file.read_text() == printed
        assert file.stat().st_mode & 0o777 == 0o600
        assert "hidden" not in printed
        assert '["Authorization","Bearer …"],["Cookie","a=…"],["X-Api-Key","…"]' in printed
        code, printed, said = await inspect(url, "--record", str(file))
    assert (code, printed) == (2, "")
    assert said == f"pushtui: {file} exists already; a recording begins with a new file\n"


async def test_a_recording_that_cannot_be_written_ends_it(inspect: Inspect, tmp_path: Path) -> None:
    async with http_peer(stream) as address:
        code, printed, said = await inspect(address.http, "--record", str(tmp_path / "no" / "where"))
    assert (code, printed) == (3, "")
    assert said == f"pushtui: {tmp_path}/no/where cannot be written: No such file or directory\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("http://a", "--subprotocol", "x"), "--subprotocol is for a WebSocket: ws:// or wss://"),
        (("ws://a", "--subprotocol", "x y"), "--subprotocol takes names without spaces, with commas between"),
        (("ws://a", "--subprotocol", "x,x"), "--subprotocol names one twice"),
        (("ws://a", "--last-event-id", "1"), "--last-event-id is for an event stream: http:// or https://"),
        (("http://a", "--last-event-id", "1\n2"), "--last-event-id has a control character in it"),
        (("http://a", "--origin", "x\r\ny"), "--origin has a control character in it"),
        (("http://a", "-H", "hidden"), "-H takes a header as 'Name: value'"),
        (("http://a", "-H", "a b: hidden"), "-H takes a header as 'Name: value'"),
        (("http://a", "-H", "A: hid\nden"), "the value of the header A has characters that no header can have"),
        (("http://a", "-H", "A: hidd\xe9n"), "the value of the header A has characters that no header can have"),
        (("http://a", "-H", "connection: hidden"), "the header connection belongs to the connection itself"),
        (
            ("ws://a", "-H", "Sec-WebSocket-Key: hidden"),
            "the header Sec-WebSocket-Key belongs to the connection itself",
        ),
    ],
)
def test_what_cannot_be_asked_with(pushtui_here: PushtuiHere, arguments: tuple[str, ...], sentence: str) -> None:
    assert pushtui_here("inspect", *arguments) == (2, "", f"pushtui: {sentence}\n")


async def test_a_certificate_that_nobody_signed(inspect: Inspect, tmp_path: Path) -> None:
    files = issued(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)

    async def handle(connection: ServerConnection) -> None:
        await connection.send("hi")

    async with serve(handle, "127.0.0.1", 0, ssl=context) as server:
        authority = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        code, printed, said = await inspect(f"wss://{authority}/")
        assert (code, printed) == (4, "")
        assert f"the certificate of {authority} is not trusted" in said
        code, printed, said = await inspect(f"wss://{authority}/", "--insecure")
    assert code == 0
    assert said == f"pushtui: warning: nobody checks that {authority} is who it says; others can read along\n"
    assert "            hi\n" in printed


async def test_what_is_no_stream(inspect: Inspect, server_url: str) -> None:
    code, printed, said = await inspect(f"{server_url}/nowhere", "--json")
    assert code == 5
    *_, answered, closed = map(json.loads, printed.splitlines())
    assert answered["status"] == 404
    assert (closed["what"], closed["reason"]) == ("close", "HTTP 404")
    assert said == f"pushtui: no event stream at {server_url.removeprefix('http://')}: HTTP 404\n"


async def test_what_is_no_websocket(inspect: Inspect, server_url: str) -> None:
    authority = server_url.removeprefix("http://")
    code, printed, said = await inspect(f"ws://{authority}/nowhere")
    assert (code, said) == (5, f"pushtui: no WebSocket at {authority}: HTTP 404\n")
    assert " ↓ HTTP/1.1 404 Not Found " in printed


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
