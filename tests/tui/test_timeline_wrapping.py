"""Wrapping: no row is wider than it may be, and nothing but spaces at a break is lost."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from tui.widgets.wrapping import DOUBLE, SINGLE, clean, shorten, wrap

TEXT = st.one_of(
    st.text(max_size=80),
    st.text("ab ,-\n", max_size=80),
    st.text("ab 日本語。、「」ーé😀\n", max_size=80),
    st.text("ab e\u0301\u200d\ufe0f👩👧❤☀ 한국\n\t", max_size=60),
)
WIDTH = st.integers(min_value=2, max_value=30)


def rows(text: str, width: int) -> list[str]:
    return [text[start:end] for start, end in wrap(text, width)]


@given(TEXT, WIDTH)
@example("a\u200d😀", 2)
@example(" " * 9, 4)
@example("日本" * 5, 3)
def test_rows_fit_and_lose_nothing_but_spaces(text: str, width: int) -> None:
    text = clean(text)
    spans = wrap(text, width)
    assert spans
    at = 0
    for start, end in spans:
        assert text[at:start].strip(" \n") == ""
        assert start <= end
        assert cell_len(text[start:end]) <= width
        assert "\n" not in text[start:end]
        at = end
    assert text[at:].strip(" \n") == ""
    assert len(spans) >= text.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("", 5, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("one  two", 3, ["one", "two"]),
        ("a longerword b", 6, ["a", "longer", "word b"]),
        ("  indented text", 10, ["  indented", "text"]),
        ("one\n\ntwo", 9, ["one", "", "two"]),
        ("trailing    ", 8, ["trailing"]),
        ("日本語のテキスト", 6, ["日本語", "のテキ", "スト"]),
        ("日本語。はい", 6, ["日本", "語。は", "い"]),
        ("ab日本", 3, ["ab", "日", "本"]),
        ("see 日本 ok", 8, ["see 日本", "ok"]),
        ("e\u0301" * 4, 3, ["e\u0301" * 3, "e\u0301"]),
        ("ok 👩‍👩‍👧 yes", 5, ["ok 👩‍👩‍👧", "yes"]),
    ],
)
def test_where_it_breaks(text: str, width: int, expected: list[str]) -> None:
    assert rows(text, width) == expected


def test_the_two_classes_of_simple_characters_are_what_they_say() -> None:
    single, double = re.compile(f"[{SINGLE}]"), re.compile(f"[{DOUBLE}]")
    for codepoint in [*range(0x3400), *range(0x9F00, 0xE000, 7), *range(0xE000, 0x20000), 0x2FFFD]:
        character = chr(codepoint)
        cells = get_character_cell_size(character)
        assert cells == 1 or not single.match(character), hex(codepoint)
        assert cells == 2 or not double.match(character), hex(codepoint)


def test_nothing_that_drives_a_terminal_is_left() -> None:
    dirty = "".join(map(chr, range(0xA0))) + "\u2028\ud800"
    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\ud800]", clean(dirty)) is None
    assert clean("a\tb") == "a   b"
    assert clean("a" + "\u0301" * 500 + "b") == "a" + "\u0301" * 4 + "b"


@pytest.mark.parametrize(
    ("text", "as_wide_as_counted"),
    [
        ("👩\u200d👩\u200d👧 and 🏳\ufe0f\u200d🌈", "👩👩👧 and 🏳🌈"),
        ("👍🏽 ❤\ufe0f 1\ufe0f\u20e3 🏽", "👍 ❤ 1\u20e3 🏽"),
        ("می\u200cخواهم ශ\u0dca\u200dරී", "می\u200cخواهم ශ\u0dca\u200dරී"),
    ],
)
def test_what_terminals_do_not_agree_on_is_left_out(text: str, as_wide_as_counted: str) -> None:
    assert clean(text) == as_wide_as_counted


@given(TEXT, WIDTH)
def test_shortened_text_fits(text: str, width: int) -> None:
    text = clean(text)
    short = shorten(text, width)
    assert cell_len(short) <= width
    assert short == text or short.endswith("…")
