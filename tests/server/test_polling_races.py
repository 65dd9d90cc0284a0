"""Long polling where things happen at the same moment: appends, trims, rights that end, a server that stops."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from pushtui.client.address import Address
from pushtui.client.happenings import CaughtUp, RoomEvent
from pushtui.client.polling import PollingClient
from pushtui.protocol.positions import Position
from server.log.fanout import Start
from server.log.memory import MemoryStore
from server.log.store import Entry, StoreBusyError
from tests.server.conftest import Build, House, ticking_clock, timing, until
from tests.server.test_polling import asked, behind_the_tail, page, say, texts, waiting
from tests.server.town import Town


class TestRaces:
    @pytest.mark.parametrize("wait", [0, 5])
    async def test_nothing_is_lost_or_doubled_while_messages_flow(self, any_house: House, wait: float) -> None:
        words = list(map(str, range(400)))
        epoch = (await page(any_house))["epoch"]

        async def talk() -> None:
            for word in words:
                await say(any_house, word)

        async def read() -> list[str]:
            got: list[str] = []
            after = f"{epoch}.0"
            while len(got) < len(words):
                answer = await page(any_house, after, wait)
                assert answer["outcome"] == "caught_up"
                got += texts(answer)
                after = answer["position"]
            return got

        talking, *readings = (asyncio.create_task(work) for work in (talk(), read(), read(), read()))
        for reading in readings:
            assert await reading == words
        await talking

    async def test_an_append_while_it_is_decided(self, any_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is stored between the question and the waiting is in the answer."""
        start = any_house.service.fanout.start
        here = (await page(any_house))["position"]

        async def meanwhile(stream: str, position: Position | None, replay: int) -> Start:
            await say(any_house, "one")
            return await start(stream, position, replay)

        monkeypatch.setattr(any_house.service.fanout, "start", meanwhile)
        assert texts(await page(any_house, here, wait=60)) == ["one"]

    async def test_trimmed_while_it_is_read(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """A gap that opens between the decision and the reading is told, and not passed over."""
        await say(house, *map(str, range(10)))
        epoch = (await page(house))["epoch"]
        read = house.store.read
        trims = iter((6,))

        async def trimming(stream: str, after: int, limit: int, most: int) -> Sequence[Entry]:
            for below in trims:
                await house.store.trim(stream, below)
            return await read(stream, after, limit, most)

        await behind_the_tail(house)
        monkeypatch.setattr(house.store, "read", trimming)
        answer = await page(house, f"{epoch}.1", wait=60)
        assert (answer["outcome"], answer["lost"]) == ("gap", {"after": 1, "before": 6})
        assert texts(answer) == ["5", "6", "7", "8", "9"]

    async def test_a_log_that_cannot_be_read(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        await say(house, *map(str, range(10)))
        epoch = (await page(house))["epoch"]

        async def refuse(*_: object) -> Sequence[Entry]:
            raise StoreBusyError("the disk is gone")

        await behind_the_tail(house)
        for name in ("read", "read_before"):
            monkeypatch.setattr(house.store, name, refuse)
        behind = await asked(house, after=f"{epoch}.1", wait=0)
        assert (behind.status_code, behind.json()["code"], behind.headers["Retry-After"]) == (503, "busy", "1")
        fresh = await asked(house, wait=0)
        assert (fresh.status_code, fresh.json()["message"]) == (503, "the disk is gone")

    async def test_a_log_with_holes(self, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
        """A seq is an order and not an index: nothing may be between a position and the tail."""
        house = await build(timing=timing(tick=0.01))
        await say(house, "one", "two")
        epoch = (await page(house))["epoch"]

        async def nothing(*_: object) -> Sequence[Entry]:
            return []

        monkeypatch.setattr(house.store, "read", nothing)
        monkeypatch.setattr(house.store, "read_before", nothing)
        answer = await page(house, f"{epoch}.0")
        assert (texts(answer), answer["position"]) == ([], f"{epoch}.2")


class TestRights:
    async def test_a_room_that_is_none(self, house: House) -> None:
        response = await asked(house, "nowhere", wait=60)
        assert (response.status_code, response.json()["code"]) == (404, "no_such_room")
        assert (await asked(house, "a%20b", wait=60)).status_code == 400

    async def test_who_may_not_listen(self, build: Build, tmp_path: Path) -> None:
        async with Town.founded(build, tmp_path) as town:
            path = "/rooms/main?wait=0"
            assert await town.status_of("agi", path) == (
                403,
                {"code": "not_allowed", "message": "the role agent may not listen"},
            )
            assert (await town.status_of(None, path))[0] == 401
            assert (await (await town.http("rea")).get(path)).status_code == 200

    async def test_a_private_room(self, build: Build, tmp_path: Path) -> None:
        async with Town.founded(build, tmp_path) as town:
            ana = await town.visit("ana", ("den",))
            await ana.say("moderate", key="p", action="private", room="den")
            await ana.hear_of("done")
            assert (await town.status_of("bob", "/rooms/den?wait=60"))[0] == 404
            assert (await (await town.http("ana")).get("/rooms/den?wait=0")).status_code == 200

    async def test_a_room_that_is_shut_meanwhile(self, build: Build, tmp_path: Path) -> None:
        async with Town.founded(build, tmp_path) as town:
            ana = await town.visit("ana", ("den",))
            answer = asyncio.create_task((await town.http("bob")).get("/rooms/den?wait=60"))
            await until(lambda: town.house.service.connections.count()["polling"] == 1)
            await ana.say("moderate", key="p", action="private", room="den")
            response = await answer
            assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
            assert response.json()["message"].startswith("den is private")

    async def test_a_token_that_ends_meanwhile(self, build: Build, tmp_path: Path) -> None:
        async with Town.founded(build, tmp_path) as town:
            answer = asyncio.create_task((await town.http("bob")).get("/rooms/main?wait=60"))
            await until(lambda: town.house.service.connections.count()["polling"] == 1)
            token = town.tokens["bob"].split("_")[1]
            await town.house.service.rules.change(lambda file: file.revoke([token], town.now))
            response = await answer
            assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
            assert response.headers["WWW-Authenticate"] == "Bearer"
            assert (await town.status_of("bob", "/rooms/main?wait=0"))[0] == 401

    async def test_who_is_removed_meanwhile(self, build: Build, tmp_path: Path) -> None:
        async with Town.founded(build, tmp_path) as town:
            mo = await town.visit("mo")
            answer = asyncio.create_task((await town.http("bob")).get("/rooms/main?wait=60"))
            await until(lambda: town.house.service.connections.count()["polling"] == 1)
            await mo.say("moderate", key="r", action="remove", nick="bob", seconds=90)
            response = await answer
            assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
            assert response.headers["Retry-After"] == "90"


class TestEnding:
    async def test_a_server_that_stops_answers_at_once(self, house: House) -> None:
        here = (await page(house))["position"]
        answer = asyncio.create_task(asked(house, after=here, wait=60))
        await waiting(house)
        await house.server.stop("new version")
        response = await answer
        assert (response.status_code, response.json()) == (503, {"code": "busy", "message": "new version"})
        assert 1 <= int(response.headers["Retry-After"]) <= 3
        assert response.headers["Connection"] == "close"

    async def test_who_comes_while_it_stops_is_told_so(self, build: Build) -> None:
        house = await build(MemoryStore(clock_ms=ticking_clock()))
        ana, bo = await house.visit("ana"), await house.visit("bo")
        wire = await house.wire()
        assert (await wire.request("/healthz")).startswith("HTTP/1.1 200")
        await wire.reader.readexactly(len(b'{"status": "ok"}'))
        stopping = asyncio.create_task(house.server.stop(drain=60))
        await until(lambda: house.service.connections._farewell is not None)
        assert (await wire.request("/rooms/main?wait=60")).startswith("HTTP/1.1 503 ")
        house.server.hurry()
        for peer in (ana, bo):
            await peer.until_closed()
        await stopping


async def test_our_own_client(any_house: House) -> None:
    """It loses and doubles nothing, and is told at once what comes."""
    await say(any_house, "0", "1", "2")
    got: list[RoomEvent] = []
    async with PollingClient(Address.parse(any_house.url), "main", replay=2) as client, asyncio.timeout(10):
        async for happening in client:
            if isinstance(happening, CaughtUp):
                talking = asyncio.create_task(say(any_house, *map(str, range(3, 50))))
            if isinstance(happening, RoomEvent):
                got.append(happening)
            if len(got) == 49:
                break
        await talking
        await waiting(any_house)
        assert client.position.endswith(".50")
    assert [(event.seq, event.replayed) for event in got] == [(seq, seq < 4) for seq in range(2, 51)]
