import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.protocol.limits import LIMITS
from pushtui.protocol.roles import Role
from tui.commands import Call, Completion, LineRefusedError, Say, complete, line_of, offered, parse


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("hello", Say("hello")),
        ("two\nlines", Say("two\nlines")),
        (" /join is how", Say(" /join is how")),
        ("//join is how", Say("/join is how")),
        ("//", Say("/")),
        ("///", Say("//")),
        ("/nick cyd", Call("nick", "cyd")),
        ("/NICK  cyd ", Call("nick", "cyd")),
        ("/join ops", Call("join", "ops")),
        ("/leave", Call("leave", "")),
        ("/leave ops", Call("leave", "ops")),
        ("/topic incident 4711: latency", Call("topic", "incident 4711: latency")),
        ("/me waves", Call("me", "waves")),
        ("/away", Call("away", "")),
        ("/away at lunch", Call("away", "at lunch")),
        ("/mark deploy v1.4", Call("mark", "deploy v1.4")),
        ("/quit", Call("quit", "")),
    ],
)
def test_a_line_means(line: str, meaning: Say | Call) -> None:
    assert parse(line) == meaning


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "there is nothing to say yet"),
        (" \n ", "there is nothing to say yet"),
        ("/", "no command /:"),
        ("/jion ops", "no command /jion:"),
        ("/usr/bin/python", "no command /usr/bin/python:"),
        ("/" + "x" * 500, "no command /" + "x" * 20 + "…:"),
        ("/nick", "/nick needs something after it: /nick NAME"),
        ("/nick two words", "/nick: a nick has no spaces"),
        ("/nick " + "x" * 500, "/nick: a nick has at most 32 characters, this one has 500"),
        ("/join a/b", "/join: a room name has letters"),
        ("/topic " + "x" * 251, "/topic: a topic has at most 250 characters, this one has 251"),
        ("/mark a\nb", "/mark: it takes one line"),
        ("/me", "/me needs something after it: /me TEXT"),
        ("/quit now", "/quit takes nothing after it"),
        ("x" * (LIMITS.text_bytes + 1), "a message has at most 16384 bytes, this one has 16385"),
        ("語" * 6000, "a message has at most 16384 bytes, this one has 18000"),
    ],
)
def test_a_line_is_refused_with_one_sentence(line: str, sentence: str) -> None:
    with pytest.raises(LineRefusedError) as refused:
        parse(line)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@given(st.text("/me jon\n", min_size=1, max_size=12).filter(str.strip))
def test_what_was_said_is_said_again_by_its_line(said: str) -> None:
    meant = parse(line_of(said))
    if isinstance(meant, Say):
        assert meant.text == said
    else:
        assert (meant.command, said.split()[0]) == ("me", "/me")
        assert meant.argument == said.removeprefix("/me ").strip()


@pytest.mark.parametrize(
    ("before", "start", "candidates"),
    [
        ("/j", 0, ["/join "]),
        ("/m", 0, ["/me ", "/mark "]),
        ("/", 0, [f"/{command.name} " for command in offered(Role.MEMBER)]),
        ("/join op", 6, ["ops "]),
        ("/join ", 6, ["main ", "Office ", "ops "]),
        ("hello an", 6, ["ana ", "Anton "]),
        ("hello @AN", 6, ["@ana ", "@Anton "]),
        ("@", 0, ["@ana ", "@Anton ", "@ben "]),
        ("b", 0, ["ben "]),
        ("two\nlines b", 10, ["ben "]),
        ("", 0, []),
        ("hello ", 6, []),
        ("mail@an", 7, []),
        ("a /j", 2, []),
        ("語 語", 2, []),
    ],
)
def test_the_last_word_is_completed(before: str, start: int, candidates: list[str]) -> None:
    completion = complete(before, nicks=["ben", "Anton", "ana"], rooms=["ops", "main", "Office"])
    if candidates:
        assert completion == Completion(start, candidates)
    else:
        assert not completion.candidates
