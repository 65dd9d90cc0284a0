import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.protocol.text import safe_line, safe_text

anything = st.text(st.characters())


@given(anything)
def test_safe_text_is_text_without_anything_that_drives_a_terminal(text: str) -> None:
    safe = safe_text(text)
    safe.encode()
    for character in safe:
        assert unicodedata.category(character) not in {"Cc", "Cs"} or character in "\n\t"
        assert character not in "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    assert safe_text(safe) == safe


@given(anything)
def test_a_safe_line_is_one_line(text: str) -> None:
    safe = safe_line(text)
    assert len(safe.splitlines()) <= 1
    assert len(safe) == len(text)
    assert safe_line(safe) == safe


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("a\r\nb\rc\u2028d\u2029e", "a\nb\nc\nd\ne"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\x9b31m", "\ufffd31m"),
        ("nul\x00del\x7f", "nul\ufffddel\ufffd"),
        ("lone \ud800", "lone \ufffd"),
        ("gnp.\u202eexe", "gnp.\ufffdexe"),
        ("👩‍👩‍👧 שלום", "👩‍👩‍👧 שלום"),
    ],
)
def test_safe_text(text: str, safe: str) -> None:
    assert safe_text(text) == safe


def test_a_line_has_neither_newline_nor_tab() -> None:
    assert safe_line("a\nb\tc\r\n") == "a\ufffdb\ufffdc\ufffd\ufffd"
