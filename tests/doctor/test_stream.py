"""Each fault is found by its check, and no other check complains."""

import pytest

from pushtui.doctor.endpoint import Bounds, Endpoint
from pushtui.doctor.finding import Finding, Level
from pushtui.doctor.stream.examination import CHECKS, examine
from pushtui.doctor.stream.patient import Patient
from tests.doctor import wrong_stream as wrong
from tests.doctor.wrong_stream import LONG, RightStream, serving

BOUNDS = Bounds(patience=0.15, answer=3, late=0.5 * LONG, pause=0.5 * LONG)
#: For servers whose fault is that nothing comes.
SHORT = Bounds(patience=0.15, answer=0.5, late=0.5 * LONG, pause=0.5 * LONG)
#: For those that take their time.
PATIENT = Bounds(patience=2 * LONG, answer=3, late=0.5 * LONG, pause=0.5 * LONG)
WAITED_FOR = {
    wrong.EndlessHead: SHORT,
    wrong.LostPosts: SHORT,
    wrong.CompressesWithoutFlushing: SHORT,
    wrong.WaitsForUnknownIds: SHORT,
    wrong.HoldsBackHalves: PATIENT,
}
NOT_TOLD = ["encryption", "delay", "injection"]


async def examined(url: str, bounds: Bounds = BOUNDS, *, posting: bool = False) -> dict[str, Finding]:
    post = Endpoint.parse(url) if posting else None
    patient = Patient(Endpoint.parse(url), bounds, post=post)
    return {finding.check: finding async for finding in examine(patient)}


def complaints(found: dict[str, Finding]) -> dict[str, Level]:
    return {name: one.level for name, one in found.items() if one.level in (Level.WARN, Level.FAULT)}


@pytest.mark.parametrize("kind", [RightStream, wrong.Compresses])
async def test_a_right_server_has_nothing_to_hear(kind: type[RightStream]) -> None:
    async with serving(kind) as url:
        found = await examined(url, posting=True)
    assert not complaints(found)
    assert [name for name, one in found.items() if one.level is Level.SKIPPED] == ["encryption"]
    assert list(found) == [check.name for check in CHECKS]
    assert all(one.source for one in found.values())


async def test_what_cannot_be_told_without_posting_is_said() -> None:
    async with serving(RightStream) as url:
        found = await examined(url)
    assert not complaints(found)
    assert [name for name, one in found.items() if one.level is Level.SKIPPED] == NOT_TOLD
    assert "--post" in found["delay"].seen


@pytest.mark.parametrize(
    ("kind", "check", "level", "seen"),
    [
        (wrong.Latin1, "content-type", Level.WARN, "iso-8859-1"),
        (wrong.Cacheable, "caching", Level.WARN, "Cache-Control is missing"),
        (wrong.CacheableForAnHour, "caching", Level.WARN, "Cache-Control is public, max-age=3600"),
        (wrong.LateHead, "first-byte", Level.WARN, "head after "),
        (wrong.CompressesUnasked, "compression", Level.FAULT, "br, though it was not asked for"),
        (wrong.CompressesWithoutFlushing, "compression", Level.WARN, "gzip, and nothing can be read of it yet"),
        (wrong.EveryPage, "cors", Level.WARN, "every page may read it (*)"),
        (wrong.EveryPageWithCredentials, "cors", Level.FAULT, "with the credentials"),
        (wrong.EveryPageByName, "cors", Level.WARN, "without Vary: Origin"),
        (wrong.EndlessHead, "head", Level.FAULT, "200, and the answer does not end"),
        (wrong.HeadWithContent, "head", Level.FAULT, "200, and content after the head"),
        (wrong.LatePosts, "delay", Level.FAULT, "ms from the post to the stream"),
        (wrong.LostPosts, "delay", Level.FAULT, "what was posted did not come within 0.5 s"),
        (
            wrong.LineEndsPassThrough,
            "injection",
            Level.FAULT,
            "an event name, an id, a reconnection time, an event",
        ),
        (wrong.CarriageReturnsPassThrough, "injection", Level.FAULT, "whoever posts can forge an id"),
        (wrong.ContentLength, "connection", Level.FAULT, "it has a Content-Length, so it ends"),
        (wrong.Http10, "connection", Level.WARN, "HTTP/1.0"),
        (wrong.EndsSoon, "connection", Level.WARN, "ended after "),
        (wrong.OtherFields, "format", Level.FAULT, "lines that clients pass over: 'Data'"),
        (wrong.NotUtf8, "format", Level.FAULT, "some of it is not UTF-8"),
        (wrong.EventsWithoutData, "format", Level.WARN, "named events have no data"),
        (wrong.HoldsBackHalves, "buffering", Level.FAULT, "an event was there by half"),
        (wrong.NoIds, "ids", Level.WARN, "none of "),
        (wrong.NoRetry, "retry", Level.WARN, "not said"),
        (wrong.RetryInWords, "retry", Level.FAULT, "'2s' is no number"),
        (wrong.RetryAtOnce, "retry", Level.WARN, "0 ms"),
        (wrong.RetryTomorrow, "retry", Level.WARN, "86400000 ms"),
        (wrong.ForgetsWhereOneWas, "resume", Level.FAULT, "came what had come before it"),
        (wrong.RepeatsTheLast, "resume", Level.FAULT, "came what had come before it"),
        (wrong.LosesWhatWasBetween, "resume", Level.FAULT, "came a later event: 2 are lost"),
        (wrong.WaitsForUnknownIds, "unknown-id", Level.FAULT, "came nothing for "),
        (wrong.RefusesUnknownIds, "unknown-id", Level.FAULT, "400 for the id "),
    ],
)
async def test_one_fault_is_found_and_no_other(
    kind: type[RightStream], check: str, level: Level, seen: str
) -> None:
    async with serving(kind) as url:
        found = await examined(url, WAITED_FOR.get(kind, BOUNDS), posting=check in ("delay", "injection"))
    assert complaints(found) == {check: level}
    assert seen in found[check].seen
    assert found[check].advice


@pytest.mark.parametrize(
    ("kind", "check", "seen", "why"),
    [
        (wrong.NotFound, "status", "404: clients give up for good", "there is no stream, but a 404"),
        (wrong.NoContent, "status", "204: clients are told not to come back", "there is no stream, but a 204"),
        (
            wrong.Elsewhere,
            "status",
            "307, it leads to http://127.0.0.1/elsewhere",
            "there is no stream, but a 307",
        ),
        (wrong.Html, "content-type", "text/html: clients give up for good", "what is read is no event stream"),
    ],
)
async def test_without_a_stream_nothing_else_is_tried(
    kind: type[RightStream], check: str, seen: str, why: str
) -> None:
    async with serving(kind) as url:
        found = await examined(url)
    assert complaints(found) == {check: Level.FAULT}
    assert found[check].seen == seen
    rest = list(found.values())[list(found).index(check) + 1 :]
    assert {(one.level, one.seen) for one in rest} == {(Level.SKIPPED, why)}
