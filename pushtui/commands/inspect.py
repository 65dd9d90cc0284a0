"""``pushtui inspect``: what any address sends, event streams and WebSockets, as lines on standard output."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path

from pushtui.client.address import AddressRefusedError
from pushtui.client.inspection import NoFlowError, NoServerError, Target, inspect
from pushtui.client.observations import (
    Record,
    SseClosed,
    SseComment,
    SseEvent,
    SseOpen,
    SseReconnecting,
    SseRetry,
    WebSocketClosed,
    WebSocketMessage,
    WebSocketOpen,
    WebSocketPing,
    WebSocketPong,
    line,
)
from pushtui.commands import credential
from pushtui.commands.standard_output import while_read
from pushtui.exits import CommandError, Exit
from pushtui.protocol.text import safe_line, safe_text
from pushtui.protocol.token import Token

_INDENT = "    "


def run(url: str, *, as_json: bool, once: bool, token_file: Path | None = None) -> int:
    """Print what the address sends: an event stream until interrupted, a WebSocket until it closes.

    Args:
        url: ``http`` and ``https`` for an event stream, ``ws`` and ``wss`` for a WebSocket.
        as_json: JSON objects instead of text.
        once: end with the first stream.
        token_file: the file with a token for whoever is at that address; none is sent without it.

    Raises:
        CommandError: the token cannot be had, the URL is none, nobody is there, or they send nothing of the kind.
        BrokenPipeError: nobody reads any more.
    """
    try:
        target = Target.parse(url)
    except AddressRefusedError as error:
        raise CommandError(Exit.WRONG_OPTIONS, str(error)) from error
    token = None if token_file is None else credential.of_file(token_file)
    if token is not None and not target.loopback and not target.encrypted:
        credential.warn(target.authority)
    # JSON is UTF-8 wherever it goes; text gives way to what the terminal knows.
    if as_json:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    else:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    asyncio.run(while_read(_print(target, token, once, _as_json if as_json else lines)))
    return Exit.FINE


async def _print(
    target: Target, token: Token | None, once: bool, written: Callable[[Record], Iterator[str]]
) -> None:
    try:
        async with aclosing(inspect(target, token=token, once=once)) as records:
            async for record in records:
                for text in written(record):
                    print(text, flush=True)  # noqa: T201
    except NoServerError as error:
        raise CommandError(Exit.NO_SERVER, str(error)) from error
    except NoFlowError as error:
        raise CommandError(Exit.REFUSED, str(error)) from error


def _as_json(record: Record) -> Iterator[str]:
    yield line(record)


def lines(record: Record) -> Iterator[str]:
    """A record for people: what it is, then what it holds, indented. Nothing in it can drive the terminal."""
    match record:
        case SseOpen():
            yield safe_line(f"○ open · {record.status} · {record.headers.get('content-type', '')}")
        case SseEvent():
            yield safe_line(f"← {record.event}" + (f" · id {record.id}" if record.id else ""))
            yield from _indented(record.data)
        case SseRetry():
            yield f"○ retry · {record.ms} ms"
        case SseComment():
            yield safe_line(f": {record.text}")
        case SseClosed():
            yield safe_line(f"○ closed · {record.reason}")
        case SseReconnecting():
            after = f" · after id {record.last_event_id}" if record.last_event_id else ""
            yield safe_line(f"○ reconnecting in {record.after_ms} ms{after}")
        case WebSocketOpen():
            yield safe_line(f"○ open · {record.status} · {record.subprotocol or 'no subprotocol'}")
        case WebSocketMessage(text=str(text)):
            yield "← text"
            yield from _indented(text)
        case WebSocketMessage(binary=bytes(data)):
            yield f"← binary · {len(data)} bytes"
            yield from _indented(data.hex(" ", 4))
        case WebSocketPing() | WebSocketPong():
            payload = record.text if isinstance(record.text, str) else record.binary
            shown = payload.hex() if isinstance(payload, bytes) else str(payload)
            yield safe_line(f"← {'ping' if isinstance(record, WebSocketPing) else 'pong'} {shown}".rstrip())
        case WebSocketClosed():
            yield safe_line(f"○ closed · {record.code} {record.reason}".rstrip())


def _indented(text: str) -> Iterator[str]:
    for one in safe_text(text).split("\n"):
        yield f"{_INDENT}{one}"
