"""``pushtui tail``: a flow as lines on standard output."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Literal

from pushtui.client.address import Address
from pushtui.client.happenings import ChatHappening, Link, LinkState, StatusHappening
from pushtui.commands import credential, target
from pushtui.commands.standard_output import while_read
from pushtui.exits import CommandError, Exit
from pushtui.protocol.token import Token

Flow = Literal["chat", "status"]


def run(
    flow: Flow,
    *,
    url: str,
    room: str,
    nick: str | None,
    replay: int,
    wait: bool,
    as_json: bool,
    token_file: Path | None = None,
) -> int:
    """Print the flow until interrupted.

    Args:
        flow: which one.
        url: the server.
        room: which room, for the chat.
        nick: who reads along, for the chat; by default a name that says so.
        replay: how many older events to begin with.
        wait: whether a server that is not there at the first try is waited for.
        as_json: JSON objects instead of text.
        token_file: the file with the token, if not PUSHTUI_TOKEN has it.

    Raises:
        CommandError: there is no server, or it refused.
        BrokenPipeError: nobody reads any more.
    """
    address = target.address_of(url)
    room = target.room(room)
    name = target.nick(nick) if nick is not None else f"{target.login()[:20]}-tail-{os.getpid()}"
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # an ASCII terminal stays readable
    token = credential.given(token_file)

    def show() -> None:
        if token is not None and not address.private:
            credential.warn(address.authority)
        asyncio.run(
            while_read(
                follow(flow, address, room=room, nick=name, token=token, replay=replay, wait=wait, as_json=as_json)
            )
        )

    try:
        show()
    except credential.TokenWantedError:
        if token is not None or (token := credential.ask(address)) is None:
            raise
        show()
    return Exit.FINE


async def follow(
    flow: Flow,
    address: Address,
    *,
    room: str,
    nick: str,
    token: Token | None = None,
    replay: int,
    wait: bool = False,
    as_json: bool = False,
) -> None:
    """Print the flow, through all losses of the link; arguments as for `run`.

    Raises:
        CommandError: there is no server, or it refused.
        BrokenPipeError: nobody reads any more.
    """
    lines = _lines(flow, as_json)
    was_live = wait
    async with _client(flow, address, room=room, nick=nick, token=token, replay=replay) as client:
        async for happening in client:
            if isinstance(happening, Link):
                was_live = was_live or happening.state is LinkState.LIVE
                _give_up(happening, address, was_live, had_token=token is not None)
            for line in lines(happening):
                print(line, flush=True)  # noqa: T201


def _client(
    flow: Flow, address: Address, *, room: str, nick: str, token: Token | None, replay: int
) -> AbstractAsyncContextManager[AsyncIterable[ChatHappening | StatusHappening]]:
    if flow == "chat":
        from pushtui.client.chat import ChatClient

        return ChatClient(address, nick=nick, rooms=(room,), token=token, replay=replay)
    from pushtui.client.status import StatusClient

    return StatusClient(address, token=token, replay=replay)


def _lines(flow: Flow, as_json: bool) -> Callable[[Any], Iterable[str]]:
    if as_json:
        from pushtui.commands.records import record

        return lambda happening: (record(happening),)
    from pushtui.commands.lines import ChatLines, StatusLines

    return (ChatLines if flow == "chat" else StatusLines)(_now_ms).of


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _give_up(link: Link, address: Address, was_live: bool, *, had_token: bool) -> None:
    whose = "" if link.code is None else f"{address.authority}: "
    if link.state is LinkState.REFUSED:
        raise credential.refusal(f"{whose}{link.reason}", link.code, had_token=had_token)
    if link.state is LinkState.LOST and not was_live:
        raise CommandError(Exit.NO_SERVER, f"{whose}{link.reason} (--wait waits for it)")
