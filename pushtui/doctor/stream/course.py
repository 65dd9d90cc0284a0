"""What the long reading showed, judged from times and content alone: nothing here waits for anything."""

from collections.abc import Awaitable, Callable
from itertools import pairwise

from pushtui.doctor.endpoint import Bounds
from pushtui.doctor.finding import Verdict, fault, ok, skipped, together, warn
from pushtui.doctor.stream.patient import Patient
from pushtui.doctor.stream.watch import Watch

#: Seconds of silence that proxies bear, as WHATWG HTML section 9.2.7 advises, and a little for the way.
_BEARABLE = 15.0 + 1.5
#: Seconds within which what comes was sent together.
_TOGETHER = 0.02
_LONGEST_RETRY_MS = 3_600_000


def of_watched(judge: Callable[[Watch, Bounds], Verdict]) -> Callable[[Patient], Awaitable[Verdict]]:
    """A check that waits for the end of the long reading, then looks at it.

    Args:
        judge: gets the reading, and how long it was meant to go on.
    """

    async def look(patient: Patient) -> Verdict:
        return judge(await patient.watched(), patient.bounds)

    return look


def connection(watch: Watch, bounds: Bounds) -> Verdict:
    """The stream goes on: RFC 9112, sections 6 and 8."""
    verdicts = []
    if watch.head.version == "1.0":
        verdicts.append(warn("HTTP/1.0: the end and a broken connection look the same", "answer in HTTP/1.1"))
    if watch.framing.framing == "length":
        verdicts.append(
            fault(
                "it has a Content-Length, so it ends",
                "send chunks for as long as it goes on",
            )
        )
    elif watch.ended is not None and not watch.ended.startswith("left"):
        after = watch.ended_at - watch.asked
        verdicts.append(
            warn(f"{watch.ended} after {after:.1f} s: clients come back again and again", "keep the stream open")
        )
    verdicts.append(
        ok(f"HTTP/{watch.head.version}, {watch.framing.framing}, open for {bounds.patience:g} s and more")
    )
    return together(verdicts)


def format_(watch: Watch, bounds: Bounds) -> Verdict:
    """What is no field: WHATWG HTML, sections 9.2.5 and 9.2.6."""
    parser = watch.parser
    if not watch.pieces:
        return skipped("nothing came")
    verdicts = []
    if parser.not_utf8:
        verdicts.append(fault("some of it is not UTF-8", "encode in UTF-8"))
    if parser.unknown:
        names = ", ".join(repr(name) for name in parser.unknown)
        verdicts.append(
            fault(
                f"lines that clients pass over: {names}",
                "begin lines with data:, event:, id:, retry: or a colon",
            )
        )
    if parser.undispatched:
        verdicts.append(
            warn(
                f"{parser.undispatched} named events have no data: clients never see them",
                "add a data: line, be it empty",
            )
        )
    verdicts.append(ok(f"{len(parser.events)} events, {parser.comments} comments"))
    return together(verdicts)


def buffering(watch: Watch, bounds: Bounds) -> Verdict:
    """Events come when they are made, whole, and not when a buffer is full: section 9.2.7."""
    advice = "flush after each event, and turn off buffering and compression on the way (X-Accel-Buffering: no)"
    pieces, end = watch.pieces, watch.ended_at if watch.ended else watch.asked + bounds.patience
    if not pieces:
        return skipped("not told: nothing came")
    following = [*(piece.at for piece in pieces[1:]), end]
    gaps = [(piece, after - piece.at) for piece, after in zip(pieces, following, strict=True)]
    torn = max((gap for piece, gap in gaps if not piece.whole), default=0.0)
    if torn >= bounds.pause:
        return fault(f"an event was there by half for {torn:.1f} s: a buffer held back the rest", advice)
    first = pieces[0].at - watch.asked
    if watch.ended and first >= bounds.late and end - pieces[0].at < _TOGETHER and len(watch.events) > 1:
        return fault(f"{len(watch.events)} events came together with the end, after {first:.1f} s", advice)
    bursts = 1 + sum(gap >= min(bounds.pause, _TOGETHER) for _, gap in gaps[:-1])
    if bursts < 2:
        return skipped("not told: all that came, came at once; --post URL lets it be measured")
    return ok(f"{len(watch.events)} events and {watch.parser.comments} comments at {bursts} times, each whole")


def heartbeats(watch: Watch, bounds: Bounds) -> Verdict:
    """A quiet stream says something about every 15 s: section 9.2.7."""
    end = watch.ended_at if watch.ended else watch.asked + bounds.patience
    times = [watch.answered, *(piece.at for piece in watch.pieces), end]
    longest = max(later - earlier for earlier, later in pairwise(times))
    if longest > _BEARABLE:
        return warn(f"nothing for {longest:.1f} s: proxies cut quiet connections", "send a comment every 15 s")
    said = len({round(at, 1) for at in times[1:-1]})
    if said < 2:
        return skipped(f"not told: quiet for {longest:.1f} s, {_BEARABLE:g} s would be too long (--patience)")
    return ok(f"never quiet for more than {longest:.1f} s")


def ids(watch: Watch, bounds: Bounds) -> Verdict:
    """Events have ids, so that a client can say where it was: section 9.2.4."""
    if not watch.events and not watch.parser.ids:
        return skipped("no event came")
    if not watch.parser.ids:
        return warn(
            f"none of {len(watch.events)} events has one: who comes back has missed what was sent meanwhile",
            "give each event that may be sent again an id",
        )
    with_id = sum(event.own_id for event in watch.events)
    return ok(f"{with_id} of {len(watch.events)} events have one")


def retry(watch: Watch, bounds: Bounds) -> Verdict:
    """The server says when to come back: section 9.2.6."""
    given = watch.parser.retries
    if not watch.pieces:
        return skipped("nothing came")
    if not given:
        return warn(
            "not said: clients come back when they like, browsers after 3 to 5 s", "send a retry: field first"
        )
    wrong = [text for text in given if not (text.isascii() and text.isdigit())]
    if wrong:
        return fault(f"{wrong[0][:20]!r} is no number: clients pass it over", "write milliseconds in digits")
    first = int(given[0][:12])
    if first > _LONGEST_RETRY_MS:
        return warn(f"{first} ms: who loses the link is away for more than an hour", "name some seconds")
    if not first:
        return warn(
            "0 ms: clients come back without a pause, all at once",
            "name some seconds",
        )
    return ok(f"{first} ms")
