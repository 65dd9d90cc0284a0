"""The event streams: ``GET /status`` and ``GET /rooms/{room}``."""

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from server.log import fanout
from server.log.streams import STATUS, room_stream
from tests.server.conftest import NO_FLOODS, Build, House, author, timing, until
from tests.server.event_stream import Block, parse_block

EVENT_STREAM = [
    "HTTP/1.1 200 OK",
    "Content-Type: text/event-stream; charset=utf-8",
    "Cache-Control: no-store",
    "X-Accel-Buffering: no",
]


async def sample(house: House, host: str, at: int = 1) -> None:
    client = await house.http()
    response = await client.post(f"/hosts/{host}/samples", json={"host": host, "at": at, "interval": 1.0})
    assert response.status_code == 202, response.text


async def notice(house: House, text: str) -> str:
    client = await house.http()
    response = await client.post("/notices", content=text)
    position: str = response.json()["position"]
    return position


def texts(blocks: list[Block]) -> list[str]:
    return [block.data["text"] for block in blocks]


class TestOpening:
    @pytest.mark.parametrize("path", ["/status", "/rooms/main"])
    async def test_the_head_of_the_answer(self, house: House, path: str) -> None:
        wire = await house.wire()
        head = (await wire.request(path)).split("\r\n")
        assert head[:4] == EVENT_STREAM
        assert {line.split(":")[0] for line in head[4:] if line} == {"Transfer-Encoding", "Date", "Server"}

    async def test_the_first_two_blocks(self, any_house: House) -> None:
        await notice(any_house, "one")
        status = await any_house.read_along()
        retry = await status.block()
        assert [name for name, _ in retry.fields] == ["retry"]
        assert 2000 <= int(retry.first("retry") or 0) <= 3000
        resume = await status.block()
        state = any_house.store.state(STATUS)
        assert state is not None
        assert (resume.event, resume.id) == ("resume", f"{state.epoch}.0")
        assert resume.data == {"outcome": "fresh", "epoch": state.epoch, "after": 0, "head": 1}
        first = await status.block()
        assert (first.event, first.id) == ("notice", f"{state.epoch}.1")
        assert first.data == {"text": "one", "level": "info", "by": "anonymous", "at": 1_700_000_000_000}

    async def test_every_durable_event_has_an_id_and_nothing_else_has_one(self, build: Build) -> None:
        house = await build(timing=timing(heartbeat=0.02, tick=0.005))
        status = await house.read_along()
        await status.opening()
        assert (await status.block()).fields == (("", "still here"),)
        await notice(house, "one")
        while (block := await status.block()).event is None:
            assert [name for name, _ in block.fields] == [""]
        assert block.id is not None
        stopping = asyncio.create_task(house.server.stop("new version"))
        bye = (await status.remaining())[-1]
        assert (bye.event, bye.id) == ("bye", None)
        assert 500 <= int(bye.first("retry") or 0) <= 2500
        assert bye.data == {"code": 1012, "reason": "new version"}
        await stopping

    async def test_events_keep_a_stream_from_being_silent(self, build: Build) -> None:
        """The heartbeat counts from the last event, not from the last heartbeat."""
        house = await build(timing=timing(heartbeat=10, tick=1000))
        status = await house.read_along()
        await status.opening()
        (reader,) = house.service.connections._all
        now = asyncio.get_running_loop().time()
        reader.tick(now + 5)  # sees that the opening was written
        before = reader.sink.written
        await notice(house, "one")
        await until(lambda: reader.sink.written > before)
        reader.tick(now + 12)
        reader.tick(now + 21)
        reader.tick(now + 23)
        await notice(house, "two")
        blocks = await status.events(3)
        assert [block.event or block.comment for block in blocks] == ["notice", "still here", "notice"]


class TestResume:
    @pytest.mark.parametrize(("replay", "count"), [("0", 0), ("3", 3), (None, 50), ("1000", 60)])
    async def test_a_fresh_start(self, any_house: House, replay: str | None, count: int) -> None:
        for number in range(60):
            await any_house.service.writing.notice(author("ana"), str(number), "info", None, None)
        query = {} if replay is None else {"replay": replay}
        status = await any_house.read_along(params=query)
        resume = await status.opening()
        assert (resume.data["outcome"], resume.data["after"]) == ("fresh", 60 - count)
        await notice(any_house, "live")
        assert texts(await status.events(count + 1)) == [*map(str, range(60 - count, 60)), "live"]

    async def test_from_the_last_event_id(self, any_house: House) -> None:
        ids = [await notice(any_house, str(number)) for number in range(5)]
        different: list[dict[str, Any]] = [
            {"headers": {"Last-Event-ID": ids[2]}},
            {"params": {"last_event_id": ids[2]}},
            {"headers": {"Last-Event-ID": ids[2]}, "params": {"last_event_id": ids[0]}},
        ]
        for options in different:
            status = await any_house.read_along(**options)
            resume = await status.opening()
            assert resume.id == ids[2]
            assert resume.data == {"outcome": "caught_up", "epoch": ids[2][:8], "after": 3, "head": 5}
            assert [block.id for block in await status.events(2)] == ids[3:]

    async def test_the_id_of_resume_is_one_to_come_back_with(self, any_house: House) -> None:
        """socket.io#5538, for event streams: before the first event there already is a position."""
        status = await any_house.read_along()
        start = (await status.opening()).id
        await status.response.aclose()
        await until(lambda: any_house.service.fanout.listeners(STATUS) == 0)
        await notice(any_house, "missed")
        again = await any_house.read_along(headers={"Last-Event-ID": str(start)})
        assert (await again.opening()).data["outcome"] == "caught_up"
        assert texts(await again.events(1)) == ["missed"]

    async def test_a_gap(self, any_house: House) -> None:
        ids = [await notice(any_house, str(number)) for number in range(10)]
        await any_house.store.trim(STATUS, 8)
        status = await any_house.read_along(headers={"Last-Event-ID": ids[1]})
        resume = await status.opening()
        assert resume.id == ids[6]
        assert resume.data == {
            "outcome": "gap",
            "epoch": ids[0][:8],
            "after": 7,
            "head": 10,
            "lost": {"after": 2, "before": 8},
        }
        assert texts(await status.events(3)) == ["7", "8", "9"]

    @pytest.mark.parametrize("position", ["zzzzzzzz.1", "{epoch}.9", "nonsense", "{epoch}.-1", "1", "0"])
    async def test_a_reset(self, any_house: House, position: str) -> None:
        ids = [await notice(any_house, str(number)) for number in range(5)]
        named = position.format(epoch=ids[0][:8])
        status = await any_house.read_along(headers={"Last-Event-ID": named}, params={"replay": "2"})
        resume = await status.opening()
        assert (resume.data["outcome"], resume.id) == ("reset", ids[2])
        assert texts(await status.events(2)) == ["3", "4"]

    async def test_an_empty_id_is_none(self, house: House) -> None:
        status = await house.read_along(headers={"Last-Event-ID": ""})
        assert (await status.opening()).data["outcome"] == "fresh"

    @pytest.mark.parametrize("replay", ["-1", "1001", "x", "", "1e3", "٣", "9" * 5000, "+1", " 1"])
    async def test_a_replay_that_is_none(self, house: House, replay: str) -> None:
        client = await house.http()
        response = await client.get("/status", params={"replay": replay})
        assert response.status_code == 400
        assert response.json() == {"code": "malformed", "message": "replay is a number from 0 to 1000"}


class TestSelection:
    async def test_by_host(self, any_house: House) -> None:
        for at, host in enumerate(("db", "web", "db", "app")):
            await sample(any_house, host, at)
        await notice(any_house, "for all")
        status = await any_house.read_along(params={"host": "db,app"})
        await status.opening()
        await sample(any_house, "web", 9)
        await sample(any_house, "db", 10)
        blocks = await status.events(5)
        assert [block.data.get("host") for block in blocks] == ["db", "db", "app", None, "db"]

    async def test_by_event(self, any_house: House) -> None:
        await sample(any_house, "db")
        await notice(any_house, "one")
        status = await any_house.read_along(params={"events": "notice,alert"})
        await status.opening()
        await sample(any_house, "db", 2)
        await notice(any_house, "two")
        assert texts(await status.events(2)) == ["one", "two"]

    async def test_a_replay_counts_what_was_asked_for(
        self, any_house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Samples come every second: the newest notices are rarely among the newest events."""
        monkeypatch.setattr(fanout, "_PAGE", 3)
        for number in range(3):
            await notice(any_house, str(number))
            for at in range(5):
                await sample(any_house, "db", at)
        status = await any_house.read_along(params={"events": "notice", "replay": "2"})
        await status.opening()
        assert texts(await status.events(2)) == ["1", "2"]
        status = await any_house.read_along(params={"events": "alert", "replay": "2"})
        resume = await status.opening()
        assert resume.data["after"] == resume.data["head"], "there is none"
        monkeypatch.setattr(fanout, "LOOK_BACK", 6)
        status = await any_house.read_along(params={"events": "notice", "replay": "2"})
        await status.opening()
        assert texts(await status.events(1)) == ["2"], "and it does not look back for ever"

    async def test_by_both(self, any_house: House) -> None:
        status = await any_house.read_along(params={"host": "db", "events": "sample"})
        await status.opening()
        await notice(any_house, "no")
        await sample(any_house, "web")
        await sample(any_house, "db", 5)
        assert (await status.block()).data == {"host": "db", "at": 5, "interval": 1.0}

    async def test_an_empty_list_is_everything(self, house: House) -> None:
        status = await house.read_along(params={"host": "", "events": ","})
        await status.opening()
        await notice(house, "one")
        assert texts(await status.events(1)) == ["one"]


class TestRoom:
    async def test_a_room_reads_as_in_the_chat(self, any_house: House) -> None:
        ana = await any_house.visit("ana")
        reader = await any_house.read_along("/rooms/main")
        await reader.opening()
        await ana.say("send", key="k", room="main", text="two\nlines")
        event = await ana.hear_of("event")
        block = await reader.block()
        assert (block.event, block.id) == ("message", f"{ana.heard[1]['epoch']}.{event['seq']}")
        assert block.data == event

    async def test_a_room_that_is_not_there(self, house: House) -> None:
        client = await house.http()
        response = await client.get("/rooms/nowhere")
        assert response.status_code == 404
        assert response.json() == {
            "code": "no_such_room",
            "message": "there is no room nowhere; a first message makes it",
        }
        assert house.store.state(room_stream("nowhere")) is None


class TestTransport:
    async def test_http_1_0_knows_no_chunks(self, any_house: House) -> None:
        wire = await any_house.wire()
        head = await wire.request("/status", version="HTTP/1.0")
        assert "Transfer-Encoding" not in head
        await notice(any_house, "one")
        data = b""
        while b'"one"' not in data:
            data += await wire.reader.readuntil(b"\n\n")
        blocks = [parse_block(text) for text in data.decode().removesuffix("\n\n").split("\n\n")]
        assert [block.event for block in blocks] == [None, "resume", "notice"]
        stopping = asyncio.create_task(any_house.server.stop())
        bye = parse_block((await wire.ended()).decode().removesuffix("\n\n"))
        assert (bye.event, bye.data["code"]) == ("bye", 1012)
        await stopping

    @pytest.mark.parametrize("path", ["/status", "/rooms/main", "/chat"])
    @pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH"])
    async def test_other_methods(self, house: House, path: str, method: str) -> None:
        client = await house.http()
        response = await client.request(method, path)
        assert response.status_code == 405
        assert response.headers["Content-Type"].startswith("application/json")
        allowed = response.headers["Allow"]
        assert allowed == ("GET, POST" if path == "/rooms/main" else "GET")
        if method != "HEAD":
            assert response.json() == {
                "code": "method_not_allowed",
                "message": f"{method} is not possible here; {allowed} is",
            }

    async def test_post_on_the_status_stream(self, house: House) -> None:
        client = await house.http()
        response = await client.post("/status", content="x")
        assert (response.status_code, response.headers["Allow"]) == (405, "GET")
        assert response.json()["code"] == "method_not_allowed"

    async def test_a_reader_that_goes_is_forgotten(self, any_house: House) -> None:
        wires = [await any_house.wire() for _ in range(20)]
        for wire in wires:
            await wire.request("/status")
        assert any_house.service.fanout.listeners(STATUS) == 20
        for wire in wires:
            wire.drop()
        await until(any_house.is_empty)

    async def test_one_that_does_not_read_delays_nobody_and_is_cut_off(self, build: Build, any_store: Any) -> None:
        house = await build(any_store, timing=timing(tick=0.01), protection=replace(NO_FLOODS, stuck_seconds=0.05))
        stuck = await house.wire(receive_buffer=4096)
        await stuck.request("/rooms/main")
        stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]
        quick = await house.read_along("/rooms/main")
        await quick.opening()
        (connection,) = (one for one in house.service.connections._all if one.kind == "sse" and _is_of(one, stuck))
        count = 0
        while connection.sink.has_room():
            await house.service.writing.message(author("bo"), "main", f"{count}".ljust(16_000))
            count += 1
            await asyncio.sleep(0)
        blocks = await quick.events(count)
        assert [block.data["seq"] for block in blocks] == list(range(1, count + 1))
        await until(lambda: house.service.connections.count() == {"sse": 1})

    async def test_the_data_is_utf_8_and_one_line(self, house: House) -> None:
        text = 'ünï 🦊 \u2028 \x1b[31m ] } \\ " data: forged\n\nevent: forged'
        status = await house.read_along()
        await status.opening()
        await house.post("x")
        client = await house.http()
        await client.post("/notices", json={"text": text})
        block = await status.block()
        assert [name for name, _ in block.fields] == ["id", "event", "data"]
        assert json.loads(block.first("data") or "")["text"] == text.replace("\u2028", "\n").replace(
            "\x1b", "\ufffd"
        )


def _is_of(connection: Any, wire: Any) -> bool:
    peer = connection.sink._transport.get_extra_info("peername")
    return bool(peer == wire.writer.get_extra_info("sockname"))
