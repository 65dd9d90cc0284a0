"""Long polling: ``GET /rooms/{room}?after=POSITION&wait=25``."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from pushtui.client.address import Address
from pushtui.client.happenings import CaughtUp, RoomEvent
from pushtui.client.polling import PollingClient
from pushtui.protocol.positions import Position
from server import polling
from server.log.fanout import Start
from server.log.memory import MemoryStore
from server.log.store import Entry, StoreBusyError
from server.log.streams import room_stream
from server.polling import PAGE_BYTES
from tests.server.conftest import NO_FLOODS, Build, House, author, ticking_clock, timing, until
from tests.server.town import Town

MAIN = room_stream("main")
Page = dict[str, Any]


async def asked(house: House, room: str = "main", **query: object) -> httpx.Response:
    client = await house.http()
    async with asyncio.timeout(20):
        return await client.get(f"/rooms/{room}", params={name: str(value) for name, value in query.items()})


async def page(house: House, after: object = None, wait: float = 0, **query: object) -> Page:
    where = {} if after is None else {"after": after}
    response = await asked(house, "main", wait=wait, **where, **query)
    assert response.status_code == 200, response.text
    answer: Page = response.json()
    return answer


def texts(answer: Page) -> list[str]:
    return [event["body"]["text"] for event in answer["events"]]


async def say(house: House, *words: str, room: str = "main") -> None:
    for word in words:
        await house.service.writing.message(author("ana"), room, word, None)


async def waiting(house: House, count: int = 1) -> None:
    """So many wait for an answer, and nothing is there for them."""
    await until(lambda: house.service.fanout.listeners(MAIN) == count)


async def behind_the_tail(house: House) -> None:
    """All but the newest event is the store's; somebody listens, so that the tail stays as it is."""
    await (await house.read_along("/rooms/main?replay=0")).opening()
    house.service.fanout._tails[MAIN].shed(1)


class TestOutcomes:
    async def test_fresh(self, any_house: House) -> None:
        await say(any_house, *map(str, range(60)))
        answer = await page(any_house)
        events = answer.pop("events")
        epoch = answer["epoch"]
        assert answer == {
            "outcome": "fresh",
            "epoch": epoch,
            "after": 10,
            "head": 60,
            "position": f"{epoch}.60",
            "more": False,
        }
        assert [event["seq"] for event in events] == list(range(11, 61))
        at = events[0].pop("at")
        assert at > 1_700_000_000_000
        assert events[0] == {
            "type": "event",
            "room": "main",
            "seq": 11,
            "kind": "message",
            "by": "ana",
            "body": {"text": "10"},
        }
        assert texts(await page(any_house, replay=2)) == ["58", "59"]

    async def test_caught_up(self, any_house: House) -> None:
        await say(any_house, "one", "two", "three")
        epoch = (await page(any_house))["epoch"]
        answer = await page(any_house, f"{epoch}.1")
        assert (answer["outcome"], answer["after"], answer["position"]) == ("caught_up", 1, f"{epoch}.3")
        assert texts(answer) == ["two", "three"]

    async def test_a_gap(self, any_house: House) -> None:
        await say(any_house, *map(str, range(10)))
        epoch = (await page(any_house))["epoch"]
        await any_house.store.trim(MAIN, 8)
        answer = await page(any_house, f"{epoch}.2")
        assert (answer["outcome"], answer["lost"], answer["after"]) == ("gap", {"after": 2, "before": 8}, 7)
        assert texts(answer) == ["7", "8", "9"]

    @pytest.mark.parametrize("after", ["aaaaaaaa.1", "{epoch}.4", "what?"])
    async def test_a_reset(self, any_house: House, after: str) -> None:
        await say(any_house, "one", "two", "three")
        epoch = (await page(any_house))["epoch"]
        answer = await page(any_house, after.format(epoch=epoch), replay=1)
        assert (answer["outcome"], answer["position"]) == ("reset", f"{epoch}.3")
        assert texts(answer) == ["three"]

    async def test_a_position_comes_with_an_empty_room(self, any_house: House) -> None:
        answer = await page(any_house)
        assert (answer["events"], answer["more"], answer["position"]) == ([], False, f"{answer['epoch']}.0")

    async def test_the_head_of_the_answer(self, house: House) -> None:
        response = await asked(house, wait=0)
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        assert int(response.headers["Content-Length"]) == len(response.content)

    async def test_without_after_and_wait_it_is_an_event_stream(self, house: House) -> None:
        stream = await house.read_along("/rooms/main?replay=3")
        assert (await stream.opening()).event == "resume"


class TestWaiting:
    async def test_the_first_event_is_answered_at_once(self, any_house: House) -> None:
        here = (await page(any_house))["position"]
        answer = asyncio.create_task(page(any_house, here, wait=60))
        await waiting(any_house)
        await say(any_house, "one")
        assert texts(await answer) == ["one"]
        assert (await answer)["outcome"] == "caught_up"

    async def test_a_fresh_start_waits_for_the_first_one_too(self, any_house: House) -> None:
        answer = asyncio.create_task(page(any_house, wait=60))
        await waiting(any_house)
        await say(any_house, "one")
        assert ((await answer)["outcome"], texts(await answer)) == ("fresh", ["one"])

    async def test_all_that_is_there_comes_together(self, any_house: House) -> None:
        here = (await page(any_house))["position"]
        answers = [asyncio.create_task(page(any_house, here, wait=60)) for _ in range(20)]
        await waiting(any_house, 20)
        drafts = [any_house.service.writing.message(author("ana"), "main", str(n), None) for n in range(5)]
        await asyncio.gather(*drafts)
        for answer in answers:
            got = texts(await answer)
            assert got == ["0", "1", "2", "3", "4"][: len(got)]
            assert got

    async def test_an_empty_page_after_the_wait(self, any_house: House) -> None:
        await say(any_house, "one")
        here = (await page(any_house))["position"]
        answer = await page(any_house, here, wait=0.05)
        assert (answer["outcome"], answer["events"], answer["position"]) == ("caught_up", [], here)

    @pytest.mark.parametrize("wait", ["61", "-1", "nan", "inf", "1e1", "", "x", "1.2.3", "00000000001"])
    async def test_a_wait_that_is_none(self, house: House, wait: str) -> None:
        response = await asked(house, wait=wait)
        assert (response.status_code, response.json()["code"]) == (400, "malformed")
        assert response.json()["message"] == "wait is a number of seconds from 0 to 60"

    async def test_replay_has_the_limit_of_event_streams(self, house: House) -> None:
        assert (await asked(house, wait=0, replay=1001)).status_code == 400

    async def test_who_goes_is_forgotten(self, house: House) -> None:
        wire = await house.wire()
        wire.writer.write(b"GET /rooms/main?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await waiting(house)
        assert house.service.connections.count()["polling"] == 1
        metrics = (await (await house.http()).get("/metrics")).text
        assert 'pushtui_connections{transport="polling"} 1.0' in metrics
        wire.writer.close()
        await until(house.is_empty)

    async def test_one_connection_for_many_answers(self, house: House) -> None:
        await say(house, "one")
        wire = await house.wire()
        for _ in range(3):
            head = await wire.request("/rooms/main?wait=0")
            assert head.startswith("HTTP/1.1 200 OK")
            length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
            assert b'"text":"one"' in await wire.reader.readexactly(length)


class TestPages:
    async def test_more_than_a_page(self, any_house: House) -> None:
        """From the tail and from the store alike, and nothing between two pages is lost or comes twice."""
        word = "x" * 15_000
        for number in range(100):
            await say(any_house, f"{number} {word}")
        epoch = (await page(any_house, replay=0))["epoch"]
        any_house.service.fanout._tails.clear()
        got: list[str] = []
        after, pages = f"{epoch}.0", 0
        while True:
            answer = await page(any_house, after)
            assert answer["events"]
            assert sum(map(len, texts(answer))) < PAGE_BYTES + 2 * 64 * 1024
            assert answer["more"] == (answer["position"] != f"{epoch}.100")
            got += [text.split()[0] for text in texts(answer)]
            after, pages = answer["position"], pages + 1
            if not answer["more"]:
                break
        assert got == list(map(str, range(100)))
        assert pages >= 5

    async def test_far_behind_the_tail(self, any_house: House) -> None:
        words = list(map(str, range(2500)))
        for start in range(0, 2500, 250):
            writes = [
                any_house.service.writing.message(author("ana"), "main", w, None)
                for w in words[start : start + 250]
            ]
            await asyncio.gather(*writes)
        answer = await page(any_house, replay=0)
        after = f"{answer['epoch']}.0"
        got: list[str] = []
        while not got or answer["more"]:
            answer = await page(any_house, after)
            got += texts(answer)
            after = answer["position"]
        assert sorted(got, key=int) == words

    async def test_an_event_longer_than_a_page(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(polling, "PAGE_BYTES", 10)
        await say(house, "a" * 100)
        answer = await page(house)
        assert texts(answer) == ["a" * 100]
        assert not answer["more"]


async def test_who_does_not_take_a_page_is_cut_off(build: Build) -> None:
    protection = replace(NO_FLOODS, least_bytes_per_second=1_000_000, stuck_seconds=0.1)
    house = await build(timing=timing(tick=0.02), protection=protection)
    for _ in range(60):
        await say(house, "x" * 16_000)
    epoch = (await page(house, replay=0))["epoch"]
    wires = [await house.wire(receive_buffer=4096) for _ in range(3)]
    for wire in wires:
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        wire.writer.write(f"GET /rooms/main?after={epoch}.0 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await until(lambda: house.service.connections.count()["polling"] == 3)
    await until(lambda: not house.service.connections.count()["polling"])
    for wire in wires:
        wire.writer.transport.resume_reading()  # type: ignore[attr-defined]
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await wire.reader.readexactly(PAGE_BYTES)


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
