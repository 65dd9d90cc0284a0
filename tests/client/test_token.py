"""What lets a client in: it goes where it is meant to go and nowhere else, and without it nothing goes on."""

import asyncio
import io
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pushtui import logs
from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.conversation import NickFixedError
from pushtui.client.happenings import Link, LinkState, Pending, Undeliverable
from pushtui.client.inspection import Asking, Inspection, NoFlowError, Target
from pushtui.client.outbox_file import path_of
from pushtui.client.posting import PostRefusedError, post_message
from pushtui.client.status import StatusClient
from pushtui.protocol import messages
from pushtui.protocol.eventstream import block
from pushtui.protocol.token import Token, TokenRefusedError, masked
from tests.client.chatting import client, is_delivery, is_link
from tests.client.peers import (
    TOKEN,
    Caller,
    FakeClock,
    Request,
    Room,
    chat_peer,
    collect,
    forever,
    http_peer,
    remainder,
    until,
)

SECRET = TOKEN.header.rpartition("_")[2]
Clients = Callable[[Address], Any]


def chat_of(address: Address) -> ChatClient:
    return ChatClient(address, nick="guess", token=TOKEN, clock=FakeClock())


def status_of(address: Address) -> StatusClient:
    return StatusClient(address, token=TOKEN, clock=FakeClock())


def ends(told: Sequence[object]) -> Link:
    """The last that is told of a link."""
    return [one for one in told if isinstance(one, Link)][-1]


both_flows = pytest.mark.parametrize("make", [chat_of, status_of])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "ptk_1_",
        "ptk_1_short",
        f"xptk_1_{SECRET}",
        f"ptk_1_{SECRET}\r\nX: y",
        "ptk_é_" + SECRET,
    ],
)
def test_what_does_not_look_like_a_token_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        Token(text)
    assert not text or text not in str(refused.value)


def test_a_token_is_not_shown() -> None:
    assert SECRET in TOKEN.header
    for shown in (repr(TOKEN), str(TOKEN), f"{TOKEN}", repr({"token": [TOKEN]})):
        assert "0123456789ab" in shown
        assert SECRET not in shown
    assert Token(f"  {TOKEN.header.removeprefix('Bearer ')}\n") == TOKEN
    assert masked(f"> Authorization: {TOKEN.header}!") == "> Authorization: Bearer ptk_0123456789ab_…!"


@both_flows
async def test_a_refused_token_ends_it_with_the_words_of_the_server(make: Clients) -> None:
    asked: list[str | None] = []

    async def peer(request: Request) -> None:
        asked.append(request.headers.get("authorization"))
        body = b'{"code": "not_allowed", "message": "this token was \\u001brevoked"}'
        await request.answer("401 Unauthorized", "Content-Type: application/json", body=body)

    async with http_peer(peer) as address, make(address) as refused:
        told = await remainder(refused)
    assert asked == [TOKEN.header]
    assert ends(told) == Link(LinkState.REFUSED, "this token was �revoked", code=401)


async def test_a_body_without_end_is_not_waited_for() -> None:
    async def peer(request: Request) -> None:
        await request.send(
            b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
        )
        while True:
            await request.send(b"{" * 65536)

    async with http_peer(peer) as address, status_of(address) as refused:
        told = await remainder(refused)
    assert ends(told) == Link(LinkState.REFUSED, "the server wants a valid token (HTTP 401)", code=401)


async def test_a_chat_whose_token_ends_stops_and_keeps_what_was_said(tmp_path: Path) -> None:
    tries = 0

    async def peer(caller: Caller) -> None:
        nonlocal tries
        tries += 1
        await caller.hear()
        await caller.welcome("main", nick="ana")
        await caller.hear()
        await caller.tell(messages.Bye(4500, "this token was revoked"))
        await caller.connection.close(4500, "this token was revoked")

    async with chat_peer(peer) as address:
        async with client(address, nick="guess", token=TOKEN, outbox=tmp_path) as chat:
            await collect(chat, is_link(LinkState.LIVE))
            await until(lambda: chat.kept)
            key = chat.say("main", "not stored")
            told = await remainder(chat)
        assert ends(told) == Link(LinkState.REFUSED, "this token was revoked", code=4500)
        assert tries == 1
        assert path_of(tmp_path, address, "ana").exists()
    room = Room()

    async def named(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main", nick="ana")
        said = await caller.hear()
        await caller.tell(room.add(said.text, "ana", said.key))
        await forever()

    # the same nick at the same address, under a new token
    async with chat_peer(named) as other:
        path_of(tmp_path, address, "ana").rename(path_of(tmp_path, other, "ana"))
        async with client(other, nick="ana", token=TOKEN, outbox=tmp_path) as chat:
            told = await collect(chat, is_delivery("stored"))
    assert [one.key for one in told if isinstance(one, Pending)] == [key]
    assert room.texts == ["not stored"]


async def test_a_status_stream_whose_token_ends_stops() -> None:
    asked = 0

    async def peer(request: Request) -> None:
        nonlocal asked
        asked += 1
        await request.open_stream(
            block('{"code": 4500, "reason": "this token has expired"}', event="bye", retry=10)
        )
        await forever()

    async with http_peer(peer) as address, status_of(address) as status:
        told = await remainder(status)
    assert ends(told) == Link(LinkState.REFUSED, "this token has expired", code=4500)
    assert asked == 1


async def test_somebody_who_was_removed_is_told_why() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(messages.Bye(4503, "ben removed you for 10 min: be kind", 600_000))
        await caller.connection.close(4503)

    async with chat_peer(peer) as address, client(address) as chat:
        told = await remainder(chat)
    assert ends(told) == Link(LinkState.REFUSED, "ben removed you for 10 min: be kind", code=4503)


@asynccontextmanager
async def elsewhere(
    location: Callable[[Address], str],
) -> AsyncIterator[tuple[Address, list[Request], list[Request]]]:
    """A server that redirects, and one where it leads; with what each was asked."""
    here: list[Request] = []
    there: list[Request] = []

    async def other(request: Request) -> None:
        there.append(request)
        await request.answer("404 Not Found")

    async with http_peer(other) as target:

        async def redirect(request: Request) -> None:
            here.append(request)
            await request.answer("307 Temporary Redirect", f"Location: {location(target)}")

        async with http_peer(redirect) as address:
            yield address, here, there


REDIRECTS = {
    "port": lambda target: f"{target.http}/status",
    "host": lambda target: f"http://localhost:{target.authority.rpartition(':')[2]}/status",
    "websocket": lambda target: f"{target.ws}/chat",
    "scheme": lambda target: f"https://{target.authority}/status",
}


@both_flows
@pytest.mark.parametrize("where", REDIRECTS)
async def test_a_redirect_to_another_origin_ends_it(make: Clients, where: str) -> None:
    async with elsewhere(REDIRECTS[where]) as (address, here, there), make(address) as refused:
        told = await remainder(refused)
    last = ends(told)
    assert last.state is LinkState.REFUSED
    assert last.reason.startswith("the server redirects to ")
    assert last.reason.endswith(", and your token is not for there")
    assert [request.headers["authorization"] for request in here] == [TOKEN.header]
    assert there == []


@both_flows
async def test_a_redirect_within_the_origin_takes_the_token_along(make: Clients) -> None:
    asked: list[tuple[str, str | None]] = []

    async def peer(request: Request) -> None:
        asked.append((request.target.partition("?")[0], request.headers.get("authorization")))
        if "/elsewhere" in request.target:
            await request.answer("404 Not Found")
        else:
            await request.answer("307 Temporary Redirect", "Location: /elsewhere")

    async with http_peer(peer) as address, make(address) as refused:
        await remainder(refused)
    assert asked[-1] == ("/elsewhere", TOKEN.header)
    assert len(asked) == 2


async def test_a_message_is_not_posted_elsewhere() -> None:
    async with elsewhere(REDIRECTS["port"]) as (address, _, there):
        with pytest.raises(PostRefusedError, match=r"there is no pushtui at .* \(HTTP 307\)"):
            await post_message(address, "main", "hi", nick="ana", key="k", token=TOKEN)
    assert there == []


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_an_inspection_does_not_take_it_elsewhere(scheme: str) -> None:
    async with elsewhere(REDIRECTS["port"]) as (address, here, there):
        target = Target.parse(f"{scheme}://{address.authority}/x")
        with pytest.raises(NoFlowError, match="your token is not for there"):
            async for _ in Inspection(target, Asking(TOKEN)).records():
                pass
    assert [request.headers["authorization"] for request in here] == [TOKEN.header]
    assert there == []


async def test_with_a_token_the_server_says_who_one_is() -> None:
    async def peer(caller: Caller) -> None:
        hello = await caller.hear()
        assert hello.token is None  # the header has it
        await caller.welcome("main", nick="ana")
        await forever()

    async with chat_peer(peer) as address, client(address, nick="guess", token=TOKEN) as chat:
        await collect(chat, lambda one: isinstance(one, messages.Welcome))
        assert chat.nick == "ana"
        with pytest.raises(NickFixedError, match="your token says who you are: ana"):
            chat.rename("ben")
        assert chat.link.state is LinkState.LIVE


async def test_what_another_nick_left_is_not_said_under_the_name_of_the_token(tmp_path: Path) -> None:
    async def unanswering(caller: Caller) -> None:
        await caller.hear()
        await forever()

    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main", nick="ana")
        while True:
            said = await caller.hear()
            heard.append(said)
            await caller.tell(messages.Error("not_allowed", "no", said.key))

    async with chat_peer(unanswering) as address, client(address, nick="guess", outbox=tmp_path) as chat:
        chat.say("main", "said by guess")
    async with chat_peer(peer) as other:
        path_of(tmp_path, address, "guess").rename(path_of(tmp_path, other, "guess"))
        async with client(other, nick="guess", token=TOKEN, outbox=tmp_path) as chat:
            assert not chat.kept
            chat.say("main", "said by ana")
            await collect(chat, lambda one: isinstance(one, Undeliverable))
    assert [said.text for said in heard] == ["said by ana"]
    assert path_of(tmp_path, other, "guess").exists()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that the program logs, as it writes it at the level ``debug``."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.SafeFormatter(logs.FORMAT))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


Failing = Callable[[Request], Awaitable[None]]


async def hang_up(request: Request) -> None:
    request.cut()


async def talk_nonsense(request: Request) -> None:
    await request.send(f"ptk? {request.headers['authorization']}\r\n\r\n".encode())


async def say_it_back(request: Request) -> None:
    said = request.headers["authorization"]
    await request.answer(f"401 {said}", f"X: {said}", body=f'{{"code": "x", "message": "{said}"}}'.encode())


async def redirect_with_it(request: Request) -> None:
    await request.answer("302 Found", f"Location: http://{request.headers['authorization'][7:]}.example/")


@pytest.mark.parametrize("fail", [hang_up, talk_nonsense, say_it_back, redirect_with_it])
async def test_no_log_error_or_happening_holds_it(fail: Failing, log: io.StringIO) -> None:
    told: list[object] = []
    async with http_peer(fail) as address:
        for make in (chat_of, status_of):
            async with make(address) as failing:
                told += await collect(failing, lambda one: isinstance(one, Link) and bool(one.reason))
                told += [repr(vars(failing))]
        try:
            await post_message(address, "main", "hi", nick="ana", key="k", token=TOKEN)
        except Exception as error:
            told.append(str(error))
            told.append(masked("".join(traceback.format_exception(error))))  # as the command line writes it
        for scheme in ("http", "ws"):
            try:
                async with asyncio.timeout(5):
                    target = Target.parse(f"{scheme}://{address.authority}/")
                    async for record in Inspection(target, Asking(TOKEN), once=True).records():
                        told.append(record)
            except Exception as error:
                told.append(str(error))
    assert "Authorization" in log.getvalue()  # the libraries do log what they send
    for written in (log.getvalue(), repr(told)):
        assert SECRET not in written
