"""``python -m tests.server.far_client URL [patient]``: both clients in a process of their own.

It says what comes on standard input, a line a message, and tells what happens on standard output: one JSON object
a line. A patient one waits as long as clients do; else its timeouts are short, for tests in which it is to notice.
"""

# ruff: noqa: T201
# It is a program; this is how it speaks.

import asyncio
import json
import sys
from collections.abc import AsyncIterable

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import CaughtUp, Delivery, Link, RoomEvent, StatusEvent
from pushtui.client.status import SILENCE, StatusClient
from pushtui.client.websocket import Timeouts

NICK = "far"
_TIMEOUTS = Timeouts(opening=1.0, ping_interval=0.2, ping_timeout=0.8, closing=0.1)
_SILENCE = 1.0


async def _run(url: str, *, patient: bool) -> None:
    address = Address.parse(url)
    chat = ChatClient(address, nick=NICK, timeouts=None if patient else _TIMEOUTS, backoff=_soon())
    status = StatusClient(address, silence=SILENCE if patient else _SILENCE, backoff=_soon())
    async with chat, status:
        await asyncio.gather(_say(chat), _tell("chat", chat), _tell("status", status))


async def _say(chat: ChatClient) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        chat.say("main", line.decode().strip())


def _soon() -> Backoff:
    return Backoff(initial=0.1, cap=0.2, floor=0.1)


async def _tell(flow: str, happenings: AsyncIterable[object]) -> None:
    async for happening in happenings:
        match happening:
            case Link(state=state, reason=reason):
                told: dict[str, object] = {"what": "link", "state": state, "reason": reason}
            case CaughtUp(outcome=outcome, replayed=replayed):
                told = {"what": "caught up", "outcome": outcome, "replayed": replayed}
            case RoomEvent(seq=seq, kind="message"):
                told = {"what": "event", "seq": seq}
            case StatusEvent(position=position) if position is not None:
                told = {"what": "event", "seq": position.seq}
            case Delivery(state="stored"):
                told = {"what": "stored"}
            case _:
                continue
        print(json.dumps({"flow": flow, **told}), flush=True)


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], patient="patient" in sys.argv[2:]))
