"""Long polling: ``GET /rooms/{room}?after=POSITION&wait=25``."""

import asyncio
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from server import polling
from server.log.streams import room_stream
from server.polling import PAGE_BYTES
from tests.server.conftest import NO_FLOODS, Build, House, author, timing, until

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
