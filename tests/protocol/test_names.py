import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.protocol import names
from pushtui.protocol.names import NameRefusedError


@pytest.mark.parametrize(
    "nick",
    [
        "a",
        "ana",
        "Żółw",
        "李四",
        "🦊fox",
        "x" * 32,
        "a.b-c_d",
        "7",
        "Анна",
        "Ελένη",
        "pim_พิม",
        "ひろし2",
        "田中taro",
        "김철수",
        "שרה",
        "علی",
        "प्रिया",
        "Nguyễn",
        "ʻOkina",
        "Ḽḁ̂",
    ],
)
def test_nicks_that_may_be(nick: str) -> None:
    assert names.nick(nick) == nick


def test_a_nick_that_is_too_long_is_not_composed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def compose(form: str, text: str) -> str:
        raise AssertionError(f"{len(text)} characters are composed")

    # In this order composing takes the square of the length: seconds for what one frame can hold.
    with monkeypatch.context() as patched:
        patched.setattr(unicodedata, "normalize", compose)
        with pytest.raises(NameRefusedError, match="at most 32"):
            names.nick("a" + "\u0301" * 16_000 + "\u0316" * 16_000)


def test_a_nick_is_composed() -> None:
    assert names.nick("Zoe\u0301") == "Zo\u00e9"


@pytest.mark.parametrize(
    ("nick", "reason"),
    [
        ("", "empty"),
        ("x" * 33, "at most 32 characters, this one has 33"),
        ("x" * 500, "this one has 500"),
        ("a b", "no spaces"),
        ("a\u00a0b", "no spaces"),
        ("a\nb", "control"),
        ("a\x1b[31m", "control"),
        ("a\x00", "control"),
        ("a\u202eb", "invisible"),
        ("a\u200bb", "invisible"),
        ("a\ud800", "invisible"),
        ("--", "letter or digit"),
        ("🦊", "letter or digit"),
        ("\u3164", "invisible"),
        ("a\uffa0b", "invisible"),
        ("a\u034fb", "invisible"),
        ("fox\u2764\ufe0f", "invisible"),
        ("a\u2800b", "invisible"),
        ("\ue000a", "invisible"),
        ("\ufdd0a", "invisible"),
        ("\u0301a", "stand on nothing"),
        ("\u0e31a", "stand on nothing"),
        ("z" + "\u0338" * 20, "than languages use"),
        ("pаypal", "Cyrillic and Latin"),
        ("yοu", "Greek and Latin"),
        ("ａdмin", "Cyrillic and Latin"),
        ("Ꭺna", "Cherokee and Latin"),
    ],
)
def test_nicks_that_may_not(nick: str, reason: str) -> None:
    with pytest.raises(NameRefusedError, match=reason):
        names.nick(nick)


@given(st.text())
def test_a_nick_is_refused_or_stays_as_it_is(text: str) -> None:
    try:
        nick = names.nick(text)
    except NameRefusedError:
        return
    assert names.nick(nick) == nick
    assert len(nick) <= 32
    assert not any(unicodedata.category(character).startswith(("C", "Z")) for character in nick)


@pytest.mark.parametrize("check", [names.room, names.host])
@pytest.mark.parametrize("name", ["main", "a", "0", "db-1.example_x", "x" * 64])
def test_rooms_and_hosts_that_may_be(check: Callable[[str], str], name: str) -> None:
    assert check(name) == name


@pytest.mark.parametrize("check", [names.room, names.host])
@pytest.mark.parametrize(
    "name",
    ["", "a/b", "../etc", ".a", "-a", "_a", "a b", "a\n", "é", "a\x00", "a" * 300, "room:x", "a?b", "a%2Fb"],
)
def test_rooms_and_hosts_that_may_not(check: Callable[[str], str], name: str) -> None:
    with pytest.raises(NameRefusedError):
        check(name)


def test_a_room_has_at_most_64_characters() -> None:
    with pytest.raises(NameRefusedError, match="this one has 65"):
        names.room("x" * 65)
