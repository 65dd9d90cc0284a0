"""Links: only web addresses, percent-encoded, without the punctuation around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.links import find, safe_url


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://grafana.example/d/checkout, please", ["https://grafana.example/d/checkout"]),
        ("(http://a.example/x_(y)) and [https://b.example]", ["http://a.example/x_(y)", "https://b.example"]),
        ("HTTP://A.example/Path?", ["http://a.example/Path"]),
        ("https://a.example:8443/q?x=1&y=%20#z!", ["https://a.example:8443/q?x=1&y=%20#z"]),
        ("https://[::1]:8765/", ["https://[::1]:8765/"]),
        ("https://a.example/ü", ["https://a.example/%C3%BC"]),
        ("https://bücher.example/", ["https://xn--bcher-kva.example/"]),
        ("https://user:secret@a.example/", []),
        ("javascript:alert(1) file:///etc/passwd ftp://a.example", []),
        ("https:// https://: http://a.example:99999/ https://[", []),
        ("no link at all", []),
    ],
)
def test_what_is_a_link(text: str, urls: list[str]) -> None:
    assert [link.url for link in find(text)] == urls


def test_a_link_is_where_it_says() -> None:
    text = "look: https://a.example/x."
    (link,) = find(text)
    assert text[link.start : link.end] == "https://a.example/x"


@given(st.text().map(lambda text: "https://a.example/" + text))
def test_a_safe_url_is_printable_ascii_without_quotes(text: str) -> None:
    url = safe_url(text)
    assert url is None or (url.isascii() and url.isprintable() and not set(' "<>\\^`{|}') & set(url))


@given(st.text("htps:/.ab()[]@!'? "))
def test_anything_can_be_searched(text: str) -> None:
    for link in find(text):
        assert link.url.startswith(("http://", "https://"))
        assert 0 <= link.start < link.end <= len(text)
