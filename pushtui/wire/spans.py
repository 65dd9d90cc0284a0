"""Lines of text in parts that know what they are: a screen colours them, a pipe takes the text."""

from typing import Literal, NamedTuple

Role = Literal[
    "time",  # when, and the indentation in its place
    "sign",  # ↑ from the client, ↓ from the server, ○ neither
    "name",  # what it is: text, ping, close, dispatched
    "field",  # the name of a header, of a field of an event stream, of a step
    "value",  # what stands behind one
    "payload",  # what an application sent
    "hex",  # bytes in hexadecimal
    "dim",  # lengths, masks, what is beside the point
    "good",  # something was checked and holds
    "bad",  # something does not, or was ignored
]

SIGNS = {"up": "↑", "down": "↓", None: "○"}
INDENT = " " * 12


class Span(NamedTuple):
    """A part of a line; its text is safe to show, and it is no markup."""

    text: str
    role: Role


#: One line, from left to right.
Row = tuple[Span, ...]


def plain(row: Row) -> str:
    """The line without its roles."""
    return "".join(span.text for span in row).rstrip()


def head(at: float, direction: str | None, *spans: Span) -> Row:
    """The first line of a record; ``direction`` is None for what neither side sent."""
    return (Span(f"{at:9.3f} ", "time"), Span(f"{SIGNS[direction]} ", "sign"), *spans)


def more(*spans: Span) -> Row:
    """A further line of it."""
    return (Span(INDENT, "time"), *spans)
