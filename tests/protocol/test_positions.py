import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.protocol.positions import Lost, Outcome, Position, Resumption, resumption

epochs = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=8, max_size=8)


@given(epochs, st.integers(0, 10**18 - 1))
def test_a_position_reads_back(epoch: str, seq: int) -> None:
    assert Position.parse(str(Position(epoch, seq))) == Position(epoch, seq)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "f3k9q2ab",
        "f3k9q2ab.",
        ".12",
        "f3k9q2a.12",
        "f3k9q2abc.12",
        "F3K9Q2AB.12",
        "f3k9q2ab.-1",
        "f3k9q2ab.+1",
        "f3k9q2ab. 1",
        "f3k9q2ab.1_0",
        "f3k9q2ab.١٢",
        "f3k9q2ab.1.2",
        "f3k9q2ab.1\n",
        "f3k9q2ab." + "9" * 19,
        "f3k9q2ab." + "9" * 5000,
    ],
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a position"):
        Position.parse(text)


def test_the_highest_seq_fits_64_bits() -> None:
    assert Position.parse("f3k9q2ab." + "9" * 18).seq < 1 << 63


@given(st.one_of(st.none(), st.builds(Position, st.sampled_from(["aaaaaaaa", "bbbbbbbb"]), st.integers(0, 30))),
       st.integers(0, 20), st.data())  # fmt: skip
def test_exactly_one_outcome_and_nothing_lost_in_silence(
    position: Position | None, head: int, data: st.DataObject
) -> None:
    floor = data.draw(st.integers(1, head + 1))
    decided = resumption(position, epoch="aaaaaaaa", floor=floor, head=head)
    if position is None:
        assert decided == Resumption(Outcome.FRESH, None, None)
    elif position.epoch != "aaaaaaaa" or position.seq > head:
        assert decided == Resumption(Outcome.RESET, None, None)
    else:
        assert decided.after is not None
        kept_after = range(max(floor, position.seq + 1), head + 1)
        assert range(max(floor, decided.after + 1), head + 1) == kept_after
        trimmed = floor - 1 - position.seq
        if trimmed > 0:
            assert decided == Resumption(Outcome.GAP, floor - 1, Lost(position.seq, floor))
            assert decided.lost is not None
            assert decided.lost.count == trimmed
        else:
            assert decided == Resumption(Outcome.CAUGHT_UP, position.seq, None)


def test_what_was_lost_travels_as_two_seqs() -> None:
    assert msgspec.json.encode(Lost(after=3, before=9)) == b'{"after":3,"before":9}'
