"""What is read by hand: chunks and events, however they are cut, and answers that are none."""

import gzip

import pytest

from pushtui.doctor.endpoint import Endpoint
from pushtui.doctor.finding import Level, Verdict, ok, skipped, together, warn, worst
from pushtui.doctor.head import Head, NotHttpError, request
from pushtui.doctor.probe import accept_of, frame
from pushtui.doctor.stream.body import Body
from pushtui.doctor.stream.parsing import Parser
from pushtui.doctor.stream.resumption import other_id
from pushtui.protocol.token import Token

STREAM = (
    "\ufeff: hi\r\nretry: 10\r\rid: 1\ndata:a\r\ndata: b\n\n"
    "event: e\rdata: c\r\r"
    "id: no\0\nevent: lonely\n\nid\ndata\n\nData: x\ndata: half"
).encode()
CHUNKED = Head("1.1", 200, (("transfer-encoding", "chunked"),))


def chunk(data: bytes) -> bytes:
    return f"{len(data):x};name=value\r\n".encode() + data + b"\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_however_they_are_cut(size: int) -> None:
    parser = Parser()
    for at in range(0, len(STREAM), size):
        parser.feed(STREAM[at : at + size], float(at))
    assert [event.same for event in parser.events] == [
        ("message", "a\nb", "1"),
        ("e", "c", "1"),
        ("message", "", ""),
    ]
    assert [event.own_id for event in parser.events] == [True, False, True]
    assert (parser.comments, parser.retries, parser.ids) == (1, ["10"], 2)
    assert (list(parser.unknown), parser.undispatched, parser.not_utf8) == (["Data"], 1, False)
    assert not parser.between_blocks


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_chunks_however_they_are_cut(size: int) -> None:
    sent = chunk(b"hello ") + chunk(b"world") + b"0\r\nX: y\r\n\r\nmore"
    body = Body(CHUNKED)
    content = b"".join(body.feed(sent[at : at + size]) for at in range(0, len(sent), size))
    assert content == b"hello world"
    assert body.complete


@pytest.mark.parametrize("data", [b"xyz\r\n", b"-1\r\n", b"\r\n", 5000 * b"1"])
def test_what_are_no_chunks(data: bytes) -> None:
    with pytest.raises(NotHttpError):
        Body(CHUNKED).feed(data)


def test_a_length_and_none() -> None:
    body = Body(Head("1.1", 200, (("content-length", "3"),)))
    assert (body.feed(b"ab"), body.complete) == (b"ab", False)
    assert (body.feed(b"cd"), body.complete) == (b"c", True)
    body = Body(Head("1.1", 200, ()))
    assert (body.feed(gzip.compress(b"")[:2]), body.complete) == (b"\x1f\x8b", False)


def test_heads() -> None:
    head = Head.parse(b"HTTP/1.1 200\r\nVary: Origin\r\nvary:  Accept \r\nno colon")
    assert (head.version, head.status) == ("1.1", 200)
    assert (head.get("vary"), head.words("vary")) == ("Origin, Accept", ["origin", "accept"])
    assert head.get("none") is None
    with pytest.raises(NotHttpError):
        Head.parse(b"HTTP/2 200")


def test_a_request_has_each_field_once() -> None:
    endpoint = Endpoint.parse(
        "ws://[::1]:80/a b?c=d#e",
        fields=(("user-agent", "mine"), ("X-Team", "red")),
        origin="https://wiki.example",
        token=Token("ptk_0123456789ab_" + 16 * "5ec4e7"),
    )
    first, *lines = request(endpoint, {"Origin": "https://other.example", "X-Team": None}).decode().split("\r\n")
    assert first == "GET /a%20b?c=d HTTP/1.1"
    assert [line.partition(":")[0].lower() for line in lines if line] == [
        "host",
        "user-agent",
        "origin",
        "authorization",
    ]
    assert {"Host: [::1]:80", "user-agent: mine", "Origin: https://other.example"} < set(lines)
    assert "5ec4e7" not in repr(endpoint)


def test_the_key_of_the_standard() -> None:
    """RFC 6455, section 1.3."""
    assert accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(("size", "head"), [(125, 6), (126, 8), (65535, 8), (65536, 14)])
def test_frames_of_all_lengths(size: int, head: int) -> None:
    assert len(frame(2, bytes(size))) == head + size
    assert frame(2, bytes(size), masked=False).endswith(bytes(size))


@pytest.mark.parametrize("text", ["", "42", "f3k9q2ab.1042", "9d1bb1a4-6394", "ÄÖ"])
def test_another_id_is_of_the_same_make(text: str) -> None:
    other = other_id(text)
    if not text:
        assert other.startswith("doctor-")
    elif text.isdigit():
        assert int(other) > int(text)
    else:
        assert len(other) == len(text)
        assert [letter.isalnum() for letter in other] == [letter.isalnum() for letter in text]


def test_several_verdicts_are_as_bad_as_the_worst() -> None:
    assert together([ok("a"), warn("b", "do"), warn("b", "do"), skipped("c")]) == Verdict(Level.WARN, "b", "do")
    assert together([skipped("a"), ok("b")]) == ok("b")
    assert together([skipped("a"), skipped("b")]) == skipped("a; b")
    assert worst([Level.SKIPPED]) is Level.OK
    assert worst([]) is Level.OK
    assert worst([Level.FAULT, Level.WARN]) is Level.FAULT
