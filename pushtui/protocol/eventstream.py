"""The event-stream format, written: WHATWG HTML, section 9.2 (server-sent events)."""


def block(
    data: str | None = None, *, event: str | None = None, event_id: str | None = None, retry: int | None = None
) -> bytes:
    """One block, with the blank line that ends it.

    Args:
        data: each of its lines becomes a ``data`` field.
        event: the event's name, one line.
        event_id: the last event id from here on, one line.
        retry: reconnection time in ms.

    Raises:
        ValueError: a line end or NUL in ``event`` or ``event_id`` would start a field that nobody meant.
    """
    lines = []
    if event_id is not None:
        lines.append(f"id: {_one_line(event_id)}")
    if retry is not None:
        lines.append(f"retry: {retry}")
    if event is not None:
        lines.append(f"event: {_one_line(event)}")
    if data is not None:
        unified = data.replace("\r\n", "\n").replace("\r", "\n")
        lines += [f"data: {line}" for line in unified.split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


def comment(text: str = "") -> bytes:
    """A comment: keeps a silent stream alive, and says nothing."""
    return f": {_one_line(text)}\n\n".encode()


def _one_line(text: str) -> str:
    if any(character in text for character in "\r\n\0"):
        raise ValueError("a field of an event stream is one line")
    return text
