"""What a reader who lags is spared: of each host's samples only the newest matters."""

from collections.abc import Sequence

from msgspec import structs

from server.log.store import Entry

#: Entries of this kind stand for what is true now: a newer one by the same host makes an older one idle.
CONFLATED_KIND = "sample"


def conflated(entries: Sequence[Entry]) -> list[Entry]:
    """Leave out every sample that has a newer one by the same host behind it, and count what was left out.

    The one that stays says how many were ``skipped`` before it. Everything else stays as it is. The order
    is kept.
    """
    newest: dict[str, int] = {}
    skipped: dict[str, int] = {}
    for entry in entries:
        if entry.kind == CONFLATED_KIND:
            skipped[entry.by] = skipped[entry.by] + 1 if entry.by in newest else 0
            newest[entry.by] = entry.seq
    return [
        _counting(entry, skipped[entry.by]) if entry.kind == CONFLATED_KIND else entry
        for entry in entries
        if entry.kind != CONFLATED_KIND or newest[entry.by] == entry.seq
    ]


def _counting(entry: Entry, skipped: int) -> Entry:
    if not skipped:
        return entry
    return structs.replace(entry, body=b'%b,"skipped":%d}' % (entry.body[:-1], skipped))
