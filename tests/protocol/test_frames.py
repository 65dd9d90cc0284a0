import pytest
from websockets.frames import Frame
from websockets.frames import Opcode as TheirOpcode
from websockets.streams import StreamReader

from pushtui.protocol.frames import Opcode, frame


def parse(data: bytes) -> Frame:
    """The frame as the `websockets` library reads it; it has to be the whole of the data."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    parsing = Frame.parse(reader.read_exact, mask=False)
    try:
        while True:
            next(parsing)
    except StopIteration as done:
        rest = reader.read_to_eof(1)
        with pytest.raises(StopIteration) as end:
            next(rest)
        assert end.value.value == b""
        found: Frame = done.value
        return found


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_frame_reads_back(opcode: Opcode, length: int) -> None:
    payload = b"x" * length
    parsed = parse(frame(opcode, payload))
    assert parsed == Frame(TheirOpcode(opcode), payload, fin=True)


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG, Opcode.CLOSE])
def test_control_frames_read_back(opcode: Opcode) -> None:
    assert parse(frame(opcode, b"\x03\xe8")).opcode is TheirOpcode(opcode)


def test_the_shortest_length_is_used() -> None:
    assert frame(Opcode.TEXT, b"x" * 125)[:2] == bytes((0x81, 125))
    assert frame(Opcode.TEXT, b"x" * 126)[:4] == bytes((0x81, 126, 0, 126))
    assert frame(Opcode.BINARY, b"x" * 65536)[:10] == bytes((0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0))
