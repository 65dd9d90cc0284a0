"""What the records of a flow say about its link. Pure."""

from __future__ import annotations

from pushtui.client.happenings import Link, LinkState
from pushtui.wire.handshake import header
from pushtui.wire.records import Close, Flow, Frame, Record, Request, Response, Wait


def link_of(record: Record) -> Link | None:
    """How the link is from this record on; None if it goes on as it was."""
    match record:
        case Request():
            return Link(LinkState.CONNECTING)
        case Response(status=101 | 200):
            return Link(LinkState.LIVE)
        case Response(status=status) if status < 300 or status >= 400:
            return Link(LinkState.REFUSED, f"HTTP {status}")
        case Wait(seconds=seconds, reason=reason):
            return Link(LinkState.LOST, reason, retry_in=seconds)
        case Close(reason=reason, code=code):
            said = " ".join(filter(None, (str(code) if code is not None else "", reason)))
            return Link(LinkState.CLOSED, said)
    return None


def flow_of(record: Record) -> Flow | None:
    """What flows, if this record tells."""
    match record:
        case Frame():
            return "websocket"
        case Request(headers=headers):
            return "websocket" if header(headers, "Sec-WebSocket-Key") is not None else "sse"
    return None
