"""A thousand messages over a bad network, and by a program that is killed: each is stored once, in order."""

import asyncio
import os
import random
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
import pytest

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import Delivery
from pushtui.client.outbox import now_ms
from pushtui.client.websocket import Timeouts
from pushtui.protocol.messages import Error
from server.application import Server
from server.log.sqlite import SqliteStore
from server.log.streams import room_stream
from tests.client.chatting import both
from tests.client.proxy import BLACK_HOLE, CLOSED, CUT, HALVED, Proxy
from tests.server.conftest import NO_FLOODS

MESSAGES = 1000
CUTS = 50
KILLS = 6
#: Most of the ends are sudden; a black hole takes a while to be noticed.
FATES = [CUT] * 8 + [HALVED] * 6 + [CLOSED] * 5 + [BLACK_HOLE]
PATIENCE = 60.0


class House(NamedTuple):
    """A running server, and what is in its log."""

    port: int
    store: SqliteStore

    async def rows(self) -> list[tuple[int, str, str | None, str]]:
        """The main room's entries from the disk: seq, author, key, text."""
        rows: list[tuple[int, str, str | None, str]] = []
        stream = room_stream("main")
        while page := await self.store.read(stream, rows[-1][0] if rows else 0, 500):
            rows += [(one.seq, one.by, one.key, msgspec.json.decode(one.body)["text"]) for one in page]
        return rows


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = SqliteStore(tmp_path / "log.sqlite3", clock_ms=now_ms)
    server = Server(store, protection=NO_FLOODS)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        await server.start(listener.dup())
    yield House(port, store)
    await server.stop()


@pytest.fixture
def seed() -> int:
    """Printed when a test fails."""
    drawn = random.randrange(1_000_000)
    print("seed", drawn)  # noqa: T201
    return drawn


def hasty() -> Backoff:
    return Backoff(initial=0.002, cap=0.01, floor=0.0)


@both
async def test_nothing_is_lost_or_doubled_on_a_bad_network(
    house: House, seed: int, subprotocol: str, tmp_path: Path
) -> None:
    states: dict[str, list[str]] = {}
    async with (
        asyncio.timeout(PATIENCE),
        Proxy(house.port, cuts=CUTS, fates=FATES, seed=seed).running() as proxy,
        ChatClient(
            Address.parse(f"127.0.0.1:{proxy.port}"),
            nick="ana",
            subprotocol=subprotocol,
            outbox=tmp_path / "outbox",
            backoff=hasty(),
            timeouts=Timeouts(opening=0.3, ping_interval=0.1, ping_timeout=0.2, closing=0.1),
        ) as chat,
    ):
        keys = [chat.say("main", str(number)) for number in range(MESSAGES)]
        async for happening in chat:
            assert not isinstance(happening, Error)
            if isinstance(happening, Delivery):
                states.setdefault(happening.key, []).append(happening.state)
            if happening == Delivery(keys[-1], "stored"):
                break
        assert proxy.ended.total() == CUTS
        assert min(proxy.ended[kind] for kind in (CUT, HALVED, CLOSED)) > 0
    rows = await house.rows()
    assert [text for _, _, _, text in rows] == [str(number) for number in range(MESSAGES)]
    assert [key for _, _, key, _ in rows] == keys
    assert {by for _, by, _, _ in rows} == {"ana"}
    assert list(states) == keys
    for told in states.values():
        assert told[:2] == ["queued", "sent"]
        assert told.index("stored") == len(told) - 1


async def test_nothing_is_lost_or_doubled_by_a_program_that_is_killed(
    house: House, seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    kills = sorted(chance.sample(range(20, MESSAGES - 200), KILLS))
    said: list[int] = []
    unsure: set[int] = set()
    fates = [fate for fate in FATES if fate != BLACK_HOLE]  # a nick is free again when the server has noticed
    async with (
        asyncio.timeout(PATIENCE),
        Proxy(house.port, cuts=CUTS, fates=fates, seed=seed).running() as proxy,
    ):
        first = 0
        for last in [*kills, None]:
            first = await speak(proxy.port, tmp_path / "outbox", first, last, said, unsure)
    rows = await house.rows()
    numbers = [int(text) for _, _, _, text in rows]
    assert numbers == sorted(set(numbers))
    assert set(said) <= set(numbers) <= set(said) | unsure
    assert len(set(said) | unsure) == MESSAGES
    assert len({key for _, _, key, _ in rows}) == len(rows)


async def speak(port: int, folder: Path, first: int, last: int | None, said: list[int], unsure: set[int]) -> int:
    """Run the speaker, and kill it when it said ``last``; returns the number to go on with."""
    program = (sys.executable, "-m", "tests.client.speaker")
    process = await asyncio.create_subprocess_exec(
        *program, f"127.0.0.1:{port}", str(folder), str(first), str(MESSAGES - 1), stdout=PIPE
    )
    number, killed = first, False
    try:
        async for line in cast(asyncio.StreamReader, process.stdout):
            what, _, told = line.decode().partition(" ")
            if not told.endswith("\n"):
                break
            number = int(told)
            if what == "said":
                said.append(number)
                unsure.discard(number)
            else:
                unsure.add(number)
            if last is not None and number >= last and not killed:
                killed = True
                os.kill(process.pid, signal.SIGKILL)
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert code == (-signal.SIGKILL if killed else 0)
    return number + 1
