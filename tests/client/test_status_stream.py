import asyncio
import json
from typing import Any

import pytest

from pushtui.client.address import Address
from pushtui.client.feed import LIMIT
from pushtui.client.happenings import CaughtUp, Link, LinkState, StatusEvent, StatusResume
from pushtui.protocol.bodies import Alert, Mark, Notice
from pushtui.protocol.eventstream import block, comment
from pushtui.protocol.positions import Outcome, Position
from pushtui.protocol.samples import Sample
from tests.client.peers import (
    EPOCH,
    PATIENCE,
    TOKEN,
    Request,
    collect,
    forever,
    http_peer,
    remainder,
    until,
)
from tests.client.reading import client, events, is_event, is_link, notice, opening, told_notice


async def test_a_stream_from_resume_to_live() -> None:
    requests: list[Request] = []

    async def peer(request: Request) -> None:
        requests.append(request)
        await request.open_stream(opening(3, 5), notice(4), notice(5), comment("ping"), notice(6))
        await forever()

    async with http_peer(peer) as address, client(address, replay=2, token=TOKEN) as status:
        told = await collect(status, is_event(6))
        assert status.link == Link(LinkState.LIVE)
        assert status.retry_ms == 2000
        assert status.last_event_id == f"{EPOCH}.6"
        assert status.traffic.received_frames == 4
        assert status.traffic.received_bytes > 300
    assert told == [
        Link(LinkState.CONNECTING),
        Link(LinkState.LIVE),
        StatusResume(Outcome.FRESH, EPOCH, 3, 5),
        told_notice(4, True),
        told_notice(5, True),
        CaughtUp(None, Outcome.FRESH, 2),
        told_notice(6),
    ]
    (request,) = requests
    assert (request.method, request.target) == ("GET", "/status?replay=2")
    assert request.headers["accept"] == "text/event-stream"
    assert request.headers["cache-control"] == "no-store"
    assert request.headers["authorization"] == TOKEN.header
    assert "last-event-id" not in request.headers
    assert await remainder(status) == [Link(LinkState.CLOSED)]


async def test_what_is_asked_for_stands_in_the_url() -> None:
    targets: list[str] = []

    async def peer(request: Request) -> None:
        targets.append(request.target)
        await request.answer("204 No Content")

    async with http_peer(peer) as address:
        below = Address.parse(f"{address}/team")
        async with client(below, replay=0, hosts=["a", "b"], events=["notice"]) as status:
            await remainder(status)
    assert targets == ["/team/status?replay=0&host=a%2Cb&events=notice"]


@pytest.mark.parametrize(
    ("kind", "data", "body"),
    [
        ("notice", {"text": "a\nb\x1b", "level": "info", "by": "\x1b"}, Notice("a\nb�", "info", "�")),
        ("mark", {"text": "deploy\x9b", "room": "main", "by": "ana"}, Mark("deploy�", "main", "ana")),
        (
            "alert",
            {
                "id": "i",
                "host": "h\u202e",
                "metric": "cpu",
                "state": "firing",
                "value": 99,
                "threshold": 90,
                "since": 1,
            },
            Alert("i", "h�", "cpu", "firing", 99, 90, 1),
        ),
        ("sample", {"host": "h\n", "at": 1, "interval": 1.5, "new": []}, Sample("h�", 1, 1.5)),
        ("poll", {"text": "x"}, None),
    ],
)
async def test_every_kind_is_typed_and_clean(kind: str, data: Any, body: Any) -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(opening(), block(json.dumps(data), event=kind, event_id=f"{EPOCH}.1"))
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_event(1))
        assert told[-1] == StatusEvent(Position(EPOCH, 1), kind, body)
        assert status.traffic.skipped_frames == 0


@pytest.mark.parametrize("data", ["", "{", "[]", '{"text": 1}', "[" * 100_000])
async def test_what_cannot_be_read_is_counted(data: str) -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(
            opening(), block(data, event="resume"), block(data, event="notice", event_id=f"{EPOCH}.1"), notice(2)
        )
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_event(2))
        assert events(told) == [StatusEvent(Position(EPOCH, 1), "notice", None), told_notice(2)]
        assert status.traffic.skipped_frames == 2


async def test_the_name_of_an_event_is_clean() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(opening(), block("1", event="a\x1b[2Jb", event_id="x\x1b"))
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, lambda one: isinstance(one, StatusEvent))
        assert told[-1] == StatusEvent(None, "a�[2Jb", None)
        assert status.last_event_id == "x�"


async def test_what_is_not_durable_has_no_position() -> None:
    async def peer(request: Request) -> None:
        data = json.dumps({"host": "h", "at": 1, "interval": 1})
        await request.open_stream(opening(1, 1), block(data, event="sample"))
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, lambda one: isinstance(one, StatusEvent))
        assert told[-1] == StatusEvent(None, "sample", Sample("h", 1, 1))
        assert status.last_event_id == f"{EPOCH}.1"


async def test_comments_and_blocks_without_data_are_no_events() -> None:
    async def peer(request: Request) -> None:
        quiet = [comment("ping"), block(event="notice"), block(event_id=f"{EPOCH}.7"), block(retry=9)]
        await request.open_stream(opening(), *quiet, notice(8))
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_event(8))
        assert len(events(told)) == 1
        assert status.retry_ms == 9


async def test_a_byte_order_mark_hides_nothing() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(b"\xef\xbb\xbf", opening())
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        await collect(status, is_link(LinkState.LIVE))


@pytest.mark.parametrize(
    "content_type",
    ["text/event-stream", "TEXT/Event-Stream", "text/event-stream;charset=latin-1", "text/event-stream ;a"],
)
async def test_a_stream_is_utf_8_whatever_it_says(content_type: str) -> None:
    async def peer(request: Request) -> None:
        data = json.dumps({"text": "café", "level": "info", "by": "ben"}, ensure_ascii=False)
        event = block(data, event="notice", event_id=f"{EPOCH}.1")
        await request.open_stream(opening(), event, content_type=content_type)
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_event(1))
        assert events(told)[0].body == Notice("café", "info", "ben")


async def test_a_stream_in_single_bytes() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream()
        for byte in opening(0, 1) + notice(1) + notice(2):
            await request.send(bytes([byte]))
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_event(2))
        assert events(told) == [told_notice(1, True), told_notice(2)]


async def test_a_heartbeat_ends_a_replay_whose_last_events_were_filtered_out() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(opening(0, 9), notice(4), comment())
        await forever()

    async with http_peer(peer) as address, client(address, events=["notice"]) as status:
        told = await collect(status, lambda one: isinstance(one, CaughtUp))
        assert told[-1] == CaughtUp(None, Outcome.FRESH, 1)


async def test_leaving_ends_the_request_and_leaves_nothing_running() -> None:
    gone = asyncio.Event()

    async def peer(request: Request) -> None:
        await request.open_stream(opening())
        await request.hung_up()
        gone.set()

    before = asyncio.all_tasks()
    async with http_peer(peer) as address:
        async with client(address) as status:
            await collect(status, is_link(LinkState.LIVE))
        await asyncio.wait_for(gone.wait(), PATIENCE)
    await until(lambda: asyncio.all_tasks() == before)
    assert status.link == Link(LinkState.CLOSED)


async def test_leaving_at_once() -> None:
    async with client(Address.parse("127.0.0.1:1")) as status:
        pass
    assert await remainder(status) == [Link(LinkState.CLOSED)]


async def test_a_consumer_that_is_slow_slows_the_server_down() -> None:
    sent = 0

    async def peer(request: Request) -> None:
        nonlocal sent
        await request.open_stream(opening())
        for seq in range(1, 4000):
            await request.send(notice(seq, "x" * 16_000))
            sent = seq

    async with http_peer(peer) as address, client(address) as status:
        await until(lambda: len(status._feed._items) >= LIMIT)
        seen = -1
        while seen != sent:
            seen = sent
            for _ in range(200):
                await asyncio.sleep(0)
        assert sent < 3999
        assert len(status._feed._items) < LIMIT + 20
