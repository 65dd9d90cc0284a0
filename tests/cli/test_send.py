import socket
import threading
from collections.abc import Iterator

import pytest

from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import CaughtUp, RoomEvent
from pushtui.protocol.bodies import Message
from pushtui.protocol.limits import LIMITS
from tests.cli.conftest import SECONDS, Pushtui


async def said(url: str, room: str) -> list[tuple[str, str]]:
    """Who said what in a room so far."""
    messages = []
    async with ChatClient(Address.parse(url), nick="reader", rooms=(room,)) as client:
        async for happening in client:
            if isinstance(happening, RoomEvent) and isinstance(happening.body, Message):
                messages.append((happening.by, happening.body.text))
            if isinstance(happening, CaughtUp):
                break
    return messages


async def test_the_words_are_one_message(pushtui: Pushtui, server_url: str, room: str) -> None:
    ended = pushtui("send", "--url", server_url, "--room", room, "--nick", "ana", "hello", "there")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert await said(server_url, room) == [("ana", "hello there")]


async def test_options_may_come_from_the_environment(pushtui: Pushtui, server_url: str, room: str) -> None:
    assert pushtui("send", "hi", PUSHTUI_URL=server_url, PUSHTUI_ROOM=room, PUSHTUI_NICK="美咲").returncode == 0
    assert await said(server_url, room) == [("美咲", "hi")]


async def test_words_that_look_like_options_follow_two_dashes(
    pushtui: Pushtui, server_url: str, room: str
) -> None:
    assert pushtui("send", "--url", server_url, "--room", room, "--nick", "ana", "--", "--help").returncode == 0
    assert await said(server_url, room) == [("ana", "--help")]


async def test_standard_input_is_one_message(pushtui: Pushtui, server_url: str, room: str) -> None:
    text = "  first\n\n\tlast\n\n"
    ended = pushtui("send", "--url", server_url, "--room", room, "--nick", "ci", text=text)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert await said(server_url, room) == [("ci", "  first\n\n\tlast")]


async def test_each_line_of_standard_input(pushtui: Pushtui, server_url: str, room: str) -> None:
    ended = pushtui("send", "--url", server_url, "--room", room, "--nick", "ci", "--lines", text="a\n\n  \nb\nc")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert await said(server_url, room) == [("ci", "a"), ("ci", "b"), ("ci", "c")]


async def test_as_much_as_fits_is_sent_and_more_is_not(pushtui: Pushtui, server_url: str, room: str) -> None:
    full = "x" * LIMITS.text_bytes
    options = ("send", "--url", server_url, "--room", room, "--nick", "ci")
    over = pushtui(*options, text=full + "x")
    assert over.returncode == 5
    assert over.stderr == (
        f"pushtui: nothing was sent: a message has at most {LIMITS.text_bytes} bytes, and standard input has more"
        " (--lines sends each line by itself)\n"
    )
    assert pushtui(*options, text=full + "\n").returncode == 0
    assert await said(server_url, room) == [("ci", full)]


async def test_what_the_server_refuses_is_said_and_not_stored(
    pushtui: Pushtui, server_url: str, room: str
) -> None:
    ended = pushtui("send", "--url", server_url, "--room", room, "--nick", "ci", "x" * (LIMITS.text_bytes + 1))
    assert ended.returncode == 5
    assert ended.stderr.endswith("; it was not sent\n")
    assert ended.stderr.count("\n") == 1
    assert await said(server_url, room) == []


def test_no_text_at_all(pushtui: Pushtui, server_url: str) -> None:
    ended = pushtui("send", "--url", server_url, text=" \n\n")
    assert (ended.returncode, ended.stderr) == (2, "pushtui: there is nothing to send\n")


def test_no_server(pushtui: Pushtui, silent_port: int) -> None:
    ended = pushtui("send", "--url", f"127.0.0.1:{silent_port}", "--lines", text="\nhello\n")
    assert ended.returncode == 4
    assert ended.stderr == f"pushtui: line 2: no server at 127.0.0.1:{silent_port}; it was not sent\n"


@pytest.fixture
def broken_once(server_url: str) -> Iterator[str]:
    """The address of a way to the server on which the first answer gets lost."""
    host, port = Address.parse(server_url).authority.split(":")

    def pass_on() -> None:
        for answers in (False, True):
            near, _ = listener.accept()
            with near, socket.create_connection((host, int(port))) as far:
                request = b""
                while b"}" not in request:  # the end of the body
                    request += near.recv(65536)
                far.sendall(request)
                response = far.recv(65536)
                if answers:
                    near.sendall(response)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        passing = threading.Thread(target=pass_on)
        passing.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        passing.join()


async def test_an_answer_that_got_lost_does_not_make_two_of_one(
    pushtui: Pushtui, server_url: str, broken_once: str, room: str
) -> None:
    ended = pushtui("send", "--url", broken_once, "--room", room, "--nick", "ana", "once")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert await said(server_url, room) == [("ana", "once")]
