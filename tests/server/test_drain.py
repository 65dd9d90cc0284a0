"""A server that stops with a drain tells its clients one after the other, and goes on serving the others."""

import asyncio
import signal
from pathlib import Path

from tests.server.conftest import House, until
from tests.server.serving import Serving

#: Longer than any test waits: who is told is told because of something else.
LONG = 100_000.0


async def test_a_second_signal_tells_the_rest(tmp_path: Path) -> None:
    async with Serving.running(tmp_path, "--drain", "3600") as serving:
        peers = [await serving.chat(f"n{number}") for number in range(5)]
        endings = [asyncio.create_task(peer.until_closed()) for peer in peers]
        serving.process.send_signal(signal.SIGTERM)
        await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
        assert sum(ending.done() for ending in endings) == 1
        ending = asyncio.create_task(serving.ends_after(signal.SIGINT))
        for told in endings:
            frames, code, _ = await told
            assert (frames[-1]["type"], code) == ("bye", 1012)
        await ending


async def test_when_all_have_gone_nothing_is_waited_for(tmp_path: Path) -> None:
    async with Serving.running(tmp_path, "--drain", "3600") as serving:
        await serving.ends_after(signal.SIGTERM)


async def test_the_last_one_ends_it(tmp_path: Path) -> None:
    async with Serving.running(tmp_path, "--drain", "3600") as serving:
        first, second = [await serving.chat(nick) for nick in ("ana", "bo")]
        endings = {peer: asyncio.create_task(peer.until_closed()) for peer in (first, second)}
        serving.process.send_signal(signal.SIGTERM)
        await asyncio.wait(endings.values(), return_when=asyncio.FIRST_COMPLETED)
        (left,) = (peer for peer, ending in endings.items() if not ending.done())
        await left.ws.close()
        await serving.ends()
        await asyncio.wait(endings.values())


async def test_who_is_not_told_yet_talks_as_before(house: House) -> None:
    peers = {nick: await house.visit(nick, replay=0) for nick in ("ana", "bo", "cy")}
    client = await house.http()
    await client.get("/healthz")
    stopping = asyncio.create_task(house.server.stop(drain=LONG))
    await until(lambda: len(house.service.people) == 2)
    left = [peer for nick, peer in peers.items() if nick in house.service.people._by_nick]
    await left[0].say("send", key="k", room="main", text="still here")
    assert (await house.post("me too")).status_code == 201
    for peer in left:
        assert set(await peer.texts(2)) == {"still here", "me too"}
    house.server.hurry()
    for peer in peers.values():
        assert (await peer.until_closed())[1] == 1012
    await stopping


async def test_who_upgrades_over_an_open_connection_is_told_at_once(house: House) -> None:
    """Such a client is not among those whom the drain began with. It was cut off without a word.

    An event stream is closed with its connection, too: who comes back is to look for a server anew.
    """
    for number in range(2):
        await house.visit(f"n{number}")
    wires = [await house.wire() for _ in range(2)]
    for wire in wires:
        await wire.request("/healthz")
        await wire.reader.readuntil(b"}")
    stopping = asyncio.create_task(house.server.stop(drain=LONG))
    await until(lambda: house.service.connections.count().total() == 1)
    chat, stream = wires
    await chat.upgrade()
    assert b'"type":"bye","code":1012' in await chat.ended()
    await stream.request("/status")
    said = await stream.ended()
    assert b"event: resume\n" in said
    assert b"event: bye\n" in said
    assert said.endswith(b"0\r\n\r\n")
    house.server.hurry()
    await stopping
