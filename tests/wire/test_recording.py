import asyncio
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.wire.overhead import Overhead
from pushtui.wire.player import play
from pushtui.wire.recording import Recorder, Recording, RecordingUnreadableError, encode
from pushtui.wire.records import (
    Beginning,
    Close,
    Dispatch,
    Frame,
    Line,
    Record,
    Request,
    Response,
    RoundTrip,
    Wait,
)
from tests.client.peers import FakeClock

BEGINNING = Beginning("websocket", "ws://a/", 1_700_000_000_000)
FIRST = f"{encode(BEGINNING)}\n".encode()

TIMES = st.integers(0, 10**9).map(lambda micro: micro / 1_000_000)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
HEADERS = st.lists(st.tuples(TEXT, TEXT), max_size=3)
SIZES = st.integers(0, 1 << 40)
RECORDS = st.one_of(
    st.builds(Request, TIMES, TEXT, TEXT, TEXT, HEADERS, SIZES),
    st.builds(Response, TIMES, TEXT, st.integers(0, 999), TEXT, HEADERS, SIZES),
    st.builds(
        Frame,
        TIMES,
        st.sampled_from(["up", "down"]),
        st.integers(0, 15),
        st.one_of(st.binary(max_size=40), TEXT.map(str.encode)),
        st.booleans(),
        st.integers(0, 7),
        st.one_of(st.none(), st.binary(min_size=4, max_size=4)),
        SIZES,
    ),
    st.builds(RoundTrip, TIMES, TIMES),
    st.builds(Line, TIMES, st.one_of(st.binary(max_size=40), TEXT.map(str.encode)), SIZES),
    st.builds(Dispatch, TIMES, TEXT, TEXT, SIZES),
    st.builds(Wait, TIMES, TIMES, TEXT, TEXT),
    st.builds(Close, TIMES, TEXT, st.one_of(st.none(), SIZES), st.sampled_from(["client", "server", "nobody"])),
)


def recorded(records: list[Record]) -> bytes:
    target = io.BytesIO()
    recorder = Recorder(target, BEGINNING)
    for record in records:
        recorder(record)
    return target.getvalue()


def read(data: bytes) -> list[Record]:
    return list(Recording(io.BytesIO(data)))


@given(st.lists(RECORDS, max_size=5))
def test_what_was_recorded_comes_back_and_can_be_looked_at(records: list[Record]) -> None:
    data = recorded(records)
    recording = Recording(io.BytesIO(data))
    assert recording.beginning == BEGINNING
    assert list(recording) == records
    assert not [one for one in data.decode() if one != "\n" and (one < " " or "\x7f" <= one <= "\x9f")]
    assert data.count(b"\n") == 1 + len(records)


def test_payloads_can_be_read_where_they_are_text() -> None:
    frame = Frame(0.1234567, "up", 1, "é\x1b\u202e".encode(), mask=b"\0\1\2\3", wire_bytes=12)
    assert encode(frame) == (
        '{"what":"frame","at":0.123457,"direction":"up","opcode":1,"mask":"00010203","wire_bytes":12,'
        '"text":"é\\u001b\\u202e"}'
    )
    assert json.loads(encode(Line(0, b"\xff", 2))) == {"what": "line", "at": 0, "base64": "/w==", "wire_bytes": 2}


@given(st.integers(0, 200))
def test_a_recording_that_was_cut_off_ends_before_the_cut(missing: int) -> None:
    records: list[Record] = [Close(float(number), "bye") for number in range(4)]
    data = recorded(records)
    cut = data[: max(len(FIRST), len(data) - missing)]
    assert read(cut) == records[: cut[len(FIRST) :].count(b"\n") + cut.endswith(b"}")]


@pytest.mark.parametrize(
    "garbage",
    [
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b"1",
        b"",
        b'{"what":"nothing","at":1}',
        b'{"what":["frame"],"at":1}',
        b'{"what":"frame","at":1,"direction":"up","opcode":1,"base64":"?"}',
        b'{"what":"frame","at":1,"direction":"up","opcode":1,"base64":7}',
        b'{"what":"frame","at":1,"direction":"up","opcode":1,"text":"x","mask":"zz"}',
        b'{"what":"frame","at":1,"direction":"left","opcode":1,"text":"x"}',
        b'{"what":"close","at":"1","reason":""}',
        b'{"what":"close","at":1e999,"reason":""}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_record_is_named_by_its_line(garbage: bytes) -> None:
    data = recorded([Close(0, "bye")]) + garbage + b"\n" + encode(Close(1, "x")).encode()
    with pytest.raises(RecordingUnreadableError, match=r"line 3 of the recording is no record: .") as caught:
        read(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "first", [b"", b"\n", b"{}\n", b"\x7fELF", b"[1]\n", b'{"what":"recording","version":1}\n', b"[" * 100_000]
)
def test_what_is_no_recording(first: bytes) -> None:
    with pytest.raises(RecordingUnreadableError, match="this is no recording of pushtui"):
        Recording(io.BytesIO(first))


def test_a_newer_recording_is_refused() -> None:
    newer = b'{"what":"recording","flow":"carrier pigeon","version":2}\n'
    with pytest.raises(
        RecordingUnreadableError, match="of a newer pushtui: version 2, and this one reads up to 1"
    ):
        Recording(io.BytesIO(newer))


@pytest.mark.parametrize("speed", [1.0, 4.0])
async def test_it_plays_by_its_times(speed: float) -> None:
    records: list[Record] = [Close(at, "") for at in (1.0, 1.0, 3.0, 2.0, 7.0)]
    clock = FakeClock()
    found = [(record, clock.now() - 1000) async for record in play(records, clock, speed)]
    assert found == [(record, at / speed) for record, at in zip(records, (1.0, 1.0, 3.0, 3.0, 7.0), strict=True)]


async def test_who_is_slow_does_not_make_it_late() -> None:
    clock = FakeClock()
    async for _ in play([Close(1, ""), Close(2, ""), Close(9, "")], clock):
        await clock.wait(asyncio.Event(), 1.5)
    assert clock.waited == [1, 1.5, 1.5, 5, 1.5]


def test_bytes_on_the_wire_for_each_useful_one() -> None:
    chat, status = Overhead(), Overhead()
    assert (chat.ratio, chat.per_message) == (None, None)
    for record in (
        Request(0, "GET", "/", "HTTP/1.1", [], 100),
        Response(0, "HTTP/1.1", 101, "", [], 50),
        Frame(0, "up", 1, b"abcd", mask=b"abcd", wire_bytes=10),
        Frame(0, "down", 1, b"ab", fin=False, wire_bytes=4),
        Frame(0, "down", 0, b"cd", wire_bytes=4),
        Frame(0, "down", 9, b"abcd", wire_bytes=6),
    ):
        chat.count(record)
    assert chat == Overhead(150, 24, 8, 2)
    assert (chat.ratio, chat.per_message) == (3.0, 8.0)
    for line in (b"data: abc", b"", b": hi", b""):
        status.count(Line(0, line, len(line) + 1))
    status.count(Dispatch(0, "message", "", 3))
    status.count(Dispatch(0, "", "", 0))
    assert status == Overhead(0, 17, 3, 1)
