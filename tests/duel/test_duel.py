"""A whole duel against a real server, over real sockets."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.duel import duel as order
from pushtui.duel.contender import DuelError, PollingContender
from pushtui.duel.duel import Duel
from pushtui.duel.measure import Tally
from pushtui.duel.standing import Carried, Lane, Phase, Standing
from pushtui.duel.table import lines, verdict
from pushtui.duel.terms import Terms
from pushtui.protocol.token import Token
from server import polling
from server.log.streams import room_stream
from tests.server.certificates import issued
from tests.server.conftest import Build, House, timing, until
from tests.server.town import Town

QUICK = Terms(messages=40, rate=400, size=100)
#: Event streams come back when the server says so.
SOON = timing(retry=0.02)


def soon() -> Backoff:
    return Backoff(initial=0.01, cap=0.02, floor=0.01)


def duel(house: House, terms: Terms = QUICK, **options: Any) -> Duel:
    return Duel(Address.parse(house.url), terms, run="1a2b3c4d", backoff=soon, **options)


def of(standing: Standing, measure: Callable[[Lane], object]) -> tuple[object, ...]:
    return tuple(measure(lane) for lane in standing.lanes)


async def fought(one: Duel) -> Standing:
    async with asyncio.timeout(30):
        return await one.run()


async def test_everyone_hears_everything_once_in_spite_of_a_cut(build: Build) -> None:
    house = await build(timing=SOON)
    phases: list[Phase] = []

    def changed() -> None:
        if (phase := one.standing().phase) not in phases:
            phases.append(phase)

    one = duel(house, changed=changed)
    standing = await fought(one)
    assert phases == list(Phase)
    assert (standing.said, standing.room) == (40, "duel-1a2b3c4d")
    assert of(standing, lambda lane: (lane.transport, lane.link)) == (
        ("websocket", "live"),
        ("sse", "live"),
        ("polling", "live"),
    )
    assert of(standing, lambda lane: (lane.heard, lane.lost, lane.doubled)) == ((40, 0, 0),) * 3
    assert of(standing, lambda lane: lane.useful_bytes) == (4000,) * 3
    assert of(standing, lambda lane: lane.carried.connections) == (2, 2, 2)
    assert of(standing, lambda lane: len(lane.latencies_ms)) == (40, 40, 40)
    for lane in standing.lanes:
        assert lane.opening is not None
        assert lane.opening.connections == 1
        assert lane.recovery is not None
        assert lane.recovery.back_ms is not None
        told = [step.what for step in lane.recovery.steps]
        assert told[0] == "the link is cut"
        if lane.transport == "polling" and told[1].startswith("between two requests"):
            assert len(told) == 2
            continue
        assert told[1].startswith("the server hung up; back in 0.0 s (")
        assert told[2] == "connects again"
        assert told[3].endswith(": caught_up")
        assert told[4:] == [f"{lane.recovery.replayed} missed, all replayed"]
        assert [step.at_ms for step in lane.recovery.steps] == sorted(step.at_ms for step in lane.recovery.steps)
        assert lane.recovery.carried.connections == 1
        assert lane.recovery.carried.bytes < lane.carried.bytes
    heard_by = house.service.fanout
    assert heard_by.delivered() >= 3 * 40
    # what was said is there: the messages, and three answers
    state = house.store.state(room_stream(standing.room))
    assert state is not None
    assert state.head == 43


async def test_who_can_answer(build: Build) -> None:
    house = await build(timing=SOON)
    standing = await fought(duel(house))
    assert of(standing, lambda lane: lane.answer and lane.answer.same_link) == (True, False, False)
    answers = [lane.answer for lane in standing.lanes]
    entries = await house.store.read(room_stream(standing.room), 40, 10)
    assert [entry.by for entry in entries] == ["duel-1a2b3c4d-ws", "duel-1a2b3c4d-sse", "duel-1a2b3c4d-polling"]
    websocket = answers[0]
    assert websocket is not None
    text = b"1a2b3c4d websocket answers"
    assert text in entries[0].body
    # a masked frame: two bytes, and a key of four; RFC 6455, section 5.2
    frame = b'{"type":"send","key":"%b","room":"duel-1a2b3c4d","text":"%b"}' % (
        (entries[0].key or "").encode(),
        text,
    )
    assert websocket.sent_bytes == len(frame) + 6
    for answer in answers[1:]:
        assert answer is not None
        assert answer.sent_bytes > 2 * websocket.sent_bytes
        assert answer.received_bytes > 0


async def test_without_a_cut(house: House) -> None:
    standing = await fought(duel(house, Terms(messages=20, rate=200, size=64, cut=False)))
    assert of(standing, lambda lane: lane.recovery) == (None, None, None)
    assert of(standing, lambda lane: lane.carried.connections) == (1, 1, 1)
    assert of(standing, lambda lane: lane.requests)[:2] == (1, 1)
    costs = [lane.overhead_bytes for lane in standing.lanes]
    websocket, sse, _ = costs
    assert websocket is not None
    assert sse is not None
    # The same JSON in a frame of two or four bytes, and with a name, an id and a chunk around it.
    assert websocket < sse < websocket + 60
    for lane in standing.lanes:
        assert lane.opening is not None
        assert lane.overhead_bytes == (lane.carried.since(lane.opening).bytes - lane.useful_bytes) / 20


async def test_what_the_answers_take_is_not_in_the_bill(house: House) -> None:
    billed: dict[Phase, list[Carried]] = {}

    def changed() -> None:
        standing = one.standing()
        billed[standing.phase] = [lane.carried for lane in standing.lanes]

    one = duel(house, Terms(messages=10, rate=200, size=64, cut=False), changed=changed)
    standing = await fought(one)
    assert billed[Phase.ANSWERING] == billed[Phase.OVER] == [lane.carried for lane in standing.lanes]


async def test_with_a_token_one_goes_by_its_name(build: Build, tmp_path: Path) -> None:
    async with Town.founded(build, tmp_path) as town:
        token = Token(town.tokens["ana"])
        standing = await fought(duel(town.house, Terms(10, 200, 64, cut=False), token=token))
        entries = await town.house.store.read(room_stream(standing.room), 0, 100)
        assert {entry.by for entry in entries} == {"ana"}
        assert of(standing, lambda lane: lane.lost) == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "reason", "code"),
    [
        (None, "the speaker cannot come in: .*token", 4500),
        ("agi", "the speaker cannot come in: the role agent may not listen", 4500),
        ("rea", "the speaker cannot come in: there is no room duel-1a2b3c4d", 4501),
    ],
)
async def test_who_may_not(build: Build, tmp_path: Path, name: str | None, reason: str, code: int) -> None:
    async with Town.founded(build, tmp_path) as town:
        token = None if name is None else Token(town.tokens[name])
        with pytest.raises(DuelError, match=reason) as refused:
            await fought(duel(town.house, token=token))
        assert refused.value.code == code


async def test_a_server_that_knows_no_long_polling(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "is_asked", lambda _: False)
    with pytest.raises(DuelError, match="polling: there is no long polling here"):
        await fought(duel(house))


async def test_no_server(build: Build) -> None:
    house = await build()
    one = duel(house)
    await house.server.stop()
    with pytest.raises(DuelError, match="no server at") as error:
        await fought(one)
    assert error.value.code is None


async def test_what_is_lost_or_doubled_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "PATIENCE", 0.5)
    hear = Tally.hear

    def badly(self: Tally, number: int, text: str, latency_ms: float, *, replayed: bool) -> None:
        if self is not theirs:
            hear(self, number, text, latency_ms, replayed=replayed)
        elif number != 5:
            for _ in range(2 if number == 7 else 1):
                hear(self, number, text, latency_ms, replayed=replayed)

    one = duel(house, Terms(10, 200, 64, cut=False))
    (theirs,) = (each.tally for each in one._contenders if isinstance(each, PollingContender))
    monkeypatch.setattr(Tally, "hear", badly)
    standing = await fought(one)
    assert of(standing, lambda lane: (lane.lost, lane.doubled)) == ((0, 0), (0, 0), (1, 1))
    assert verdict(standing.lanes[2], standing) == "It lost 1 messages and doubled 1: that must not be."
    assert any(line.startswith("lost / doubled") and line.endswith("1 / 1") for line in lines(standing))


async def test_it_can_be_left_at_any_time(build: Build) -> None:
    house = await build(timing=SOON)
    before = asyncio.all_tasks()
    one = duel(house, Terms(messages=1000, rate=100, size=64))
    fighting = asyncio.create_task(one.run())
    await until(lambda: one.standing().said > 5)
    fighting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fighting
    await until(house.is_empty)
    await until(lambda: asyncio.all_tasks() - before <= {task for task in asyncio.all_tasks() if task.done()})


async def test_what_others_say_in_the_room_does_not_count(build: Build) -> None:
    house = await build(timing=SOON)
    one = duel(house, Terms(10, 50, 64, cut=False))
    fighting = asyncio.create_task(fought(one))
    await until(lambda: one.standing().said > 2)
    assert (await house.post("1 2 3 x", "duel-1a2b3c4d")).status_code == 201
    standing = await fighting
    assert of(standing, lambda lane: (lane.heard, lane.doubled)) == ((10, 0),) * 3


def encryption(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate, whose authority is trusted for now."""
    files = issued(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    return context


async def test_over_tls(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The relays see what is inside: not a byte more than without it, but for the name of the server."""
    context = encryption(tmp_path, monkeypatch)
    encrypted, plain = await build(tls=context, timing=SOON), await build(timing=SOON)
    terms = Terms(20, 400, 64, cut=False)
    for house in (encrypted, plain):
        assert house.url.startswith("https" if house is encrypted else "http://")
        standing = await fought(duel(house, terms))
        assert of(standing, lambda lane: (lane.heard, lane.lost, lane.doubled)) == ((20, 0, 0),) * 3
        opening = standing.lanes[1].opening
        assert opening is not None
        if house is encrypted:
            expected = opening.sent_bytes
        assert opening.sent_bytes - len(str(house.port)) == expected - len(str(encrypted.port))


async def test_over_tls_a_cut_is_survived_too(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = encryption(tmp_path, monkeypatch)
    house = await build(tls=context, timing=SOON)
    standing = await fought(duel(house))
    assert of(standing, lambda lane: (lane.lost, lane.doubled, lane.carried.connections)) == ((0, 0, 2),) * 3
