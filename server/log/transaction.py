"""One transaction on the log's file: what is done in it, and what will be true once it is committed."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence

import msgspec

from pushtui.protocol.bodies import Topic
from server.log.retention import Keep
from server.log.store import Draft, Entry, Stored, StreamState

# A key's first entry stays; the conflict is named, so that nothing else is passed over in silence.
_INSERT = """
    INSERT INTO entries (stream, seq, at, kind, author, key, body, start) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (stream, author, key) WHERE key IS NOT NULL DO NOTHING
"""
_STREAMS = """
    SELECT name, id, epoch, floor, head, topic, bytes,
           coalesce((SELECT min(seq) FROM entries WHERE entries.stream = streams.id), floor)
    FROM streams ORDER BY id
"""
#: What an entry takes beside its body, about: its row, and its place in the index.
ENTRY_BYTES = 100
_BY_KEY = "SELECT seq FROM entries WHERE stream = ? AND author = ? AND key = ?"

_topic = msgspec.json.Decoder(Topic)


class Row(msgspec.Struct):
    """A stream as it stands in the file; from ``lowest`` up to ``floor`` may be entries that are to go.

    ``bytes`` is what its entries ever took, from the first one on.
    """

    id: int
    epoch: str
    floor: int
    head: int
    topic: str
    bytes: int
    lowest: int

    @property
    def state(self) -> StreamState:
        """The same for readers."""
        return StreamState(self.epoch, self.floor, self.head, self.topic)


def load_rows(connection: sqlite3.Connection) -> dict[str, Row]:
    """Every stream of the file, by its name."""
    return {name: Row(*values) for name, *values in connection.execute(_STREAMS)}


class Transaction:
    """Works on copies: ``committed`` changes only when the one who commits takes over `rows`.

    The caller begins and commits. After an error everything has to be rolled back and this thrown away.

    Attributes:
        rows: the streams that were changed or made.
        entries: what was stored, in order.
    """

    def __init__(
        self, connection: sqlite3.Connection, committed: Mapping[str, Row], *, keep: Keep, epoch: Callable[[], str]
    ) -> None:
        self.rows: dict[str, Row] = {}
        self.entries: list[Entry] = []
        self._execute = connection.execute
        self._committed = committed
        self._keep = keep
        self._epoch = epoch

    def create(self, stream: str) -> StreamState:
        """Make the stream if there is none."""
        return self._row(stream).state

    def append(self, drafts: Sequence[Draft], at: int) -> Stored:
        """Store the drafts unless the first one's key is known; of the others, those whose key is not."""
        first = drafts[0]
        seq, stored = self._insert(first, at)
        if stored:
            for draft in drafts[1:]:
                self._insert(draft, at)
        return Stored(self._row(first.stream).epoch, seq, not stored)

    def trim(self, stream: str, below: int) -> None:
        """Raise the floor. The rows below it are removed later, when nobody can be reading them any more."""
        if stream in self.rows or stream in self._committed:
            row = self._row(stream)
            row.floor = max(row.floor, min(below, row.head + 1))

    def finish(self) -> None:
        """Write the streams' rows; after this comes the commit."""
        for name, row in self.rows.items():
            if (most := self._keep(name).entries) is not None:
                row.floor = max(row.floor, row.head - most + 1)
            self._execute(
                "UPDATE streams SET floor = ?, head = ?, topic = ?, bytes = ? WHERE id = ?",
                (row.floor, row.head, row.topic, row.bytes, row.id),
            )

    def _row(self, stream: str) -> Row:
        if (row := self.rows.get(stream)) is not None:
            return row
        if (committed := self._committed.get(stream)) is not None:
            row = msgspec.structs.replace(committed)
        else:
            row = Row(id=0, epoch=self._epoch(), floor=1, head=0, topic="", bytes=0, lowest=1)
            made = self._execute(
                "INSERT INTO streams (name, epoch, floor, head, topic) VALUES (?, ?, ?, ?, ?)",
                (stream, row.epoch, row.floor, row.head, row.topic),
            )
            row.id = made.lastrowid or 0
        self.rows[stream] = row
        return row

    def _insert(self, draft: Draft, at: int) -> tuple[int, bool]:
        """Return the entry's seq, and whether it was stored now."""
        row = self._row(draft.stream)
        seq = row.head + 1
        inserted = self._execute(
            _INSERT, (row.id, seq, at, draft.kind, draft.by, draft.key, draft.body, row.bytes)
        )
        if not inserted.rowcount:
            (earlier,) = self._execute(_BY_KEY, (row.id, draft.by, draft.key)).fetchone()
            return earlier, False
        if draft.kind == "topic":
            row.topic = _topic.decode(draft.body).text
        for target, body in draft.erase:
            self._execute("UPDATE entries SET body = ? WHERE stream = ? AND seq = ?", (body, row.id, target))
        row.head = seq
        row.bytes += len(draft.body) + ENTRY_BYTES
        self.entries.append(Entry(draft.stream, seq, at, draft.kind, draft.by, draft.key, draft.body, draft.erase))
        return seq, True
