"""An event stream, read by the rules of WHATWG HTML 9.2.5 and 9.2.6, with an eye on what they pass over."""

from dataclasses import dataclass, field
from typing import NamedTuple

#: The longest line that is kept, and the most events.
_LONGEST = 1 << 20
_MOST = 2000


class Event(NamedTuple):
    """What a client dispatches.

    Attributes:
        name: ``message`` if it has none of its own.
        data: lines joined.
        last_id: the last event id behind it.
        own_id: it came with an id of its own.
        at: when it was complete.
    """

    name: str
    data: str
    last_id: str
    own_id: bool
    at: float

    @property
    def same(self) -> tuple[str, str, str]:
        """What makes two of them the same event."""
        return self.name, self.data, self.last_id


@dataclass
class Parser:
    """Takes bytes as they come.

    Attributes:
        events: what was dispatched, the first ones.
        comments: how many comment lines there were.
        retries: what ``retry`` fields said.
        ids: how many ``id`` fields counted.
        unknown: names of fields that are none.
        undispatched: blocks without data that had a name.
        not_utf8: some line was not.
    """

    events: list[Event] = field(default_factory=list)
    comments: int = 0
    retries: list[str] = field(default_factory=list)
    ids: int = 0
    unknown: dict[str, None] = field(default_factory=dict)
    undispatched: int = 0
    not_utf8: bool = False
    _line: bytearray = field(default_factory=bytearray)
    _data: list[str] = field(default_factory=list)
    _name: str = ""
    _last_id: str = ""
    _own_id: bool = False
    _in_block: bool = False
    _skip_lf: bool = False
    _started: bool = False

    def feed(self, data: bytes, at: float) -> None:
        """Take the next bytes.

        Args:
            data: decoded from chunks and compression.
            at: when they came.
        """
        if self._skip_lf and data:
            data = data.removeprefix(b"\n")
            self._skip_lf = False
        self._skip_lf = data.endswith(b"\r")
        *lines, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._line += line
            self._take(bytes(self._line), at)
            self._line.clear()
        self._line += rest[: _LONGEST - len(self._line)]

    @property
    def between_blocks(self) -> bool:
        """Whether everything that came is complete."""
        return not self._line and not self._in_block

    def _take(self, raw: bytes, at: float) -> None:
        try:
            line = raw.decode()
        except UnicodeDecodeError:
            self.not_utf8 = True
            line = raw.decode(errors="replace")
        if not self._started:
            self._started = True
            line = line.removeprefix("\ufeff")
        if not line:
            self._dispatch(at)
            return
        if line.startswith(":"):
            self.comments += 1
            return
        self._in_block = True
        name, _, value = line.partition(":")
        self._field(name, value.removeprefix(" "))

    def _field(self, name: str, value: str) -> None:
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._name = value
            case "id":
                if "\0" not in value:
                    self._last_id = value
                    self._own_id = True
                    self.ids += 1
            case "retry":
                self.retries.append(value)
            case _ if len(self.unknown) < 5:
                self.unknown[name[:40]] = None

    def _dispatch(self, at: float) -> None:
        if self._data:
            if len(self.events) < _MOST:
                name = self._name or "message"
                self.events.append(Event(name, "\n".join(self._data), self._last_id, self._own_id, at))
        elif self._name:
            self.undispatched += 1
        self._data, self._name, self._own_id, self._in_block = [], "", False, False
