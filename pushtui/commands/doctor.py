"""``pushtui doctor``: tries an endpoint and says what it found, a line for each check."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from urllib.parse import urlsplit

from pushtui.client.address import AddressRefusedError
from pushtui.client.inspection import Asking, Target
from pushtui.commands import asking, credential
from pushtui.commands.standard_output import while_read
from pushtui.doctor import report
from pushtui.doctor.encryption import UnreachableError
from pushtui.doctor.endpoint import Bounds, Endpoint
from pushtui.doctor.finding import Finding, Level, worst
from pushtui.exits import CommandError, Exit

#: Seconds for an answer, however little patience there is.
_LEAST = 1.0
_EXITS = {Level.OK: Exit.FINE, Level.WARN: Exit.WARNED, Level.FAULT: Exit.FAULTY}


def run(
    url: str,
    *,
    as_json: bool = False,
    patience: float,
    oversize: int,
    headers: Sequence[str] = (),
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    text: str | None = None,
    post: str | None = None,
    insecure: bool = False,
    token_file: Path | None = None,
) -> int:
    """Examine one address.

    Args:
        url: ``http`` and ``https`` for an event stream, ``ws`` and ``wss`` for a WebSocket.
        as_json: JSON objects instead of text.
        patience: seconds to wait for what comes by itself.
        oversize: MiB of the largest message that is begun.
        headers: to send along, as ``Name: value``.
        origin: the page that one claims to be.
        subprotocols: to offer to a WebSocket.
        text: a message that the WebSocket answers.
        post: where a text is posted to that comes out of the event stream.
        insecure: do not look at certificates.
        token_file: the file with a token for whoever is at that address; none is sent without it.

    Returns:
        0, or `Exit.WARNED` or `Exit.FAULTY`.

    Raises:
        CommandError: an option is wrong, or nobody is there.
        BrokenPipeError: nobody reads any more.
    """
    try:
        target = Target.parse(url)
        wished = asking.read(
            target,
            token_file=token_file,
            headers=headers,
            origin=origin,
            subprotocols=subprotocols,
            last_event_id=None,
            insecure=insecure,
        )
        endpoint = _endpoint(target.url, wished)
        to = None if post is None else _endpoint(post, _of_same_server(wished, post, endpoint.url))
    except AddressRefusedError as error:
        raise CommandError(Exit.WRONG_OPTIONS, str(error)) from error
    if to is not None and (to.websocket or endpoint.websocket):
        raise CommandError(Exit.WRONG_OPTIONS, "--post is for event streams, and its URL begins with http")
    if text is not None and not endpoint.websocket:
        raise CommandError(Exit.WRONG_OPTIONS, "--send is for a WebSocket: ws:// or wss://")
    if endpoint.token is not None and not endpoint.loopback and endpoint.tls is None:
        credential.warn(endpoint.authority)
    # JSON is UTF-8 wherever it goes; text gives way to what the terminal knows.
    if as_json:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    else:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    bounds = Bounds(patience=patience, answer=min(Bounds.answer, max(_LEAST, patience)), oversize=oversize << 20)
    if not as_json:
        print(report.opening(endpoint, bounds, says=bool(post or text)), flush=True)  # noqa: T201
    if endpoint.websocket:
        findings = _of_websocket(endpoint, bounds, wished.subprotocols, text)
    else:
        findings = _of_stream(endpoint, bounds, to)
    levels: list[Level] = []
    asyncio.run(while_read(_print(findings, levels, as_json)))
    return _EXITS[worst(levels)]


async def _of_websocket(
    endpoint: Endpoint, bounds: Bounds, subprotocols: Sequence[str], text: str | None
) -> AsyncGenerator[Finding, None]:
    from pushtui.doctor.websocket.examination import examine
    from pushtui.doctor.websocket.patient import Patient

    async with aclosing(examine(Patient(endpoint, bounds, subprotocols=subprotocols, text=text))) as findings:
        async for finding in findings:
            yield finding


async def _of_stream(endpoint: Endpoint, bounds: Bounds, post: Endpoint | None) -> AsyncGenerator[Finding, None]:
    from pushtui.doctor.stream.examination import examine
    from pushtui.doctor.stream.patient import Patient

    async with aclosing(examine(Patient(endpoint, bounds, post=post))) as findings:
        async for finding in findings:
            yield finding


async def _print(findings: AsyncGenerator[Finding, None], levels: list[Level], as_json: bool) -> None:
    try:
        async with aclosing(findings):
            async for found in findings:
                finding = report.safe(found)
                levels.append(finding.level)
                for line in [report.json_line(finding)] if as_json else report.lines(finding):
                    print(line, flush=True)  # noqa: T201
    except UnreachableError as error:
        raise CommandError(Exit.NO_SERVER, str(error)) from error
    ended = report.conclusion(levels)
    print(report.json_line(ended) if as_json else report.summary(ended), flush=True)  # noqa: T201


def _endpoint(url: str, wished: Asking) -> Endpoint:
    return Endpoint.parse(
        url, insecure=wished.insecure, fields=wished.headers, origin=wished.origin, token=wished.token
    )


def _of_same_server(wished: Asking, post: str, url: str) -> Asking:
    """What lets one in at one server is no other's business."""
    if urlsplit(post)[:2] == urlsplit(url)[:2]:
        return wished
    return Asking(insecure=wished.insecure)
