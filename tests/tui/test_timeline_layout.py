"""The layout: heights, the reader's place, and strips of exactly the width there is."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from pushtui.protocol.text import safe_line
from tui.state.items import Item, Kind, Place, Reply, State
from tui.state.room import Splice
from tui.widgets.local_time import LocalTime
from tui.widgets.timeline_layout import TOP, Anchor, Layout
from tui.widgets.timeline_paint import Painter, Selected
from tui.widgets.timeline_rows import Columns, Part, Row, face, height, rows

T = 1_795_356_000_000  # Sunday 22 November 2026, 14:00 UTC
MINUTE = 60_000
LOCAL = LocalTime(UTC)
COLUMNS = Columns.of(60)


def message(text: str = "hello", *, by: str = "ana", at: int = T, seq: int = 1, **more: object) -> Item:
    return Item(Place(seq), at, Kind.MESSAGE, text, by=by, **more)  # type: ignore[arg-type]


def laid(*items: Item) -> list[list[Row]]:
    return [rows(item, items[number - 1] if number else None, COLUMNS, LOCAL) for number, item in enumerate(items)]


def test_a_day_begins_with_a_rule() -> None:
    first, second, third = laid(message(), message(), message(at=T + 24 * 60 * MINUTE))
    assert [row.part for row in first] == [Part.DAY, Part.BODY]
    assert first[0].text == "Sunday 22 November"
    assert [row.part for row in second] == [Part.BODY]
    assert third[0].text == "Monday 23 November"


def test_a_new_year_is_named() -> None:
    _, second = laid(message(), message(at=T + 60 * 24 * 60 * MINUTE))
    assert second[0].text == "Thursday 21 January 2027"


def test_time_and_author_are_said_once() -> None:
    items = [
        message(),
        message(),
        message(at=T + MINUTE),
        message(by="ben", at=T + MINUTE),
        message(by="ben", at=T + 12 * MINUTE),
    ]
    looks = [face(item, items[number - 1] if number else None, LOCAL) for number, item in enumerate(items)]
    assert [(look.time, look.author) for look in looks] == [
        (True, True), (False, False), (True, False), (False, True), (True, True),
    ]  # fmt: skip


def test_an_own_message_is_never_joined_to_one_of_the_same_name() -> None:
    _, second = message(own=True), message(own=False)
    assert face(second, message(own=True), LOCAL).author


def test_a_long_nick_has_a_row_of_its_own_and_is_not_cut_short() -> None:
    (first,) = laid(message(by="christopher-of-the-night-watch"))
    assert [row.part for row in first] == [Part.DAY, Part.AUTHOR, Part.BODY]
    assert first[1].text == "christopher-of-the-night-watch"


def test_nobody_else_is_called_you() -> None:
    painter = Painter(Style(), Style(), lambda _: Style())
    item = message(by="you")
    (row,) = (row for row in rows(item, None, COLUMNS, LOCAL) if row.head)
    strip = painter.row(item, row, face(item, None, LOCAL), COLUMNS, LOCAL, None, 0)
    assert strip.text.startswith(" 14:00  @you")


ITEMS = st.builds(
    Item,
    place=st.just(Place(1)),
    at=st.one_of(st.integers(T, T + 3 * 24 * 60 * MINUTE), st.integers(-(10**18), 10**18)),
    kind=st.sampled_from(Kind),
    text=st.one_of(st.text(max_size=120), st.text("ab 日本語é👩👧\u200d\ufe0f\u0301\n\t", max_size=120)),
    by=st.one_of(st.sampled_from(["ana", "you", "christopher-of-the-night"]), st.text(max_size=20).map(safe_line)),
    own=st.booleans(),
    state=st.sampled_from([None, *State]),
    reason=st.text(max_size=30),
    edited=st.booleans(),
    removed=st.booleans(),
    reactions=st.lists(st.tuples(st.text(max_size=4), st.integers(1, 9)), max_size=12).map(tuple),
    reply=st.one_of(st.none(), st.builds(Reply, st.text(max_size=20), st.integers(0, T))),
    level=st.sampled_from([None, "info", "success", "warning", "critical"]),
    sign=st.sampled_from(["", "⚑", "○"]),
)


@given(ITEMS, st.one_of(st.none(), ITEMS), st.integers(1, 120), st.one_of(st.none(), st.integers(0, 50)))
def test_every_row_is_exactly_as_wide_as_the_screen(
    item: Item, before: Item | None, width: int, selected: int | None
) -> None:
    columns = Columns.of(width)
    painter = Painter(Style(), Style(reverse=True), lambda _: Style(bold=True))
    made = rows(item, before, columns, LOCAL)
    assert sum(row.head for row in made) == 1
    for row in made:
        chosen = None if selected is None else Selected(selected, selected + 5)
        strip = painter.row(item, row, face(item, before, LOCAL), columns, LOCAL, chosen, 0)
        assert sum(cell_len(segment.text) for segment in strip) == width
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in strip.text)


@given(ITEMS, st.one_of(st.none(), ITEMS), st.integers(20, 120))
def test_the_quick_height_is_the_real_one(item: Item, before: Item | None, width: int) -> None:
    columns = Columns.of(width)
    assert height(item, before, columns, LOCAL) == len(rows(item, before, columns, LOCAL))


@given(
    st.lists(ITEMS, max_size=6),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.lists(ITEMS, max_size=3)), max_size=6),
)
def test_following_changes_ends_where_laying_out_anew_does(
    items: list[Item], changes: list[tuple[int, int, list[Item]]]
) -> None:
    layout, anew = Layout(LOCAL), Layout(LOCAL)
    layout.show(items, 60)
    splices = []
    for start, removed, inserted in changes:
        begin = min(start, len(items))
        gone = min(removed, len(items) - begin)
        items[begin : begin + gone] = inserted
        splices.append(Splice(begin, gone, len(inserted)))
    layout.update(splices, None)
    anew.show(items, 60)
    assert [layout.top(index) for index in range(len(items) + 1)] == [
        anew.top(index) for index in range(len(items) + 1)
    ]
    for y in range(-1, anew.height + 1):
        assert layout.locate(y) == anew.locate(y)


def test_one_more_message_is_one_more_measurement() -> None:
    items = [message(f"number {number}", at=T + number * MINUTE, seq=number) for number in range(20_000)]
    layout = Layout(LOCAL)
    layout.show(items, 80)
    assert layout.measured == 20_000
    items.append(message("one more", seq=20_000))
    layout.update([Splice(20_000, 0, 1)], None)
    assert layout.measured == 20_001
    items[100:101] = [message("changed", seq=100)]
    layout.update([Splice(100, 1, 1)], None)
    assert layout.measured == 20_003, "the changed one, and the next, which may have to name its author again"


def shape(*texts: str) -> tuple[Layout, list[Item]]:
    items = [message(text, seq=number + 10) for number, text in enumerate(texts)]
    layout = Layout(LOCAL)
    layout.show(items, 60)
    return layout, items


@pytest.mark.parametrize("y", range(TOP + 8))
def test_a_place_is_found_again(y: int) -> None:
    layout, _ = shape("word " * 30, "short", "word " * 30)
    anchor = layout.anchor(y)
    assert anchor is not None
    assert layout.place(anchor) == y


def test_a_place_holds_when_something_is_put_in_front_or_taken_away() -> None:
    layout, items = shape("first", "word " * 30, "last")
    anchor = layout.anchor(layout.top(1) + 1)
    assert anchor is not None
    text = layout.rows(anchor.item)[1].text

    items[0:0] = [message("older", seq=1), message("old", seq=2)]
    anchor = layout.update([Splice(0, 0, 2)], anchor)
    assert anchor is not None
    index, row = layout.locate(layout.place(anchor)) or (0, 0)
    assert layout.rows(index)[row].text == text

    del items[0:3]
    anchor = layout.update([Splice(0, 3, 0)], anchor)
    assert anchor is not None
    assert anchor.item == 0
    assert anchor.start > 0


def test_a_place_holds_over_other_widths() -> None:
    layout, items = shape("first", "word " * 60, "last")
    anchor = layout.anchor(layout.top(1) + 3)
    assert anchor is not None
    for width in (40, 100, 33, 60):
        layout.show(items, width)
        index, row = layout.locate(layout.place(anchor)) or (0, 0)
        there = layout.rows(index)[row]
        assert there.start <= anchor.start < there.start + len(there.text) + 1
    assert layout.place(anchor) == layout.top(1) + 3


def test_a_place_whose_item_is_gone_is_near() -> None:
    layout, items = shape("one", "two", "three")
    items[1:2] = []
    anchor = layout.update([Splice(1, 1, 0)], Anchor(1, 0, 0))
    assert anchor == Anchor(1, 0, 0)
    items.clear()
    assert layout.update([Splice(0, 2, 0)], anchor) is None
    assert layout.anchor(0) is None


@pytest.mark.parametrize(("width", "nick"), [(59, "anonymous"), (59, "a" * 10), (120, "a" * 12)])
def test_most_nicks_stand_on_the_line_of_what_they_say(width: int, nick: str) -> None:
    made = rows(message("word " * 20, by=nick), None, Columns.of(width), LOCAL)
    assert {row.part for row in made} == {Part.DAY, Part.BODY}


def test_what_became_of_an_own_message_stands_at_the_end_of_its_words() -> None:
    item = message("word " * 30, own=True, state=State.FAILED, reason="too long", reactions=(("👍", 1),))
    painter = Painter(Style(), Style(), lambda _: Style())
    made = rows(item, None, COLUMNS, LOCAL)
    look = face(item, None, LOCAL)
    signed = [row for row in made if painter.row(item, row, look, COLUMNS, LOCAL, None, 0).text.endswith("! ")]
    assert signed == [[row for row in made if row.part is Part.BODY][-1]]
    assert [row.part for row in made][-2:] == [Part.REACTIONS, Part.REASON]
