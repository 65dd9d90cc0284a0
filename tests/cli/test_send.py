import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import CaughtUp, RoomEvent
from pushtui.protocol.bodies import Message
from pushtui.protocol.limits import LIMITS
from tests.cli.conftest import SECONDS, PushtuiHere


def said(url: str, room: str) -> list[tuple[str, str]]:
    """Who said what in a room so far."""
    return asyncio.run(_said(url, room))


async def _said(url: str, room: str) -> list[tuple[str, str]]:
    messages = []
    async with ChatClient(Address.parse(url), nick="reader", rooms=(room,)) as client:
        async for happening in client:
            if isinstance(happening, RoomEvent) and isinstance(happening.body, Message):
                messages.append((happening.by, happening.body.text))
            if isinstance(happening, CaughtUp):
                break
    return messages


def test_the_words_are_one_message(pushtui_here: PushtuiHere, server_url: str, room: str) -> None:
    ended = pushtui_here("send", "--url", server_url, "--room", room, "--nick", "ana", "hello", "there")
    assert ended == (0, "", "")
    assert said(server_url, room) == [("ana", "hello there")]


def test_options_may_come_from_the_environment(pushtui_here: PushtuiHere, server_url: str, room: str) -> None:
    assert pushtui_here("send", "hi", PUSHTUI_URL=server_url, PUSHTUI_ROOM=room, PUSHTUI_NICK="美咲")[0] == 0
    assert said(server_url, room) == [("美咲", "hi")]


def test_words_that_look_like_options_follow_two_dashes(
    pushtui_here: PushtuiHere, server_url: str, room: str
) -> None:
    assert pushtui_here("send", "--url", server_url, "--room", room, "--nick", "ana", "--", "--help")[0] == 0
    assert said(server_url, room) == [("ana", "--help")]


def test_standard_input_is_one_message(pushtui_here: PushtuiHere, server_url: str, room: str) -> None:
    text = "  first\n\n\tlast\n\n"
    ended = pushtui_here("send", "--url", server_url, "--room", room, "--nick", "ci", text=text)
    assert ended == (0, "", "")
    assert said(server_url, room) == [("ci", "  first\n\n\tlast")]


def test_each_line_of_standard_input(pushtui_here: PushtuiHere, server_url: str, room: str) -> None:
    ended = pushtui_here(
        "send", "--url", server_url, "--room", room, "--nick", "ci", "--lines", text="a\n\n  \nb\nc"
    )
    assert ended == (0, "", "")
    assert said(server_url, room) == [("ci", "a"), ("ci", "b"), ("ci", "c")]


def test_as_much_as_fits_is_sent_and_more_is_not(pushtui_here: PushtuiHere, server_url: str, room: str) -> None:
    full = "x" * LIMITS.text_bytes
    options = ("send", "--url", server_url, "--room", room, "--nick", "ci")
    over = pushtui_here(*options, text=full + "x")
    assert over == (
        5,
        "",
        f"pushtui: nothing was sent: a message has at most {LIMITS.text_bytes} bytes, and standard input has more"
        " (--lines sends each line by itself)\n",
    )
    assert pushtui_here(*options, text=full + "\n")[0] == 0
    assert said(server_url, room) == [("ci", full)]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_line_that_is_too_long_is_named_and_ends_it(
    pushtui_here: PushtuiHere, server_url: str, room: str, end: str
) -> None:
    full = "x" * LIMITS.text_bytes
    ended = pushtui_here(
        *("send", "--url", server_url, "--room", room, "--nick", "ci", "--lines"),
        text=end.join(["", full, full + "y", "z"]),
    )
    assert ended == (
        5,
        "",
        f"pushtui: line 3: a message has at most {LIMITS.text_bytes} bytes, and this line has more;"
        " it was not sent\n",
    )
    assert said(server_url, room) == [("ci", full)]


def test_what_the_server_refuses_is_said_and_not_stored(
    pushtui_here: PushtuiHere, server_url: str, room: str
) -> None:
    ended = pushtui_here(
        "send", "--url", server_url, "--room", room, "--nick", "ci", "x" * (LIMITS.text_bytes + 1)
    )
    code, _, complaint = ended
    assert code == 5
    assert complaint.endswith("; it was not sent\n")
    assert complaint.count("\n") == 1
    assert said(server_url, room) == []


def test_no_text_at_all(pushtui_here: PushtuiHere, server_url: str) -> None:
    ended = pushtui_here("send", "--url", server_url, text=" \n\n")
    assert ended == (2, "", "pushtui: there is nothing to send\n")


def test_no_server(pushtui_here: PushtuiHere, silent_port: int) -> None:
    ended = pushtui_here("send", "--url", f"127.0.0.1:{silent_port}", "--lines", text="\nhello\n")
    assert ended == (4, "", f"pushtui: line 2: no server at 127.0.0.1:{silent_port}; it was not sent\n")


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


def test_an_answer_that_got_lost_does_not_make_two_of_one(
    pushtui_here: PushtuiHere, server_url: str, broken_once: str, room: str
) -> None:
    ended = pushtui_here("send", "--url", broken_once, "--room", room, "--nick", "ana", "once")
    assert ended == (0, "", "")
    assert said(server_url, room) == [("ana", "once")]
