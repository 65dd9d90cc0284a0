"""One record with what has to be known to read it, and what can be asked of it. Pure."""

from enum import StrEnum
from typing import NamedTuple

from pushtui.wire import lines
from pushtui.wire.frames import NAMES
from pushtui.wire.lines import Context
from pushtui.wire.records import (
    Close,
    Direction,
    Dispatch,
    Frame,
    Line,
    Record,
    Request,
    Response,
    RoundTrip,
    Wait,
)
from pushtui.wire.spans import plain

#: What an entry takes besides its bytes, roughly.
_OVERHEAD = 400
_CONTROL = 0x8


class Kind(StrEnum):
    """What records are told apart by."""

    DATA = "data"
    CONTROL = "control"
    HANDSHAKE = "handshake"
    COMMENTS = "comments"


class Entry(NamedTuple):
    """A record in its place.

    Attributes:
        number: in the order in which they passed, from 1 on.
        record: what passed.
        context: what the records before say about it.
    """

    number: int
    record: Record
    context: Context

    @property
    def held_bytes(self) -> int:
        """What it takes to remember it, roughly."""
        match self.record:
            case Frame(payload=payload):
                return _OVERHEAD + len(payload)
            case Line(line=line):
                return _OVERHEAD + len(line)
            case Request(headers=headers) | Response(headers=headers):
                return _OVERHEAD + sum(len(name) + len(value) for name, value in headers)
        return _OVERHEAD

    @property
    def kind(self) -> Kind:
        """Which kind it is."""
        match self.record:
            case Request() | Response():
                return Kind.HANDSHAKE
            case Frame(opcode=opcode):
                return Kind.CONTROL if opcode & _CONTROL else Kind.DATA
            case RoundTrip() | Wait() | Close():
                return Kind.CONTROL
            case Line(line=line):
                return Kind.COMMENTS if line.startswith(b":") else Kind.DATA
            case Dispatch():
                return Kind.DATA

    @property
    def direction(self) -> Direction | None:
        """Which way it went, or what it came of; None for what neither side sent."""
        match self.record:
            case Frame(direction=direction):
                return direction
            case Request():
                return "up"
            case Response() | Line() | Dispatch() | RoundTrip():
                return "down"
        return None

    @property
    def begins_open(self) -> bool:
        """Whether all of it is shown from the beginning: it is long, rare, and what one opens the lens for."""
        return isinstance(self.record, Request | Response | Wait | Close)

    @property
    def is_sentence(self) -> bool:
        """Whether all that can be said of it is one line, if there is room."""
        match self.record:
            case Line(line=line):
                return not line
            case RoundTrip() | Dispatch() | Wait() | Close():
                return True
        return False

    @property
    def words(self) -> str:
        """What is looked through by filters and searches, in small letters."""
        match self.record:
            case Frame(opcode=opcode, payload=payload):
                said = f"{NAMES.get(opcode, '')}\n{payload.decode(errors='replace')}"
            case Line(line=line):
                said = line.decode(errors="replace")
            case _:
                said = self.text
        return said.lower()

    @property
    def text(self) -> str:
        """All of it as text, line by line, safe to show."""
        return "\n".join(plain(row) for row in lines.rows(self.record, self.context))

    @property
    def payload(self) -> str:
        """What an application sent with it, as text; bytes that are none in hexadecimal."""
        match self.record:
            case Frame(payload=data) | Line(line=data):
                try:
                    return data.decode()
                except UnicodeDecodeError:
                    return data.hex(" ")
            case Request(headers=headers) | Response(headers=headers):
                return "\n".join(f"{name}: {value}" for name, value in headers)
        return ""
