"""One struct for each thing that can be seen on the wire. They hold what passed, unchanged.

``at`` is in seconds since the watching began, so that a recording plays again at any time. ``up`` is from the
client to the server, ``down`` the other way. Headers are pairs in the order and the spelling in which they passed,
but a token in them is masked before a record is made: no record ever holds one.
"""

from typing import Literal

from msgspec import Struct

Direction = Literal["up", "down"]
Flow = Literal["websocket", "sse", "http"]
Headers = list[tuple[str, str]]


class _Record(Struct, frozen=True, tag_field="what", tag=str.lower, omit_defaults=True):
    at: float


class Request(_Record, frozen=True):
    """The client asks: RFC 9112, section 3.

    Attributes:
        target: the path with its query.
        wire_bytes: its length on the wire with what was masked since, 0 if that is not known.
    """

    method: str
    target: str
    version: str
    headers: Headers
    wire_bytes: int = 0


class Response(_Record, frozen=True):
    """The server's status line and headers: RFC 9112, section 4. ``wire_bytes`` as for a `Request`."""

    version: str
    status: int
    reason: str
    headers: Headers
    wire_bytes: int = 0


class Frame(_Record, frozen=True):
    """One frame of a WebSocket: RFC 6455, section 5.2.

    Attributes:
        direction: whose it is.
        opcode: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
        payload: as the application has it: unmasked.
        fin: whether it is the last of its message.
        rsv: the three reserved bits, 0 to 7.
        mask: the key of four bytes that was over the payload, None for none.
        wire_bytes: its length on the wire, header and key included.
    """

    direction: Direction
    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0
    mask: bytes | None = None
    wire_bytes: int = 0


class RoundTrip(_Record, frozen=True):
    """A pong came to a ping that was sent ``seconds`` before."""

    seconds: float


class Line(_Record, frozen=True):
    """One line of an event stream without its end; empty for the one that dispatches.

    Attributes:
        line: its bytes, with a byte order mark if the stream begins with one.
        wire_bytes: its length with its end. An LF that came later than its CR counts with the next line.
    """

    line: bytes
    wire_bytes: int


class Dispatch(_Record, frozen=True):
    """What came of the lines before: WHATWG HTML, section 9.2.6. ``id`` is the last event ID from here on.

    ``event`` is empty when nothing was dispatched: a block without data.
    """

    event: str
    id: str
    data_bytes: int


class Wait(_Record, frozen=True):
    """No link; the next try comes after ``seconds``. ``last_event_id`` is what an event stream will then send."""

    seconds: float
    reason: str
    last_event_id: str = ""


class Close(_Record, frozen=True):
    """The link is over.

    Attributes:
        reason: in the words of whoever closed it.
        code: the close code of a WebSocket (RFC 6455, section 7.4; 1005 none was given, 1006 no close frame came).
        by: who closed first; ``nobody`` when the connection broke.
    """

    reason: str
    code: int | None = None
    by: Literal["client", "server", "nobody"] = "nobody"


Record = Request | Response | Frame | RoundTrip | Line | Dispatch | Wait | Close


class Beginning(Struct, frozen=True, tag_field="what", tag="recording"):
    """The first line of a recording: what was watched, and when that began (ms since the epoch)."""

    flow: Flow
    url: str
    started_at: int
    version: int = 1
