"""A last answer to somebody who is not served: said without reading what they ask for."""

import json
from http import HTTPStatus

#: Seconds for such a client to read its answer. Who closes while something is unread resets the connection, and
#: that may take the answer with it.
LINGER = 1.0


def last_answer(status: int, code: str, message: str, retry_after: int | None = None) -> bytes:
    """A whole HTTP/1.1 answer in the shape of all errors here; the connection ends with it."""
    body = json.dumps({"code": code, "message": message}).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    if retry_after is not None:
        lines.append(f"Retry-After: {retry_after}")
    return "\r\n".join([*lines, "", ""]).encode() + body
