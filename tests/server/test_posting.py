"""``POST``: messages into rooms, notices, samples."""

import gzip
from typing import Any

import pytest

from pushtui.protocol.limits import LIMITS
from server.log.streams import STATUS
from tests.server.conftest import House


def refusal(response: Any) -> tuple[int, str]:
    """Status and code of an error, which always is JSON with one sentence in it."""
    assert response.headers["Content-Type"].startswith("application/json")
    answer = response.json()
    assert answer.keys() == {"code", "message"}
    assert answer["message"]
    assert "\n" not in answer["message"]
    return response.status_code, answer["code"]


class TestMessages:
    @pytest.mark.parametrize(
        "content_type",
        [
            "text/plain",
            "text/plain; charset=utf-8",
            "application/x-www-form-urlencoded",  # curl -d
            "application/octet-stream",
            None,
        ],
    )
    async def test_plain_text(self, any_house: House, content_type: str | None) -> None:
        ana = await any_house.visit("ana")
        client = await any_house.http()
        headers = {} if content_type is None else {"Content-Type": content_type}
        response = await client.post("/rooms/main", content="a=b & ünï\n".encode(), headers=headers)
        assert response.status_code == 201
        event = await ana.hear_of("event")
        assert (event["by"], event["body"], "key" in event) == ("anonymous", {"text": "a=b & ünï\n"}, False)
        epoch = ana.heard[1]["epoch"]
        assert response.json() == {"position": f"{epoch}.1", "duplicate": False, "listeners": 1}

    async def test_json(self, any_house: House) -> None:
        ana = await any_house.visit("ana")
        fields: dict[str, Any] = {"from": "deploy-bot", "key": "k1", "unknown": [1]}
        response = await any_house.post("hi", **fields)
        assert response.status_code == 201
        event = await ana.hear_of("event")
        assert (event["by"], event["key"], event["body"]) == ("deploy-bot", "k1", {"text": "hi"})

    async def test_a_key_twice_is_stored_once(self, any_house: House) -> None:
        first = (await any_house.post("hi", key="k")).json()
        second = await any_house.post("something else", key="k")
        assert second.status_code == 201
        assert second.json() == {**first, "duplicate": True}
        other = (await any_house.post("hi", **{"key": "k", "from": "bo"})).json()
        assert not other["duplicate"]
        elsewhere = (await any_house.post("hi", "ops", key="k")).json()
        assert not elsewhere["duplicate"]
        assert any_house.head() == 2

    async def test_listeners_are_counted(self, any_house: House) -> None:
        await any_house.visit("ana")
        await any_house.visit("bo", ("main", "ops"))
        readers = [await any_house.read_along(path) for path in ("/rooms/main", "/status")]
        for reader in readers:
            await reader.opening()
        assert (await any_house.post("x")).json()["listeners"] == 3
        assert (await any_house.post("x", "ops")).json()["listeners"] == 1
        assert (await any_house.post("x", "new")).json()["listeners"] == 0

    async def test_the_longest_text(self, house: House) -> None:
        assert (await house.post("é" * (LIMITS.text_bytes // 2))).status_code == 201
        assert refusal(await house.post("é" * (LIMITS.text_bytes // 2) + "x")) == (413, "too_long")
        assert house.head() == 1

    @pytest.mark.parametrize(
        ("fields", "answer"),
        [
            ({"text": ""}, (400, "malformed")),
            ({"text": " \n\t "}, (400, "malformed")),
            ({}, (400, "malformed")),
            ({"text": 5}, (400, "malformed")),
            ({"text": None}, (400, "malformed")),
            ({"text": "x", "key": ""}, (400, "malformed")),
            ({"text": "x", "key": "k" * 129}, (400, "malformed")),
            ({"text": "x", "key": "a\x00b"}, (400, "malformed")),
            ({"text": "x", "from": ""}, (400, "malformed")),
            ({"text": "x", "from": "a b"}, (400, "malformed")),
            ({"text": "x", "from": "x" * 500}, (400, "malformed")),
            ({"text": "x", "from": None}, (400, "malformed")),
        ],
    )
    async def test_what_is_refused(self, house: House, fields: dict[str, Any], answer: tuple[int, str]) -> None:
        client = await house.http()
        assert refusal(await client.post("/rooms/main", json=fields)) == answer
        assert house.head() == 0

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b'"text"',
            b"\xff",
            b'{"text":"\\ud800"}',
            b'{"text":' + b"[" * 5000 + b"]" * 5000 + b"}",
            b'{"text":"x","other":' + b"[" * 5000 + b"]" * 5000 + b"}",
            b'{"text":"x"} trailing',
        ],
    )
    async def test_broken_json(self, house: House, body: bytes) -> None:
        client = await house.http()
        response = await client.post("/rooms/main", content=body, headers={"Content-Type": "application/json"})
        assert refusal(response) == (400, "malformed")
        assert house.head() == 0

    async def test_text_that_is_not_utf_8(self, house: House) -> None:
        client = await house.http()
        assert refusal(await client.post("/rooms/main", content=b"caf\xe9")) == (400, "malformed")

    @pytest.mark.parametrize("room", ["a/b", "a%2Fb", "%2e%2e", ".a", "a%20b", "%C3%A9", "x" * 65, "a%00", ""])
    async def test_a_room_that_cannot_be(self, house: House, room: str) -> None:
        wire = await house.wire()
        for method in ("GET", "POST"):
            head = await wire.request(f"/rooms/{room}", "Content-Length: 0", method=method)
            assert head.startswith("HTTP/1.1 400 ")
            length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
            assert b'"code": "malformed"' in await wire.reader.readexactly(length)
        assert house.heads() == {"status": 0, "room:main": 0}

    @pytest.mark.parametrize("size", [LIMITS.frame_bytes + 1, 1 << 20])
    async def test_a_body_too_large(self, house: House, size: int) -> None:
        client = await house.http()
        assert refusal(await client.post("/rooms/main", content=b"x" * size)) == (413, "too_large")
        assert house.head() == 0

    @pytest.mark.parametrize(
        "content_type", ["image/png", "text/html", "application/json-seq", "multipart/form-data"]
    )
    async def test_another_content_type(self, house: House, content_type: str) -> None:
        client = await house.http()
        response = await client.post("/rooms/main", content=b"x", headers={"Content-Type": content_type})
        assert refusal(response) == (415, "wrong_content_type")
        assert house.head() == 0

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "nonsense"])
    async def test_a_compressed_body_is_not_unpacked(
        self, house: House, monkeypatch: pytest.MonkeyPatch, encoding: str
    ) -> None:
        unpacked: list[object] = []

        def unpack(**named: object) -> None:
            unpacked.append(named)
            raise ValueError("it would cost everyone's time, whoever sends it")

        monkeypatch.setattr("aiohttp.http_parser.ZLibDecompressor", unpack)
        client = await house.http()
        headers = {"Content-Encoding": encoding}
        response = await client.post("/rooms/main", content=gzip.compress(b"hi"), headers=headers)
        assert refusal(response) == (415, "wrong_content_type")
        plain = {"Content-Encoding": "identity"}
        assert (await client.post("/rooms/main", content=b"hi", headers=plain)).status_code == 201
        assert house.head() == 1
        assert unpacked == []

    async def test_what_could_harm_a_terminal_is_replaced(self, house: House) -> None:
        ana = await house.visit("ana")
        await house.post("\x1b]0;owned\x07\u202egnp")
        assert await ana.texts(1) == ["\ufffd]0;owned\ufffd\ufffdgnp"]


class TestNotices:
    @pytest.mark.parametrize("level", ["info", "success", "warning", "critical"])
    async def test_every_level(self, any_house: House, level: str) -> None:
        status = await any_house.read_along()
        await status.opening()
        client = await any_house.http()
        response = await client.post(
            "/notices", json={"text": "disk\nfull", "title": "db\n1", "level": level, "from": "cron"}
        )
        assert response.status_code == 201
        assert response.json()["listeners"] == 1
        block = await status.block()
        assert (block.event, block.id) == ("notice", response.json()["position"])
        assert block.data == {
            "text": "disk\nfull",
            "title": "db\ufffd1",
            "level": level,
            "by": "cron",
            "at": 1_700_000_000_000,
        }

    async def test_plain_text_is_info(self, house: House) -> None:
        client = await house.http()
        status = await house.read_along()
        await status.opening()
        await client.post("/notices", content="backup done")
        data = (await status.block()).data
        assert (data["text"], data["level"], data["by"]) == ("backup done", "info", "anonymous")

    async def test_a_key_twice_is_stored_once(self, any_house: House) -> None:
        client = await any_house.http()
        answers = [(await client.post("/notices", json={"text": "x", "key": "k"})).json() for _ in range(2)]
        assert [answer["duplicate"] for answer in answers] == [False, True]
        assert answers[0]["position"] == answers[1]["position"]
        assert any_house.head_of(STATUS) == 1

    @pytest.mark.parametrize(
        ("fields", "answer"),
        [
            ({"text": "x", "level": "loud"}, (400, "malformed")),
            ({"text": "x", "level": None}, (400, "malformed")),
            ({"text": ""}, (400, "malformed")),
            ({"text": "x", "title": ""}, (400, "malformed")),
            ({"text": "x", "title": "t" * 251}, (413, "too_long")),
            ({"text": "x" * (LIMITS.text_bytes + 1)}, (413, "too_long")),
        ],
    )
    async def test_what_is_refused(self, house: House, fields: dict[str, Any], answer: tuple[int, str]) -> None:
        client = await house.http()
        assert refusal(await client.post("/notices", json=fields)) == answer
        assert house.head_of(STATUS) == 0

    async def test_other_methods(self, house: House) -> None:
        client = await house.http()
        for path in ("/notices", "/hosts/db/samples"):
            response = await client.get(path)
            assert refusal(response) == (405, "method_not_allowed")
            assert response.headers["Allow"] == "POST"


SAMPLE: dict[str, Any] = {
    "host": "db-1.example",
    "at": 1_700_000_000_000,
    "interval": 1.0,
    "cpu": {"percent": 12.5, "per_core": [10.0, 15.0], "count": 2, "load": [0.5, 0.25, 0.125]},
    "memory": {"total_bytes": 8 << 30, "used_bytes": 1 << 30, "percent": 12.5},
    "disks": [{"mount": "/", "total_bytes": 1, "used_bytes": 1, "percent": 100.0}],
    "processes": {"count": 1, "top": [{"pid": 1, "name": "init", "cpu_percent": 0.5, "memory_bytes": 5}]},
    "uptime_seconds": 5.0,
}


class TestSamples:
    async def test_it_goes_to_everyone(self, any_house: House) -> None:
        status = await any_house.read_along()
        await status.opening()
        client = await any_house.http()
        response = await client.post("/hosts/db-1.example/samples", json=SAMPLE)
        assert (response.status_code, response.content) == (202, b"")
        block = await status.block()
        assert (block.event, block.data) == ("sample", SAMPLE)
        assert block.id is not None

    @pytest.mark.parametrize("cpu", [{}, {"cpu": {"percent": 12.5}}], ids=["nothing", "cpu"])
    async def test_what_a_host_cannot_measure_is_absent(self, house: House, cpu: dict[str, Any]) -> None:
        status = await house.read_along()
        await status.opening()
        client = await house.http()
        sample = {"host": "db-1.example", "at": 1_700_000_000_000, "interval": 60.0, **cpu}
        assert (await client.post("/hosts/db-1.example/samples", json=sample)).status_code == 202
        assert (await status.block()).data == sample

    async def test_names_in_it_are_made_safe(self, house: House) -> None:
        status = await house.read_along()
        await status.opening()
        client = await house.http()
        top = [{"pid": 1, "name": "\x1b[2Jevil\n", "cpu_percent": 1, "memory_bytes": 1}]
        await client.post("/hosts/db-1.example/samples", json={**SAMPLE, "processes": {"count": 1, "top": top}})
        assert (await status.block()).data["processes"]["top"][0]["name"] == "\ufffd[2Jevil\ufffd"

    @pytest.mark.parametrize(
        ("path", "sample"),
        [
            ("/hosts/other/samples", SAMPLE),
            ("/hosts/a%20b/samples", {**SAMPLE, "host": "a b"}),
            ("/hosts/db-1.example/samples", {"host": "db-1.example"}),
            ("/hosts/db-1.example/samples", {**SAMPLE, "cpu": 5}),
            ("/hosts/db-1.example/samples", {**SAMPLE, "at": "now"}),
            ("/hosts/db-1.example/samples", {**SAMPLE, "at": 1e30}),
            ("/hosts/db-1.example/samples", {**SAMPLE, "at": 10**30}),
            ("/hosts/db-1.example/samples", {**SAMPLE, "at": -(10**30)}),
            ("/hosts/db-1.example/samples", []),
        ],
    )
    async def test_what_is_refused(self, house: House, path: str, sample: Any) -> None:
        client = await house.http()
        assert refusal(await client.post(path, json=sample)) == (400, "malformed")
        assert house.head_of(STATUS) == 0

    @pytest.mark.parametrize("number", ["1e400", "NaN", "Infinity", "9" * 5000, "-" + "9" * 400])
    async def test_numbers_that_are_none(self, house: House, number: str) -> None:
        client = await house.http()
        response = await client.post(
            "/hosts/db/samples",
            content=f'{{"host":"db","at":{number},"interval":{number}}}',
            headers={"Content-Type": "application/json"},
        )
        assert refusal(response) == (400, "malformed")
        assert house.head_of(STATUS) == 0

    async def test_another_content_type(self, house: House) -> None:
        client = await house.http()
        response = await client.post("/hosts/db/samples", content="{}", headers={"Content-Type": "text/plain"})
        assert refusal(response) == (415, "wrong_content_type")
