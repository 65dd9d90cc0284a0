import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.happenings import CaughtUp, Link, LinkState, RoomEvent
from pushtui.client.polling import PollingClient, PollingHappening
from pushtui.protocol import messages
from pushtui.protocol.positions import Lost, Outcome, Position
from tests.client.peers import EPOCH, TOKEN, FakeClock, Request, collect, http_peer, remainder, until

JSON = "Content-Type: application/json"
Query = dict[str, str]


def client(address: Address, room: str = "main", **options: Any) -> PollingClient:
    settings: dict[str, Any] = {"clock": FakeClock(), "backoff": Backoff(chance=lambda: 0.0)} | options
    return PollingClient(address, room, **settings)


def answer(*seqs: int, outcome: str = "caught_up", head: int | None = None, **more: Any) -> bytes:
    events = [
        {
            "type": "event",
            "room": "main",
            "seq": seq,
            "at": 1,
            "kind": "message",
            "by": "ben",
            "body": {"text": "x"},
        }
        for seq in seqs
    ]
    last = seqs[-1] if seqs else more.get("after", 0)
    first = {"outcome": outcome, "epoch": EPOCH, "after": 0, "head": last if head is None else head}
    return msgspec.json.encode(first | {"position": f"{EPOCH}.{last}", "more": False, "events": events} | more)


def query(request: Request) -> Query:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}


def is_event(seq: int) -> Any:
    return lambda happening: isinstance(happening, RoomEvent) and happening.seq == seq


def is_link(state: LinkState) -> Any:
    return lambda happening: isinstance(happening, Link) and happening.state is state


def seqs(told: list[PollingHappening]) -> list[tuple[int, bool]]:
    return [(happening.seq, happening.replayed) for happening in told if isinstance(happening, RoomEvent)]


async def test_one_goes_on_from_where_the_last_answer_ended() -> None:
    asked: list[Query] = []
    answers = [answer(1, 2, outcome="fresh"), answer(3), answer(after=3), answer(4, 5)]

    async def peer(request: Request) -> None:
        asked.append(query(request))
        await request.answer("200 OK", JSON, body=answers[len(asked) - 1])

    async with http_peer(peer) as address, client(address, wait=20, replay=7) as polling:
        told = await collect(polling, is_event(5))
        assert polling.position == f"{EPOCH}.5"
    assert asked[:4] == [
        {"wait": "0", "replay": "7"},
        {"after": f"{EPOCH}.2", "wait": "20"},
        {"after": f"{EPOCH}.3", "wait": "20"},
        {"after": f"{EPOCH}.3", "wait": "20"},
    ]
    assert seqs(told) == [(1, True), (2, True), (3, False), (4, False), (5, False)]
    assert [happening for happening in told if not isinstance(happening, RoomEvent)] == [
        Link(LinkState.CONNECTING),
        Link(LinkState.LIVE),
        messages.Resume("main", Outcome.FRESH, EPOCH, 0, 2),
        CaughtUp("main", Outcome.FRESH, 2),
    ]


async def test_after_a_lost_link_one_asks_the_same_again() -> None:
    asked: list[Query] = []

    async def peer(request: Request) -> None:
        asked.append(query(request))
        match len(asked):
            case 1:
                await request.answer("200 OK", JSON, body=answer(1, outcome="fresh"))
            case 2:
                await request.send(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"
                )
                request.cut()
            case _:
                await request.answer("200 OK", JSON, body=answer(1, 2, 3, after=1))

    async with http_peer(peer) as address, client(address) as polling:
        told = await collect(polling, is_event(3))
    assert [one.get("after") for one in asked[:3]] == [None, f"{EPOCH}.1", f"{EPOCH}.1"]
    assert asked[2]["wait"] == "0"
    assert seqs(told) == [(1, True), (2, True), (3, True)]
    states = [happening.state for happening in told if isinstance(happening, Link)]
    assert states == ["connecting", "live", "lost", "connecting", "live"]


async def test_a_gap_is_told() -> None:
    async def peer(request: Request) -> None:
        body = answer(8, outcome="gap", after=7, lost={"after": 2, "before": 8})
        await request.answer("200 OK", JSON, body=body)

    async with http_peer(peer) as address, client(address, position=Position(EPOCH, 2)) as polling:
        told = await collect(polling, is_event(8))
    assert messages.Resume("main", Outcome.GAP, EPOCH, 7, 8, Lost(2, 8)) in told


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason"),
    [
        ("200 OK", ["Content-Type: text/event-stream"], b"retry: 1\n\n", "there is no long polling here"),
        ("404 Not Found", [JSON], b'{"code": "no_such_room", "message": "no room x\\u001b[2J"}', "no room x�[2J"),
        ("401 Unauthorized", [], b"", "the server wants a valid token (HTTP 401)"),
        ("301 Moved Permanently", ["Location: http://127.0.0.1:1/"], b"", "there is no pushtui here (HTTP 301)"),
    ],
)
async def test_what_is_final(status: str, headers: list[str], body: bytes, reason: str) -> None:
    async def peer(request: Request) -> None:
        await request.answer(status, *headers, body=body)

    async with http_peer(peer) as address, client(address) as polling:
        told = await remainder(polling)
    assert told[-1] == Link(LinkState.REFUSED, reason, code=int(status[:3]))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "the server's answer cannot be read"),
        (b"\xff{", "the server's answer cannot be read"),
        (answer(1, outcome="odd"), "the server's answer cannot be read"),
        (answer(1, position="nowhere"), "the server's answer cannot be read"),
        (b" " * (4 * 1024 * 1024 + 1), "an answer has more than 4194304 bytes"),
    ],
)
async def test_an_answer_that_is_none(body: bytes, reason: str) -> None:
    async def peer(request: Request) -> None:
        await request.answer("200 OK", JSON, body=body)

    async with http_peer(peer) as address, client(address) as polling:
        told = await collect(polling, is_link(LinkState.LOST))
    assert isinstance(told[-1], Link)
    assert told[-1].reason == reason


async def test_one_event_that_cannot_be_read_is_passed_over() -> None:
    async def peer(request: Request) -> None:
        page = json.loads(answer(1, 2, 3, outcome="fresh"))
        page["events"][1] = {"type": "event", "seq": "two"}
        page["events"].insert(0, {"type": "typing", "room": "main", "on": True})
        await request.answer("200 OK", JSON, body=json.dumps(page).encode())

    async with http_peer(peer) as address, client(address) as polling:
        assert seqs(await collect(polling, is_event(3))) == [(1, True), (3, True)]
        assert polling.traffic.skipped_frames >= 2


async def test_a_server_that_never_waits_is_not_hammered() -> None:
    clock = FakeClock()

    async def peer(request: Request) -> None:
        await request.answer("200 OK", JSON, body=answer(after=3, outcome="caught_up"))

    async with http_peer(peer) as address, client(address, clock=clock, position=Position(EPOCH, 3)) as polling:
        await collect(polling, lambda happening: isinstance(happening, CaughtUp))
        await until(lambda: polling.requests >= 6)
    # The first one did not ask it to wait, and the last one may not have been answered.
    assert clock.waited == [1.0] * len(clock.waited)
    assert len(clock.waited) >= 4


async def test_when_to_come_back_is_the_servers_word() -> None:
    async def peer(request: Request) -> None:
        body = b'{"code": "busy", "message": "the server stops"}'
        await request.answer("503 Service Unavailable", JSON, "Retry-After: 7", body=body)

    async with http_peer(peer) as address, client(address) as polling:
        told = await collect(polling, is_link(LinkState.LOST))
    assert told[-1] == Link(LinkState.LOST, "the server stops", 7.0, attempt=2, code=503)


async def test_nobody_there() -> None:
    async with http_peer(lambda _: None) as address:  # type: ignore[arg-type,return-value]
        gone = address
    async with client(gone) as polling:
        told = await collect(polling, is_link(LinkState.LOST))
    assert isinstance(told[-1], Link)
    assert told[-1].reason == f"no server at {gone.authority}"


async def test_a_token_is_sent() -> None:
    sent: list[str | None] = []

    async def peer(request: Request) -> None:
        sent.append(request.headers.get("authorization"))
        await request.answer("200 OK", JSON, body=answer(1, outcome="fresh"))

    async with http_peer(peer) as address, client(address, token=TOKEN) as polling:
        await collect(polling, is_event(1))
    assert sent[0] == TOKEN.header
