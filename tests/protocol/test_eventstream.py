import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.protocol import eventstream

# Text from outside has no lone surrogates any more when it comes here: they cannot be encoded.
one_line = st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"))
any_text = st.text(st.characters(codec="utf-8"))


def interpret(block: str) -> dict[str, object]:
    """WHATWG HTML section 9.2.6, for one block."""
    assert block.endswith("\n\n")
    lines = block[:-2].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found: dict[str, object] = {}
    data: list[str] = []
    for line in lines:
        assert line, "an empty line would end the block"
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name:
            found[name] = value
    if data:
        found["data"] = "\n".join(data)
    return found


@given(any_text, one_line, one_line, st.integers(0, 10**9))
def test_a_block_says_what_it_was_given(data: str, event: str, event_id: str, retry: int) -> None:
    found = interpret(eventstream.block(data, event=event, event_id=event_id, retry=retry).decode())
    assert found == {
        "id": event_id,
        "retry": str(retry),
        "event": event,
        "data": data.replace("\r\n", "\n").replace("\r", "\n"),
    }


@given(st.recursive(st.none() | st.integers() | any_text, st.lists))
def test_json_travels_in_one_line(value: object) -> None:
    assert json.loads(str(interpret(eventstream.block(json.dumps(value)).decode())["data"])) == value


def test_the_bytes() -> None:
    assert eventstream.block("a\nb", event="notice", event_id="f3k9q2ab.1") == (
        b"id: f3k9q2ab.1\nevent: notice\ndata: a\ndata: b\n\n"
    )
    assert eventstream.block(retry=2000) == b"retry: 2000\n\n"
    assert eventstream.block("") == b"data: \n\n"
    assert eventstream.comment("still here") == b": still here\n\n"


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b", "x\ndata: forged"])
def test_a_field_cannot_smuggle_another_one(bad: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        eventstream.block("x", event=bad)
    with pytest.raises(ValueError, match="one line"):
        eventstream.block("x", event_id=bad)
    with pytest.raises(ValueError, match="one line"):
        eventstream.comment(bad)
