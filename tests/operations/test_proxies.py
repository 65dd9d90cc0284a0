"""Reverse proxies: what passes between a client and a server on the way through nginx and Caddy."""

import asyncio
import contextlib
import re
import socket
import ssl
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import CaughtUp, Delivery, Link, LinkState, RoomEvent, StatusEvent
from pushtui.client.posting import Poster
from pushtui.client.status import StatusClient
from pushtui.protocol.bodies import Message, Notice
from pushtui.protocol.messages import Bye
from pushtui.protocol.positions import Outcome, Position
from pushtui.protocol.token import Token
from server.timing import Timing
from tests.client.peers import collect, until
from tests.operations.conftest import Front
from tests.operations.proxies import NAME, RECIPES

#: Less than the 15 s after which a server writes to a silent stream, and so finds out by itself who is gone.
PATIENCE = 10.0


def chat_client(address: Address, token: Token, room: str) -> ChatClient:
    """One who does not come back before being told to."""
    backoff = Backoff(initial=10_000, cap=10_000)
    return ChatClient(address, nick="any", rooms=[room], token=token, backoff=backoff)


def status_client(address: Address, token: Token, position: Position | None = None) -> StatusClient:
    backoff = Backoff(initial=10_000, cap=10_000)
    return StatusClient(address, replay=0, position=position, events=["notice"], token=token, backoff=backoff)


def is_caught_up(happening: object) -> bool:
    return isinstance(happening, CaughtUp)


def is_link(state: LinkState) -> Any:
    return lambda happening: isinstance(happening, Link) and happening.state is state


def is_message(text: str) -> Any:
    return lambda happening: isinstance(happening, RoomEvent) and happening.body == Message(text)


def is_stored(key: str) -> Any:
    return lambda happening: happening == Delivery(key, "stored")


def notices(told: list[Any]) -> list[tuple[str, bool]]:
    """The text of each notice, and whether it was replayed."""
    return [
        (happening.body.text, happening.replayed)
        for happening in told
        if isinstance(happening, StatusEvent) and isinstance(happening.body, Notice)
    ]


def is_notice(text: str) -> Any:
    return lambda happening: bool(notices([happening])) and happening.body.text == text


async def notify(address: Address, token: Token, text: str) -> None:
    headers = {"Content-Type": "text/plain", "Authorization": token.header}
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{address}/notices", content=text, headers=headers)
    assert answer.status_code == 201, answer.text


@contextlib.asynccontextmanager
async def curl(front: Front, *arguments: str) -> AsyncIterator[Process]:
    """The command that the README shows."""
    process = await asyncio.create_subprocess_exec(
        *("curl", "-q", "-sS", "-N", "--noproxy", "*", "--cacert", str(front.certificate.certificate)),
        *("--resolve", f"{NAME}:{front.proxy.port}:127.0.0.1", *arguments),
        stdout=PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


async def test_two_people_talk(front: Front, address: Address, room: str) -> None:
    async with chat_client(address, front.ana, room) as ana, chat_client(address, front.ben, room) as ben:
        await collect(ana, is_caught_up)
        await collect(ben, is_caught_up)
        assert (ana.nick, ben.nick) == ("ana", "ben")
        key = ana.say(room, "from ana")
        await collect(ben, is_message("from ana"))
        await collect(ana, is_stored(key))
        long = "from ben " + "ü" * 8000  # more than a buffer of a proxy
        ben.say(room, long)
        await collect(ana, is_message(long))


async def test_an_event_arrives_when_it_is_made(front: Front, address: Address, room: str) -> None:
    async with status_client(address, front.ana) as status:
        await collect(status, is_caught_up)
        for text in (f"{room} one", f"{room} two"):  # the second shows that the first did not wait for company
            await notify(address, front.ben, text)
            told = await collect(status, is_notice(text))
            assert notices(told) == [(text, False)]
            assert status.link.state is LinkState.LIVE


async def test_curl_sees_it_as_well(front: Front, address: Address, room: str) -> None:
    async with (
        curl(front, "-H", f"Authorization: {front.ana.header}", f"{address}/status?replay=0") as watching,
        asyncio.timeout(PATIENCE),
    ):
        assert watching.stdout is not None
        while not (await watching.stdout.readline()).startswith(b"event: resume"):
            pass
        await notify(address, front.ben, room)
        while room.encode() not in await watching.stdout.readline():
            pass


async def test_one_goes_on_where_one_was(front: Front, address: Address, room: str) -> None:
    async with status_client(address, front.ana) as status:
        await collect(status, is_caught_up)
        await notify(address, front.ben, f"{room} before")
        *_, last = await collect(status, is_notice(f"{room} before"))
    assert isinstance(last, StatusEvent)
    await notify(address, front.ben, f"{room} missed")
    async with status_client(address, front.ana, last.position) as status:  # sends Last-Event-ID
        told = await collect(status, is_caught_up)
    assert notices(told) == [(f"{room} missed", True)]
    assert told[-1] == CaughtUp(None, Outcome.CAUGHT_UP, 1)


async def test_what_is_posted_is_stored_once(front: Front, address: Address, room: str) -> None:
    text = "x" * 16_000
    async with (
        Poster(address, room, nick="any", token=front.ana) as poster,
        chat_client(address, front.ben, room) as ben,
    ):
        await collect(ben, is_caught_up)
        posted = await poster.post(text, key=room)
        assert (await poster.post(text, key=room)).position == posted.position
        await collect(ben, is_message(text))


async def test_a_restart_is_told_and_people_come_back(front: Front, address: Address, room: str) -> None:
    trusting = ssl.create_default_context()
    async with (
        chat_client(address, front.ana, room) as ana,
        status_client(address, front.ana) as status,
        connect(
            address.chat, ssl=trusting, proxy=None, additional_headers={"Authorization": front.ben.header}
        ) as silent,
    ):
        await collect(ana, is_caught_up)
        await collect(status, is_caught_up)
        await notify(address, front.ben, f"{room} before")
        await collect(status, is_notice(f"{room} before"))
        await asyncio.to_thread(front.server.stop)
        farewell = await collect(ana, is_link(LinkState.LOST))
        assert [told.code for told in farewell if isinstance(told, Bye)] == [1012]
        told = await collect(status, is_link(LinkState.LOST))
        assert told[-1].code == 1012  # type: ignore[union-attr]
        async with asyncio.timeout(PATIENCE):
            await silent.wait_closed()
        assert silent.close_code == 1012

        said = ana.say(room, "while it was gone")
        ana.retry_now()
        *_, link = await collect(ana, is_link(LinkState.LOST))
        assert isinstance(link, Link)
        assert link.code == 502  # the proxy's own word, and one to come back after

        await asyncio.to_thread(front.server.start)
        ana.retry_now()
        status.retry_now()
        await collect(ana, is_stored(said))
        told = await collect(status, is_caught_up)
        assert told[-1] == CaughtUp(None, Outcome.CAUGHT_UP, 0)


async def test_who_leaves_is_gone_on_the_server_too(front: Front, address: Address, room: str) -> None:
    async with httpx.AsyncClient(headers={"Authorization": front.ben.header}) as http:

        async def connected() -> list[str]:
            metrics = (await http.get(f"{address}/metrics")).text
            return re.findall(r"^pushtui_connections.*", metrics, re.MULTILINE)

        before = await connected()
        async with chat_client(address, front.ana, room) as ana, status_client(address, front.ana) as status:
            await collect(ana, is_caught_up)
            await collect(status, is_caught_up)
            assert await connected() != before
        async with asyncio.timeout(PATIENCE):
            while await connected() != before:
                pass


async def test_the_address_of_a_client_is_its_own(front: Front, address: Address) -> None:
    mischief, neighbour = (
        ("127.0.0.2", "127.0.0.3") if address.http.endswith("/team") else ("127.0.0.4", "127.0.0.5")
    )
    with socket.socket() as probe:
        try:
            probe.bind((mischief, 0))
        except OSError as error:
            pytest.skip(f"this machine has one loopback address only: {error.strerror}")

    async def knock(source: str, **headers: str) -> int:
        transport = httpx.AsyncHTTPTransport(local_address=source)
        wrong = {"Authorization": front.ana.header[:-4] + "AAAA"}
        async with httpx.AsyncClient(transport=transport, headers=wrong | headers) as http:
            return (await http.get(f"{address}/metrics")).status_code

    async with asyncio.timeout(PATIENCE):
        while await knock(mischief) != 429:
            pass
    assert await knock(neighbour) == 401
    # What a client claims about itself is not passed on.
    assert await knock(mischief, **{"X-Forwarded-For": "192.0.2.1"}) == 429


async def test_no_log_of_the_proxy_holds_a_token(front: Front, address: Address, room: str) -> None:
    async with chat_client(address, front.ana, room) as ana, status_client(address, front.ana) as status:
        await collect(ana, is_caught_up)
        await collect(status, is_caught_up)
    async with httpx.AsyncClient(headers={"Authorization": front.ana.header}) as http:
        await http.get(f"{address}/healthz?{room}")
    log = front.proxy.access_log
    await until(lambda: all(path in log.read_text() for path in (room, "/chat", "/status")))  # written afterwards
    secret = front.ana.header.rpartition("_")[2]
    assert secret not in log.read_text()
    assert secret not in log.with_name("stderr").read_text()


def test_nginx_waits_longer_than_the_server_is_ever_silent() -> None:
    recipe = (RECIPES / "nginx.conf").read_text()
    waits = dict(re.findall(r"proxy_(read|send)_timeout (\d+)s;", recipe))
    assert set(waits) == {"read", "send"}
    assert min(map(int, waits.values())) >= 2 * max(Timing().heartbeat, Timing().ping)


def test_caddy_has_no_timeout_for_streams() -> None:
    settings = re.sub("#.*", "", (RECIPES / "Caddyfile").read_text())
    assert "timeout" not in settings
