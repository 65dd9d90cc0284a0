"""``GET /``, ``/healthz``, ``/metrics``, and whatever is not there."""

import json

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pushtui import __version__
from pushtui.protocol.limits import LIMITS
from server.information import Figures
from server.log.store import Draft, StoreBusyError, Stored
from tests.server.conftest import House, until


async def test_the_index(house: House) -> None:
    client = await house.http()
    response = await client.get("/")
    assert response.status_code == 200
    answer = response.json()
    assert answer["name"] == "test"
    assert answer["version"] == __version__
    assert answer["subprotocols"] == ["pushtui.v1.json", "pushtui.v1.msgpack"]
    assert answer["limits"]["frame_bytes"] == LIMITS.frame_bytes
    assert {"GET /chat", "GET /status", "POST /rooms/{room}", "POST /notices"} <= answer["paths"].keys()


async def test_healthz(any_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await any_house.http()
    response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    monkeypatch.setattr(any_house.store, "trouble", lambda: "the disk is full")
    response = await client.get("/healthz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "reason": "the disk is full"}


async def test_metrics(any_house: House) -> None:
    ana = await any_house.visit("ana", ("main", "ops"))
    status = await any_house.read_along()
    await status.opening()
    await any_house.post("x")
    await ana.texts(1)
    client = await any_house.http()
    response = await client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }
    assert found["pushtui_connections", "websocket"] == 1
    assert found["pushtui_connections", "sse"] == 1
    assert found["pushtui_people",] == 1
    assert found["pushtui_rooms",] == 2
    assert found["pushtui_deliveries_total",] == 1
    assert found["pushtui_log_head", "room:main"] == 1
    assert found["pushtui_log_head", "status"] == 0
    assert found["pushtui_log_writable",] == 1


async def test_metrics_that_take_long_are_not_made_for_everyone_who_asks(house: House) -> None:
    now = 0.0
    takes = 0.1

    def clock() -> float:
        nonlocal now
        now += takes / 2
        return now

    figures = Figures(house.service, clock)
    first = figures.text()
    await house.post("x")
    assert figures.text() == first
    now += 1
    second = figures.text()
    assert second != first
    now, takes = now + 1, 0.001
    third = figures.text()
    await house.post("y")
    assert figures.text() != third


@pytest.mark.parametrize("path", ["/nope", "/rooms", "/status/", "/hosts/a/b/samples", "/%1b%5b2J"])
async def test_what_is_not_there(house: House, path: str) -> None:
    wire = await house.wire()
    head = await wire.request(path)
    assert head.startswith("HTTP/1.1 404 ")
    length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
    answer = json.loads(await wire.reader.readexactly(length))
    assert answer["code"] == "not_found"
    assert answer["message"].endswith("GET / lists what there is")


class TestTroubleWithTheLog:
    """A log that refuses is the server's trouble: nobody's connection breaks over it, and everybody is told."""

    async def test_writing(self, any_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        ana = await any_house.visit("ana")
        await ana.say("send", key="first", room="main", text="x")
        await ana.texts(1)

        async def refuse(*drafts: Draft) -> Stored:
            raise StoreBusyError("the disk is full")

        with monkeypatch.context() as broken:
            broken.setattr(any_house.store, "append", refuse)
            await ana.say("send", key="k1", room="main", text="x")
            await ana.say("topic", key="k2", room="main", text="x")
            for key in ("k1", "k2"):
                assert await ana.hear() == {
                    "type": "error",
                    "code": "busy",
                    "message": "the disk is full",
                    "key": key,
                    "retry_after_ms": 1000,
                }
            response = await any_house.post("x")
            assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
            assert response.json() == {"code": "busy", "message": "the disk is full"}
        await ana.say("send", key="k1", room="main", text="x")
        assert (await ana.hear())["seq"] == 2

    async def test_reading(self, any_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        ana = await any_house.visit("ana")
        await ana.say("send", key="first", room="main", text="x")
        await ana.texts(1)

        async def refuse(*_arguments: object) -> None:
            raise StoreBusyError("the disk is gone")

        with monkeypatch.context() as broken:
            for name in ("read", "read_before", "get"):
                broken.setattr(any_house.store, name, refuse)
            await ana.say("history", id="h", room="main", before=2, limit=5)
            await ana.say("edit", key="k", room="main", target=1, text="y")
            await ana.say("redact", key="k", room="main", target=1)
            await ana.say("send", key="k", room="main", text="y", reply_to=1)
            for _ in range(4):
                error = await ana.hear()
                assert (error["type"], error["code"], error["message"]) == ("error", "busy", "the disk is gone")
        await ana.say("history", id="h", room="main", before=2, limit=5)
        assert len((await ana.hear())["events"]) == 1

    async def test_coming_in(self, any_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        ana = await any_house.visit("ana")

        async def refuse(*_arguments: object) -> None:
            raise StoreBusyError("the disk is gone")

        with monkeypatch.context() as broken:
            broken.setattr(any_house.store, "create", refuse)
            await ana.say("join", room="new")
            assert (await ana.hear())["code"] == "busy"
            bo = await any_house.knock()
            await bo.say("hello", nick="bo", session="bo", rooms={"new": None})
            frames, code, _ = await bo.until_closed()
            assert (frames[-1]["type"], code) == ("bye", 4001)
        await until(lambda: len(any_house.service.people) == 1)

    @pytest.mark.parametrize("known", [False, True], ids=["unknown stream", "known stream"])
    async def test_starting_a_replay(self, any_house: House, monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
        """Whether the log fails before or after the answer has begun: a client is told, or cut off."""
        for number in range(3):
            await any_house.post(str(number))
        if not known:
            any_house.service.fanout._tails.clear()

        async def refuse(*_arguments: object) -> None:
            raise StoreBusyError("the disk is gone")

        client = await any_house.http()
        with monkeypatch.context() as broken:
            broken.setattr(any_house.store, "read_before", refuse)
            bo = await any_house.knock()
            await bo.say("hello", nick="bo", session="bo", rooms={"main": None})
            frames, code, reason = await bo.until_closed()
            assert (frames[-1]["type"], code, reason) == ("bye", 4001, "the disk is gone")
            if known:
                with pytest.raises(httpx.RemoteProtocolError):
                    await client.get("/status")
            else:
                response = await client.get("/status")
                assert (response.status_code, response.json()["code"]) == (503, "busy")
        await until(any_house.is_empty)

    async def test_a_mistake_of_the_server_is_said_to_be_one(
        self, house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        ana = await house.visit("ana")
        monkeypatch.setattr(house.service.writing, "_target", None)
        await ana.say("edit", key="k", room="main", target=1, text="x")
        frames, code, reason = await ana.until_closed()
        assert (frames[-1]["type"], code) == ("bye", 1011)
        assert reason == "the server made a mistake; its log says more"
        monkeypatch.setattr(house.service.store, "trouble", None)
        response = await (await house.http()).get("/healthz")
        assert response.status_code == 500
        assert response.json() == {"code": "internal", "message": "the server made a mistake; its log says more"}
        assert "a chat failed" in caplog.text
        assert "GET /healthz failed" in caplog.text
