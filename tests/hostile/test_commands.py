"""The commands that print lines, in a real pseudo-terminal, against a server that sends anything at all."""

import asyncio
import contextlib
import json
import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from pushtui.cli import main
from tests.hostile.corpus import SEQUENCES, SIZES, TEXTS
from tests.hostile.hostile_server import EPOCH, HostileServer
from tests.hostile.pseudo_terminal import PseudoTerminal, painted_harm, printed_harm
from tests.hostile.test_screen import everywhere

NASTY = "\x1b]0;stolen\x07\x9b2J\x1b[2J\u202eevil \U000e0041\r\nroot: hi"
END = "⟦the end⟧"
COMMANDS = {
    "chat": ("tail", "chat", "--nick", "ana", "--url"),
    "chat as JSON": ("tail", "chat", "--json", "--nick", "ana", "--url"),
    "status": ("tail", "status", "--url"),
    "status as JSON": ("tail", "status", "--json", "--url"),
}
INSPECTIONS = {"inspect": ("inspect", "--lines"), "inspect as JSON": ("inspect", "--json")}


@pytest.mark.parametrize("name", COMMANDS)
async def test_nothing_that_a_server_sends_is_obeyed_where_lines_are_printed(tmp_path: Path, name: str) -> None:
    chat = name.startswith("chat")
    async with HostileServer() as peer:
        peer.topic = NASTY
        peer.members = [(text[:50], text[:200]) for text in TEXTS.values()]
        async with PseudoTerminal(tmp_path, *COMMANDS[name], peer.url) as terminal:
            await peer.has(chats=int(chat), streams=int(not chat))
            for text in (text for name, text in TEXTS.items() if name not in SIZES):
                everywhere(peer, text, "more")
            peer.event("message", {"text": END})
            peer.stream("notice", {"text": END, "level": "info", "by": "eve", "at": 1})
            await terminal.prints(END)
            if chat:
                peer.close(4503, b"\x1b[2J\xc2\x9b2J" + "\u202ebye".encode())
            else:
                peer.stream("bye", {"code": 4503, "reason": NASTY, "retry_ms": 2**62})
            await terminal.ends()
        assert terminal.code == 5
        assert printed_harm(bytes(terminal.written)) == []
        lines = terminal.written.decode().split("\r\n")
        if "JSON" in name:
            assert all(
                isinstance(json.loads(line), dict) for line in lines if not line.startswith("pushtui: ") and line
            )
        else:
            assert not [line for line in lines if line.startswith(("root:", "event:", "2026-"))]


@pytest.mark.parametrize("name", INSPECTIONS)
async def test_inspecting_a_hostile_stream_and_a_hostile_websocket(tmp_path: Path, name: str) -> None:
    async with HostileServer() as peer:
        stream = (*INSPECTIONS[name], f"{peer.url}/status")
        websocket = (*INSPECTIONS[name], f"{peer.url.replace('http', 'ws')}/chat")
        async with (
            PseudoTerminal(tmp_path, *stream, PUSHTUI_INSPECT_LINES="true") as one,
            PseudoTerminal(tmp_path, *websocket, PUSHTUI_INSPECT_LINES="true") as other,
        ):
            await peer.has(chats=1, streams=1)
            for text in (text for key, text in TEXTS.items() if key not in SIZES):
                everywhere(peer, text, "more")
                peer.raw(b"data: " + text.encode(errors="replace").replace(b"\n", b"\ndata: ") + b"\n\n")
                peer.message(text)
            peer.raw(f"id: {EPOCH}.9{NASTY}\nevent: x{NASTY}\ndata: {END}\n\nretry: 1{NASTY}\n\n".encode())
            peer.message(END)
            await one.prints(END)
            await other.prints(END)
            peer.close(4999, b"\x1b[2J\xc2\x9b2J" + "\u202ebye".encode())
            await other.ends()
        assert printed_harm(bytes(one.written)) == []
        assert printed_harm(bytes(other.written)) == []


REFUSALS = {
    "a reason phrase": b"HTTP/1.1 403 \x1b[2J\x9b2J\x07stolen\r\nContent-Length: 0\r\n\r\n",
    "a sentence": b"HTTP/1.1 403 No\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    + json.dumps({"code": NASTY, "message": NASTY * 50}).encode(),
    "a content type": b"HTTP/1.1 200 OK\r\nContent-Type: \x1b]0;x\x07/\xc2\x9b2J\r\nContent-Length: 0\r\n\r\n",
    "a time to wait": b"HTTP/1.1 429 No\r\nRetry-After: " + b"9" * 400 + b"\r\nContent-Length: 0\r\n\r\n",
    "another place": b"HTTP/1.1 307 No\r\nLocation: \x1b]0;stolen\x07://\xc2\x9b2J\r\nContent-Length: 0\r\n\r\n",
    "a strange place": b"HTTP/1.1 307 No\r\nLocation: http://\xe2\x80\xae\x1b[2J/\r\nContent-Length: 0\r\n\r\n",
    "no HTTP": b"\x1b[2J\x1b]0;stolen\x07\x9b2J\r\n\r\n",
    "a header": b"HTTP/1.1 200 OK\r\n\x1b[2J: \x1b]0;stolen\x07\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 \x1b[2J\r\nUpgrade: \x1b[2J\r\nConnection: \x9b2J\r\n\r\n",
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_how_a_server_refuses_is_told_in_one_safe_line(
    refusal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with HostileServer() as peer:
        peer.refusal = REFUSALS[refusal]
        for command in (
            ("tail", "chat", "--url", peer.url),
            ("tail", "status", "--url", peer.url),
            ("send", "hello", "--url", peer.url),
            ("inspect", "--once", f"{peer.url}/status"),
            ("inspect", f"{peer.url.replace('http', 'ws')}/chat"),
        ):
            code = await asyncio.to_thread(main, command)
            printed, said = capfd.readouterr()
            assert code in (4, 5), said
            assert printed_harm((printed + said).replace("\n", "\r\n").encode()) == []
            assert "unexpected" not in said
            assert len(said) < 1500
            assert said.count("\n") == 1
            assert command[0] == "inspect" or not printed


async def test_a_screen_whose_server_refuses_says_so_and_asks_again(tmp_path: Path) -> None:
    async with HostileServer() as peer:
        peer.refusal = REFUSALS["a sentence"]
        async with PseudoTerminal(
            tmp_path, "connect", peer.url, "--nick", "ana", columns=80, lines=24
        ) as terminal:
            await terminal.shows("address", "\ufffd]0;stolen", "Enter tries")
            terminal.type("\x11")
            await terminal.ends()
        assert painted_harm(bytes(terminal.written)) == []


@pytest.mark.parametrize(
    "arguments",
    [
        (NASTY,),
        (f"--{NASTY}",),
        ("tail", NASTY),
        ("tail", "chat", "--room", NASTY),
        ("tail", "chat", "--replay", NASTY),
        ("connect", f"http://{NASTY}/"),
        ("connect", "--nick", NASTY, "127.0.0.1"),
        ("send", "--url", f"http://127.0.0.1:1/{NASTY}", "x"),
        ("inspect", f"http://{NASTY}"),
        ("inspect", NASTY),
        ("serve", "--host", NASTY),
        ("serve", "--keep-chat", NASTY),
        ("serve", "--log-level", NASTY),
        ("serve", "--data", f"/proc/{NASTY}"),
        ("serve", "--tls-cert", f"/nowhere/{NASTY}", "--tls-key", "/nowhere"),
        ("token", "create", NASTY),
        ("token", "revoke", NASTY),
    ],
    ids=lambda arguments: (
        " ".join(arguments[:2] if len(arguments) > 1 else ["1"])[:20].encode("ascii", "replace").decode()
    ),
)
def test_what_is_wrong_with_a_command_is_one_safe_line(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert main(arguments) not in (0, 1)
    printed, said = capsys.readouterr()
    assert printed_harm((printed + said).replace("\n", "\r\n").encode()) == []
    assert said.count("\n") == 1


def test_a_broken_configuration_is_one_safe_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "pushtui").mkdir()
    for text in (
        f'["{NASTY}"]',
        f'"{NASTY}" = 1',
        '"\\u001b[2J" = 1',
        '[tail]\n"\\u001b[2J\\u009b" = 1',
        "\x1b[2J",
    ):
        (tmp_path / "pushtui" / "config.toml").write_text(text)
        assert main(["tail"]) == 2
        said = capsys.readouterr().err
        assert printed_harm(said.replace("\n", "\r\n").encode()) == []
        assert said.count("\n") == 1


async def test_what_a_server_prints_and_logs_of_strangers_is_safe(tmp_path: Path) -> None:
    data = tmp_path / "\x1b]0;stolen\x07 \x9b2J"
    arguments = ("serve", "--port", "0", "--log-level", "debug", "--data", str(data))
    async with PseudoTerminal(tmp_path, *arguments, columns=200) as terminal:
        await terminal.prints("Ctrl-C stops it.")
        port = int(re.findall(rb"listens on http://127.0.0.1:([0-9]+)", terminal.written)[0])
        nasty = NASTY.encode()
        for request in (
            b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % nasty,
            b"GET /%1b%5d0;x%07 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \x1b[2J\x9b2J\r\n\r\n",
            b"\x1b[2J\x9b2J /\r\n\r\n",
            b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \x1b[2J\r\nAuthorization: Bearer ptk_a_"
            + nasty
            + b"\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            writer.write_eof()
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 10)
            writer.close()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            for text in list(TEXTS.values())[:20]:
                await http.post("/rooms/main", json={"text": text, "from": text[:32]})
                await http.get("/rooms/" + quote(text[:40], safe=""))
        terminal.interrupt()
        await terminal.ends()
        assert terminal.code == 0
    assert printed_harm(bytes(terminal.written)) == []
    assert b"Traceback" not in terminal.written


def test_every_sequence_of_the_corpus_is_harm() -> None:
    """Else the tests here would accept what they are about."""
    for text in SEQUENCES.values():
        assert printed_harm(text.encode()) or "\n" in text
    assert painted_harm(b"\x1b[2J") == painted_harm(b"\x1b[2J")
    assert painted_harm(b"\x1b]8;id=1;http://a.example/\x1b\\") == []
    assert painted_harm(b"\x1b]8;id=1;javascript:x\x1b\\")
    assert painted_harm("\x9b2J".encode())
