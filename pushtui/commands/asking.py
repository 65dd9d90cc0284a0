"""What to ask an address with, read from the options of ``inspect``."""

import re
from collections.abc import Sequence
from pathlib import Path

from pushtui.client.inspection import Asking, Target
from pushtui.commands import credential
from pushtui.exits import CommandError, Exit

#: RFC 9110, section 5.6.2.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HARMFUL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
# The connection itself sets these.
_OWN = frozenset(("connection", "upgrade", "content-length", "transfer-encoding", "last-event-id", "accept"))
_OWN_OF_WEBSOCKETS = frozenset(("host", "connection", "upgrade", "origin"))


def read(
    target: Target,
    *,
    token_file: Path | None,
    headers: Sequence[str],
    origin: str | None,
    subprotocols: Sequence[str],
    last_event_id: str | None,
    insecure: bool,
) -> Asking:
    """Put together what to ask with.

    Raises:
        CommandError: one of the options is none, or not for an address of this kind.
    """
    offered = tuple(filter(None, (name.strip() for listed in subprotocols for name in listed.split(","))))
    if offered and not target.is_websocket:
        raise _wrong("--subprotocol is for a WebSocket: ws:// or wss://")
    if last_event_id and target.is_websocket:
        raise _wrong("--last-event-id is for an event stream: http:// or https://")
    if not all(_NAME.fullmatch(name) for name in offered):
        raise _wrong("--subprotocol takes names without spaces, with commas between")
    if len(set(offered)) < len(offered):
        raise _wrong("--subprotocol names one twice")
    for option, value in (("--origin", origin), ("--last-event-id", last_event_id)):
        if value is not None and _HARMFUL.search(value):
            raise _wrong(f"{option} has a control character in it")
    token = None if token_file is None else credential.of_file(token_file)
    further = tuple(_header(text, target.is_websocket) for text in headers)
    if token is not None and any(name.lower() == "authorization" for name, _ in further):
        raise _wrong("either --token-file or a header Authorization says who you are, not both")
    return Asking(token, further, origin, offered, last_event_id or "", insecure)


def _header(text: str, websocket: bool) -> tuple[str, str]:
    # What was given may hold a secret, so no sentence repeats it.
    name, colon, value = text.partition(":")
    if not colon or _NAME.fullmatch(name) is None:
        raise _wrong("-H takes a header as 'Name: value'")
    if _HARMFUL.search(value) or not value.isascii():
        raise _wrong(f"the value of the header {name} has characters that no header can have")
    lower = name.lower()
    if lower in _OWN or (websocket and (lower in _OWN_OF_WEBSOCKETS or lower.startswith("sec-websocket-"))):
        raise _wrong(f"the header {name} belongs to the connection itself")
    return name, value.strip()


def _wrong(sentence: str) -> CommandError:
    return CommandError(Exit.WRONG_OPTIONS, sentence)
