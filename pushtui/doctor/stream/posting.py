"""What somebody else says cannot pass for fields, and comes when it is said: only where one may post."""

import asyncio
import secrets
from typing import NamedTuple

from pushtui.doctor.endpoint import Endpoint
from pushtui.doctor.finding import Verdict, fault, ok, skipped
from pushtui.doctor.head import request
from pushtui.doctor.link import Link
from pushtui.doctor.stream.patient import Patient
from pushtui.doctor.stream.watch import Watch

_SETTLED = 0.5
_RETRY = "86399999"


class Posted(NamedTuple):
    """What became of a text.

    Attributes:
        status: the answer to the post.
        after: seconds until it was in the stream, None when it did not come.
        watch: the stream.
    """

    status: int
    after: float | None
    watch: Watch


async def _posted(post: Endpoint, patient: Patient, mark: str, text: str) -> Posted:
    async with patient.ask({}) as watch:
        # Some say nothing at the beginning, and some say it a moment after the head.
        await watch.until(lambda: bool(watch.pieces), min(_SETTLED, patient.bounds.pause))
        loop = asyncio.get_running_loop()
        began = loop.time()
        status = await _post(post, patient, text)

        def there() -> bool:
            return any(mark in event.data or mark in event.name for event in watch.events)

        came = await watch.until(there, patient.bounds.answer) if status < 300 else False
        after = watch.pieces[-1].at - began if came else None
        if came:
            await watch.until(lambda: watch.parser.between_blocks, patient.bounds.pause)
        return Posted(status, after, watch)


async def _post(post: Endpoint, patient: Patient, text: str) -> int:
    async with await Link.open(post, patient.bounds.answer) as link:
        fields: dict[str, str | None] = {"Content-Type": "text/plain; charset=utf-8", "Connection": "close"}
        link.send(request(post, fields, method="POST", body=text.encode()))
        return (await link.head(patient.bounds.answer)).status


async def delay(patient: Patient) -> Verdict:
    """How long an event takes from the post to the stream."""
    if patient.post is None:
        return skipped("not told: nothing may be posted without --post URL")
    mark = _mark()
    posted = await _posted(patient.post, patient, mark, f"{mark}: pushtui doctor tries this stream")
    if posted.status >= 300:
        return skipped(f"not told: the post was answered with {posted.status}")
    if posted.after is None:
        return fault(
            f"what was posted did not come within {patient.bounds.answer:g} s",
            "flush after each event, or see whether this URL posts into this stream",
        )
    seen = f"{max(0, round(posted.after * 1000))} ms from the post to the stream"
    return ok(seen) if posted.after < patient.bounds.late else fault(seen, "flush after each event")


async def injection(patient: Patient) -> Verdict:
    """Line ends in what somebody says begin no field: WHATWG HTML, section 9.2.5."""
    if patient.post is None:
        return skipped("not told: nothing may be posted without --post URL")
    mark = _mark()
    text = f"{mark}\nevent: {mark}-lf\rid: {mark}-cr\r\nretry: {_RETRY}\n\ndata: {mark}-block\n\n"
    posted = await _posted(patient.post, patient, mark, text)
    if posted.status >= 300:
        return skipped(f"not told: the post was answered with {posted.status}")
    if posted.after is None:
        return skipped("not told: what was posted did not come")
    parser = posted.watch.parser
    got_in = [
        what
        for what, found in (
            ("an event name", any(mark in event.name for event in parser.events)),
            ("an id", any(mark in event.last_id for event in parser.events)),
            ("a reconnection time", _RETRY in parser.retries),
            ("an event", any(event.data.startswith(f"{mark}-block") for event in parser.events)),
            ("a line", any(mark in name for name in parser.unknown)),
        )
        if found
    ]
    if got_in:
        return fault(
            f"whoever posts can forge {', '.join(got_in)}",
            "begin each line of a text with data:; CR ends a line too",
        )
    return ok("line ends in a text stay in its event")


def _mark() -> str:
    return f"doctor-{secrets.token_hex(4)}"
