"""Entries in columns and unfolded: every bit, and nothing that drives a terminal."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from websockets.frames import Frame as LibraryFrame
from websockets.frames import Opcode

from pushtui.wire.records import Frame, Record, Request, Response, Wait
from pushtui.wire.spans import plain
from tests.tui.lens_records import MASK, POSITION, chat, frame, line, stream, stream_head, upgrade
from tui.lens.capture import Capture
from tui.lens.columns import Columns
from tui.lens.detail import MOST_BYTES, detail, header_bytes, pretty
from tui.lens.layout import Layout

#: Controls, what turns the direction of text, other ends of lines, half of a pair.
_DRIVES = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def laid(*records: Record, width: int = 100, flow: str = "websocket") -> list[str]:
    """All rows of records that are unfolded."""
    capture = Capture()
    for record in records:
        capture.take(record)
    capture.unfolded = {entry.number for entry in capture.shown}
    capture.revision += 1
    layout = Layout(capture, "websocket" if flow == "websocket" else "sse")
    layout.update(Columns.of(layout.columns.flow, width))
    found = [layout.locate(y) for y in range(layout.height)]
    return [plain(layout.row(*place)) for place in found if place is not None]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536])
@pytest.mark.parametrize("mask", [None, MASK])
def test_header_bytes_are_those_on_the_wire(length: int, mask: bytes | None) -> None:
    class Extension:
        def encode(self, one: LibraryFrame) -> LibraryFrame:
            return one

    payload = b"x" * length
    whole = LibraryFrame(Opcode.TEXT, payload).serialize(mask=False)
    header = whole[: len(whole) - length]
    if mask is not None:
        header = bytes((header[0], header[1] | 0x80)) + header[2:] + mask
    record = Frame(0.0, "down", 1, payload, mask=mask, wire_bytes=len(header) + length)
    assert header_bytes(record) == header


def test_a_length_that_was_written_longer_than_it_need_be() -> None:
    assert header_bytes(Frame(0.0, "down", 1, b"hi", wire_bytes=12)).hex(" ") == "81 7f 00 00 00 00 00 00 00 02"


def test_a_frame_unfolded() -> None:
    rows = laid(*upgrade(), frame(1.0, "up", 1, b'{"a":[1]}'))
    assert rows[-12:-1] == [
        '   1.000 ↑ text   FIN  3fa2b1c0    15  {"a":[1]}',
        "     header  81 89 3f a2 b1 c0",
        "             81  FIN 1 the last of its message · RSV 000 · opcode 0x1 text",
        "             89  MASK 1 · length 9",
        "             3f a2 b1 c0  the key of the mask",
        "     masked  44 80 d0 e2 05 f9 80 9d …  each byte XOR one of the key",
        "     JSON    {",
        '               "a": [',
        "                 1",
        "               ]",
        "             }",
    ]
    assert rows[-1].split() == [
        "payload",
        "0000",
        "7b",
        "22",
        "61",
        "22",
        "3a",
        "5b",
        "31",
        "5d",
        "7d",
        '{"a":[1]}',
    ]


def test_reserved_bits_unknown_opcodes_and_fragments_are_told() -> None:
    rows = laid(
        frame(0, "down", 2, b"\1", rsv=5), frame(0, "down", 0xB, b""), frame(0, "down", 1, b"a", fin=False)
    )
    text = "\n".join(rows)
    assert "RSV1 RSV3" in text
    assert "RSV 101" in text
    assert "op 0xb" in text
    assert "unknown to RFC 6455" in text
    assert "FIN 0 more of its message follows" in text


def test_the_handshake_is_joined_by_its_hash() -> None:
    text = "\n".join(laid(*upgrade()))
    assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo= ✓ as answered" in text
    assert "subprotocols offered pushtui.v1.json, chosen pushtui.v1.json" in text


def test_message_pack_is_decoded() -> None:
    packed = msgspec.msgpack.encode({"type": "send", "n": [1, None]})
    rows = laid(*upgrade("pushtui.v1.msgpack"), frame(0, "down", 2, packed))
    assert any(row.endswith('{"type":"send","n":[1,null]}') for row in rows)
    assert "     msgpack {" in rows


def test_data_of_an_event_is_shown_as_json_and_as_bytes() -> None:
    rows = laid(line(0, b'data: {"a":1}'), flow="sse")
    text = "\n".join(rows)
    assert '"a": 1' in text
    assert "64 61 74 61 3a 20 7b 22" in text


def test_a_wait_names_the_last_event_id_even_where_it_is_narrow() -> None:
    rows = laid(Wait(1.0, 2.0, "the server hung up", POSITION), width=40, flow="sse")
    assert len(rows) > 1
    assert "Last-Event-ID" in "".join(row.strip() for row in rows[1:]).replace("- ", "-")
    assert POSITION in " ".join(rows[1:])


def test_a_sentence_that_fits_has_nothing_more() -> None:
    assert len(laid(Wait(1.0, 2.0, "the server hung up"), width=100)) == 1


def test_a_large_payload_is_laid_out_up_to_a_limit() -> None:
    rows = laid(frame(0, "down", 2, b"\xc1" * (1 << 20)))
    assert len(rows) < MOST_BYTES / 8
    assert f"… {(1 << 20) - MOST_BYTES} B more" in rows[-1]


def test_deeply_nested_data_is_no_trouble() -> None:
    for deep in (b"[" * 100_000 + b"]" * 100_000, b"\x91" * 100_000 + b"\x01"):
        assert pretty(deep, None) is None
    rows = laid(frame(0, "down", 1, b"[" * 5000 + b"]" * 5000), frame(0, "down", 2, b"\x91" * 5000 + b"\x01"))
    assert rows


@pytest.mark.parametrize("width", [10, 24, 40, 46, 70, 78, 120])
@pytest.mark.parametrize("flow", ["websocket", "sse"])
def test_titles_stand_above_their_columns(width: int, flow: str) -> None:
    columns = Columns.of("websocket" if flow == "websocket" else "sse", width)
    capture = Capture()
    capture.take(frame(12.5, "up", 1, b"PAYLOAD") if flow == "websocket" else line(12.5, b": PAYLOAD"))
    row = "  " + plain(columns.first_line(capture.shown[0]))
    column = columns.title.index("payload" if flow == "websocket" else "line")
    assert row[column:].startswith("PAYLOAD" if flow == "websocket" else ": PAYLOAD")
    assert row[3:10].strip() == "12.500"
    if columns.wide:
        end = columns.title.index("bytes") + 5
        assert row[:end].endswith(" 13" if flow == "websocket" else " 10")


@pytest.mark.parametrize("width", [10, 24, 46, 78])
def test_unfolded_rows_fit(width: int) -> None:
    for records, flow in ((upgrade() + chat(), "websocket"), (stream_head() + stream(), "sse")):
        capture = Capture()
        for record in records:
            capture.take(record)
        for entry in capture.shown:
            for row in detail(entry, width):
                assert row[0].text.strip() == ""
        if width >= 70:
            below = [row for row in laid(*records, width=width, flow=flow) if row.startswith("     ")]
            assert all(cell_len(row) <= width for row in below)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=60))
def test_nothing_in_a_row_drives_a_terminal(data: bytes, text: str) -> None:
    raw = text.encode("utf-8", "replace")
    records: list[Record] = [
        Request(0, "GET", f"/{text}", "HTTP/1.1", [(text, text)]),
        Response(0, text, 101, text, [("Sec-WebSocket-Accept", text), ("Sec-WebSocket-Protocol", text)]),
        *(frame(0, "down", opcode, payload) for opcode in (1, 2, 0, 8, 9, 11) for payload in (data, raw)),
        line(0, data.replace(b"\n", b"")),
        line(0, raw.replace(b"\n", b"")),
        Wait(0, 1.0, text, text),
    ]
    for row in laid(*records, width=60):
        assert not _DRIVES.search(row), row
