import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.wire.closing import meaning
from pushtui.wire.handshake import Accept
from pushtui.wire.lines import Transcript
from pushtui.wire.records import (
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
from pushtui.wire.spans import plain

KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # of RFC 6455, section 1.3


def lines(*records: Record, most_bytes: int | None = None) -> list[str]:
    transcript = Transcript(most_bytes)
    return [plain(row) for record in records for row in transcript.rows(record)]


def asked(*headers: tuple[str, str]) -> Request:
    return Request(0, "GET", "/chat", "HTTP/1.1", [("Sec-WebSocket-Key", KEY), *headers], 99)


def answered(*headers: tuple[str, str], status: int = 101) -> Response:
    return Response(0.25, "HTTP/1.1", status, "Switching Protocols", list(headers))


def test_accept_is_that_of_the_standard() -> None:
    assert Accept.of(KEY) == (
        "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
        "b37a4f2cc0624f1690f64606cf385945b2bec4ea",
        ACCEPT,
    )


def test_a_handshake_and_what_joins_its_halves() -> None:
    found = lines(
        asked(("Sec-WebSocket-Protocol", "a, b")),
        answered(("sec-websocket-accept", ACCEPT), ("Sec-WebSocket-Protocol", "b")),
    )
    assert found == [
        "    0.000 ↑ GET /chat HTTP/1.1  99 B",
        "            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "            Sec-WebSocket-Protocol: a, b",
        "    0.250 ↓ HTTP/1.1 101 Switching Protocols",
        "            sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "            Sec-WebSocket-Protocol: b",
        "            how Sec-WebSocket-Accept comes from Sec-WebSocket-Key",
        "              key + GUID dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
        "              SHA-1      b37a4f2cc0624f1690f64606cf385945b2bec4ea",
        "              base64     s3pPLMBiTxaQ9kYGzzhZRbK+xOo= ✓ as answered",
        "            subprotocols offered a, b, chosen b",
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answered(), "✗ not answered"),
        (answered(("Sec-WebSocket-Accept", "x")), "✗ another was answered"),
        (
            answered(("Sec-WebSocket-Accept", ACCEPT), ("Sec-WebSocket-Protocol", "c")),
            "chosen c ✗ it was not offered",
        ),
    ],
)
def test_a_handshake_that_does_not_hold(answer: Response, words: str) -> None:
    assert any(line.endswith(words) for line in lines(asked(), answer))


def test_other_answers_are_not_computed() -> None:
    assert len(lines(asked(), answered(status=404))) == 3
    assert len(lines(answered())) == 1
    plainly = Request(0, "GET", "/", "HTTP/1.1", [])
    assert len(lines(plainly, answered(status=200))) == 2


def test_frames() -> None:
    binary = msgspec.msgpack.encode({"type": "event", "seq": 7})
    found = lines(
        Frame(1, "up", 1, '{"a":"é"}\n\x1b\u202e'.encode() + b"\xff", mask=b"\1\2\3\4", wire_bytes=22),
        Frame(2, "down", 2, binary, wire_bytes=len(binary) + 2),
        Frame(3, "down", 1, b"a", fin=False, wire_bytes=3),
        Frame(3, "down", 9, b"\0hi", wire_bytes=5),
        Frame(3, "up", 10, b"hi", mask=b"\0\0\0\0", wire_bytes=8),
        Frame(3, "down", 0, b"b", wire_bytes=3),
        Frame(4, "down", 11, b"x", rsv=5, wire_bytes=3),
        Frame(5, "down", 8, b"\x03\xf4bye", wire_bytes=7),
        Frame(5, "up", 8, b"", mask=b"\0\0\0\1", wire_bytes=6),
        Frame(5, "up", 8, b"\3", wire_bytes=3),
    )
    assert found == [
        "    1.000 ↑ text FIN masked 01020304  22 B = 6 + 16",
        '            {"a":"é"}',
        "            \\x1b\\u202e\\xff",
        "    2.000 ↓ binary FIN not masked  19 B = 2 + 17",
        "            0000  82 a4 74 79 70 65 a5 65  76 65 6e 74 a3 73 65 71 ..type.event.seq",
        "            0010  07                                               .",
        '            MessagePack {"type":"event","seq":7}',
        "    3.000 ↓ text no FIN not masked  3 B = 2 + 1",
        "            a",
        "    3.000 ↓ ping FIN not masked  5 B = 2 + 3  00 68 69",
        "    3.000 ↑ pong FIN masked 00000000  8 B = 6 + 2  hi",
        "    3.000 ↓ continuation FIN not masked  3 B = 2 + 1",
        "            b",
        "    4.000 ↓ opcode 0xb FIN RSV1 RSV3 not masked  3 B = 2 + 1",
        "            0000  78                                               x",
        "    5.000 ↓ close FIN not masked  7 B = 2 + 5  1012 service restart bye",
        "    5.000 ↑ close FIN masked 00000001  6 B = 6 + 0",
        "    5.000 ↑ close FIN not masked  3 B = 2 + 1  03 is no close code",
    ]


def test_binary_data_that_is_json_or_nothing_known() -> None:
    assert lines(Frame(0, "down", 2, b'{"a":1}', wire_bytes=9))[-1] == '            JSON {"a":1}'
    assert len(lines(Frame(0, "down", 2, b"\x07", wire_bytes=3))) == 2
    subprotocol = answered(("Sec-WebSocket-Protocol", "pushtui.v1.msgpack"))
    assert lines(subprotocol, Frame(0, "down", 2, b"\x07", wire_bytes=3))[-1] == "            MessagePack 7"


def test_an_event_stream() -> None:
    found = lines(
        Line(1, b": hi", 5),
        Line(1, b"id: 7", 6),
        Line(1, b"data:x\xff", 8),
        Line(1, b"data", 5),
        Line(1, b"", 2),
        Dispatch(1, "message", "7", 2),
        Dispatch(1, "", "7", 0),
        Line(2, b"retry: 1s", 10),
        Line(2, b"id: a\0b", 8),
        Line(2, b"name: x", 8),
        Line(2, b"\xef\xbb\xbfdata: x", 11),
    )
    assert found == [
        "    1.000 ↓ : hi  5 B",
        "    1.000 ↓ id: 7  6 B",
        "    1.000 ↓ data:x\\xff  8 B",
        "    1.000 ↓ data  5 B",
        "    1.000 ↓ (blank line: the end of a block)  2 B",
        "    1.000 ○ event message is dispatched, 2 B of data · last event ID 7",
        "    1.000 ○ nothing is dispatched: no data · last event ID 7",
        "    2.000 ↓ retry: 1s  ignored: not only digits  10 B",
        "    2.000 ↓ id: a\\x00b  ignored: NUL in an id  8 B",
        "    2.000 ↓ name: x  ignored: there is no such field  8 B",
        "    2.000 ↓ \\ufeffdata: x  11 B",
    ]


def test_what_neither_side_sent() -> None:
    assert lines(
        RoundTrip(1, 0.00126),
        Wait(2, 1.5, "the server hung up", "f.7"),
        Wait(2, 0.25, ""),
        Close(3, "bye", 4001, "server"),
        Close(3, "the connection broke", 1006),
    ) == [
        "    1.000 ○ round trip 1.3 ms",
        "    2.000 ○ no link · the server hung up · next try in 1.5 s with Last-Event-ID: f.7",
        "    2.000 ○ no link · next try in 0.25 s",
        "    3.000 ○ closed by the server · 4001 the application's own · bye",
        "    3.000 ○ broken off · 1006 no close frame came · the connection broke",
    ]


def test_codes_of_the_application_mean_something_where_it_is_known() -> None:
    assert meaning(4001, "pushtui.v1.json") == "too slow"
    assert meaning(4001) == "the application's own"
    assert (meaning(3000), meaning(999)) == ("registered by a library or framework", "not a valid code")


def test_only_so_much_is_shown() -> None:
    assert lines(Frame(0, "down", 1, b"abcdef", wire_bytes=8), most_bytes=4)[1:] == [
        "            abcd",
        "            … 2 B more",
    ]
    assert lines(Frame(0, "down", 2, b'{"a":1}', wire_bytes=9), most_bytes=6)[-1] == "            … 1 B more"
    assert lines(Line(0, b"data: abc", 10), most_bytes=8) == ["    0.000 ↓ data: ab… 1 B more  10 B"]


TEXT = st.text(max_size=20)
RECORDS = st.one_of(
    st.builds(
        Frame,
        st.just(0),
        st.sampled_from(["up", "down"]),
        st.integers(0, 15),
        st.binary(max_size=40),
        st.booleans(),
    ),
    st.builds(Line, st.just(0), st.binary(max_size=40), st.just(9)),
    st.builds(Dispatch, st.just(0), TEXT, TEXT, st.just(9)),
    st.builds(Wait, st.just(0), st.just(1.5), TEXT, TEXT),
    st.builds(Close, st.just(0), TEXT, st.integers(0, 5000)),
    st.builds(Request, st.just(0), TEXT, TEXT, TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=3)),
    st.builds(Response, st.just(0), TEXT, st.integers(), TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=3)),
)


@given(st.lists(RECORDS, max_size=5))
def test_whatever_passes_there_are_lines_of_it_and_they_are_safe(records: list[Record]) -> None:
    transcript = Transcript()
    for record in records:
        found = [plain(row) for row in transcript.rows(record)]
        assert found
        assert not [
            character
            for line in found
            for character in line
            if character < " " or "\x7f" <= character <= "\x9f" or "\u202a" <= character <= "\u202e"
        ]
