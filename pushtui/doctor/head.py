"""Heads of HTTP/1.1 messages, written and read by hand: RFC 9112, sections 3 to 5."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from pushtui import __version__
from pushtui.doctor.endpoint import Endpoint

#: The most that is read of a head.
LARGEST = 64 * 1024
_STATUS_LINE = re.compile(r"HTTP/(\d\.\d) ([1-5]\d\d)(?: (.*))?")


class NotHttpError(Exception):
    """What answers is no HTTP; the message says so, in one sentence."""


class Head(NamedTuple):
    """Of an answer.

    Attributes:
        version: such as ``1.1``.
        status: the status code.
        fields: header fields in their order, the names in small letters.
    """

    version: str
    status: int
    fields: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what stands before the empty line.

        Raises:
            NotHttpError: it is no such thing.
        """
        first, *lines = data.decode("latin-1").split("\r\n")
        found = _STATUS_LINE.fullmatch(first)
        if found is None:
            raise NotHttpError(f"no HTTP is spoken here: {first[:60]!r}")
        pairs = (line.partition(":") for line in lines)
        return cls(
            found[1],
            int(found[2]),
            tuple((name.strip().lower(), value.strip()) for name, colon, value in pairs if colon),
        )

    def get(self, name: str) -> str | None:
        """The values of a field with commas between, as RFC 9110 section 5.3 joins them; None without it."""
        values = [value for known, value in self.fields if known == name]
        return ", ".join(values) if values else None

    def words(self, name: str) -> list[str]:
        """The values of a field that is a list, in small letters."""
        return [word.strip().lower() for word in (self.get(name) or "").split(",") if word.strip()]


def request(
    endpoint: Endpoint, fields: Mapping[str, str | None], *, method: str = "GET", body: bytes | None = None
) -> bytes:
    """A request.

    Args:
        endpoint: says which fields go along with it.
        fields: those of this one; they count before the endpoint's, and None leaves one out.
        method: of the request.
        body: its content.
    """
    every: dict[str, tuple[str, str | None]] = {}

    def put(pairs: Iterable[tuple[str, str | None]]) -> None:
        every.update({name.lower(): (name, value) for name, value in pairs})

    put([("Host", endpoint.authority), ("User-Agent", f"pushtui/{__version__} (doctor)")])
    if endpoint.origin is not None:
        put([("Origin", endpoint.origin)])
    if endpoint.token is not None:
        put([("Authorization", endpoint.token.header)])
    put(endpoint.fields)
    put(fields.items())
    if body is not None:
        put([("Content-Length", str(len(body)))])
    lines = [f"{name}: {value}" for name, value in every.values() if value is not None]
    head = "\r\n".join([f"{method} {endpoint.target} HTTP/1.1", *lines, "", ""])
    return head.encode("latin-1", "replace") + (body or b"")
