"""Requests and responses as lines, and what joins those that open a WebSocket."""

from collections.abc import Iterator

from pushtui.wire.handshake import Accept, Handshake
from pushtui.wire.records import Headers, Request, Response
from pushtui.wire.showing import text_line
from pushtui.wire.spans import Row, Span, head, more


def request(record: Request) -> Iterator[Row]:
    """The request line and the headers, as they were sent."""
    yield head(
        record.at,
        "up",
        Span(text_line(record.method), "name"),
        Span(f" {text_line(record.target)}", "value"),
        Span(f" {text_line(record.version)}", "dim"),
        *_length(record.wire_bytes),
    )
    yield from _headers(record.headers)


def response(record: Response, asked: Request | None) -> Iterator[Row]:
    """The status line and the headers, as they came; then how the answer follows from the question."""
    yield head(
        record.at,
        "down",
        Span(f"{text_line(record.version)} ", "dim"),
        Span(f"{record.status} {text_line(record.reason)}".rstrip(), "name"),
        *_length(record.wire_bytes),
    )
    yield from _headers(record.headers)
    both = Handshake.of(asked, record)
    if both.accept is not None and (record.status == 101 or both.accepted is not None):
        yield from _joined(both, both.accept)


def _headers(headers: Headers) -> Iterator[Row]:
    for name, value in headers:
        yield more(Span(text_line(name), "field"), Span(": ", "dim"), Span(text_line(value), "value"))


def _joined(both: Handshake, accept: Accept) -> Iterator[Row]:
    yield more(Span("how Sec-WebSocket-Accept comes from Sec-WebSocket-Key", "dim"))
    yield more(Span("  key + GUID ", "field"), Span(text_line(accept.joined), "value"))
    yield more(Span("  SHA-1      ", "field"), Span(accept.sha1, "hex"))
    fits = both.accepted is not None and both.accepted.strip() == accept.value
    found = "not answered" if both.accepted is None else "another was answered"
    yield more(
        Span("  base64     ", "field"),
        Span(accept.value, "value"),
        Span(" ✓ as answered", "good") if fits else Span(f" ✗ {found}", "bad"),
    )
    offered = ", ".join(both.offered) or "none"
    chosen = Span(text_line(both.chosen or "none"), "value")
    strange = both.chosen is not None and both.chosen not in both.offered
    yield more(
        Span("subprotocols offered ", "field"),
        Span(text_line(offered), "value"),
        Span(", chosen ", "field"),
        chosen,
        *([Span(" ✗ it was not offered", "bad")] if strange else []),
    )


def _length(wire_bytes: int) -> list[Span]:
    return [Span(f"  {wire_bytes} B", "dim")] if wire_bytes else []
