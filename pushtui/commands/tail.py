"""``pushtui tail``: a flow as lines on standard output."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from pushtui.client.address import Address
from pushtui.client.happenings import ChatHappening, Link, LinkState, StatusHappening
from pushtui.commands import target
from pushtui.commands.standard_output import while_read
from pushtui.exits import CommandError, Exit

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

    Raises:
        CommandError: there is no server, or it refused.
        BrokenPipeError: nobody reads any more.
    """
    address = target.address_of(url)
    room = target.room(room)
    name = target.nick(nick) if nick is not None else f"{target.login()[:20]}-tail-{os.getpid()}"
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # an ASCII terminal stays readable
    asyncio.run(while_read(follow(flow, address, room=room, nick=name, replay=replay, wait=wait, as_json=as_json)))
    return Exit.FINE


async def follow(
    flow: Flow,
    address: Address,
    *,
    room: str,
    nick: str,
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
    async with _client(flow, address, room=room, nick=nick, replay=replay) as client:
        async for happening in client:
            if isinstance(happening, Link):
                was_live = was_live or happening.state is LinkState.LIVE
                _give_up(happening, address, was_live)
            for line in lines(happening):
                print(line, flush=True)  # noqa: T201


def _client(
    flow: Flow, address: Address, *, room: str, nick: str, replay: int
) -> AbstractAsyncContextManager[AsyncIterable[ChatHappening | StatusHappening]]:
    if flow == "chat":
        from pushtui.client.chat import ChatClient

        return ChatClient(address, nick=nick, rooms=(room,), replay=replay)
    from pushtui.client.status import StatusClient

    return StatusClient(address, replay=replay)


def _lines(flow: Flow, as_json: bool) -> Callable[[Any], Iterable[str]]:
    if as_json:
        from pushtui.commands.records import record

        return lambda happening: (record(happening),)
    from pushtui.commands.lines import ChatLines, StatusLines

    return (ChatLines if flow == "chat" else StatusLines)(_now_ms).of


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _give_up(link: Link, address: Address, was_live: bool) -> None:
    whose = "" if link.code is None else f"{address.authority}: "
    if link.state is LinkState.REFUSED:
        raise CommandError(Exit.REFUSED, f"{whose}{link.reason}")
    if link.state is LinkState.LOST and not was_live:
        raise CommandError(Exit.NO_SERVER, f"{whose}{link.reason} (--wait waits for it)")
