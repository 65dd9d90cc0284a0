import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.protocol.frames import Opcode, frame
from pushtui.wire.frames import FrameReader, FrameTooLongError, WireFrame, unmasked, wire_bytes

LENGTHS = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536])


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[begin:end] for begin, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def written(one: WireFrame, form: int) -> bytes:
    """By RFC 6455, section 5.2, one byte after the other; ``form`` is how many bytes extend the length."""
    length = len(one.payload)
    short = {0: length, 2: 126, 8: 127}[form]
    head = bytes([one.fin << 7 | one.rsv << 4 | one.opcode, (one.mask is not None) << 7 | short])
    extended = length.to_bytes(form, "big") if form else b""
    if one.mask is None:
        return head + extended + one.payload
    key = one.mask
    return head + extended + key + bytes(byte ^ key[place % 4] for place, byte in enumerate(one.payload))


@st.composite
def frames(draw: st.DrawFn) -> tuple[WireFrame, bytes]:
    payload = draw(st.one_of(st.binary(max_size=200), LENGTHS.map(lambda length: b"x\xff\0y" * (length // 4 + 1))))
    forms = [form for form, most in ((0, 125), (2, 65535), (8, 1 << 62)) if len(payload) <= most]
    form = draw(st.sampled_from(forms))  # a length may be written longer than it need be
    mask = draw(st.one_of(st.none(), st.binary(min_size=4, max_size=4)))
    size = 2 + form + (4 if mask is not None else 0) + len(payload)
    one = WireFrame(draw(st.booleans()), draw(st.integers(0, 7)), draw(st.integers(0, 15)), mask, payload, size)
    return one, written(one, form)


@given(st.lists(frames(), max_size=4), st.lists(st.integers(0, 1 << 20), max_size=6))
def test_any_frames_however_they_are_cut(some: list[tuple[WireFrame, bytes]], places: list[int]) -> None:
    reader = FrameReader(1 << 20)
    whole = b"".join(data for _, data in some)
    assert [one for piece in cut(whole, places) for one in reader.feed(piece)] == [one for one, _ in some]


def test_what_is_cut_at_every_byte() -> None:
    reader = FrameReader(100)
    data = bytes.fromhex("8185 37fa213d 7f9f4d5158") + bytes.fromhex("8902 6869")
    found = [one for byte in data for one in reader.feed(bytes([byte]))]
    assert found == [  # the first one is of RFC 6455, section 5.7
        WireFrame(True, 0, 1, bytes.fromhex("37fa213d"), b"Hello", 11),
        WireFrame(True, 0, 9, None, b"hi", 4),
    ]


def test_what_is_too_long_is_not_waited_for() -> None:
    reader = FrameReader(125)
    assert len(list(reader.feed(bytes((0x82, 125)) + bytes(125)))) == 1
    with pytest.raises(FrameTooLongError, match="a frame has 126 bytes, and 125 is the most that is read"):
        list(reader.feed(bytes((0x82, 126, 0, 126))))


@given(st.binary(max_size=50), st.binary(min_size=4, max_size=4))
def test_a_mask_put_on_twice_is_off(payload: bytes, mask: bytes) -> None:
    assert unmasked(unmasked(payload, mask), mask) == payload


@given(LENGTHS)
def test_the_length_on_the_wire_is_that_of_what_is_written(length: int) -> None:
    assert wire_bytes(length, masked=False) == len(frame(Opcode.BINARY, bytes(length)))
    assert wire_bytes(length, masked=True) == wire_bytes(length, masked=False) + 4
