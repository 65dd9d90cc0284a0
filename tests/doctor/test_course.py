"""What is judged from times alone, without waiting for them."""

from typing import cast

import pytest

from pushtui.doctor.endpoint import Bounds
from pushtui.doctor.finding import Level
from pushtui.doctor.head import Head
from pushtui.doctor.link import Link
from pushtui.doctor.stream import course
from pushtui.doctor.stream.watch import Piece, Watch

BOUNDS = Bounds(patience=20)
CHUNKED = Head("1.1", 200, (("content-type", "text/event-stream"), ("transfer-encoding", "chunked")))
BEGAN = 100.0


def watched(*pieces: tuple[float, str], ended: float | None = None, how: str = "ended") -> Watch:
    """A reading in which this came, so many seconds after it was asked for."""
    watch = Watch(cast(Link, None), CHUNKED, BEGAN, BEGAN)
    for after, text in pieces:
        watch.parser.feed(text.encode(), BEGAN + after)
        watch.pieces.append(Piece(BEGAN + after, len(text), watch.parser.between_blocks))
    if ended is not None:
        watch.ended, watch.ended_at = how, BEGAN + ended
    return watch


@pytest.mark.parametrize(
    ("watch", "level", "seen"),
    [
        (watched(), Level.WARN, "nothing for 20.0 s"),
        (watched((1, ": a\n\n"), (18, ": b\n\n")), Level.WARN, "nothing for 17.0 s"),
        (watched((1, ": a\n\n"), (3, ": b\n\n")), Level.WARN, "nothing for 17.0 s"),
        (watched((1, ": a\n\n"), (15, ": b\n\n")), Level.OK, "never quiet for more than 14.0 s"),
        (watched((10, ": a\n\n")), Level.SKIPPED, "not told: quiet for 10.0 s"),
        (watched((1, ": a\n\n"), ended=2), Level.SKIPPED, "not told: quiet for 1.0 s"),
    ],
)
def test_heartbeats(watch: Watch, level: Level, seen: str) -> None:
    verdict = course.heartbeats(watch, BOUNDS)
    assert verdict.level is level
    assert verdict.seen.startswith(seen)


@pytest.mark.parametrize(
    ("watch", "level", "seen"),
    [
        (watched(), Level.SKIPPED, "not told: nothing came"),
        (watched((0, "data: a\n\ndata: b\n\n")), Level.SKIPPED, "not told: all that came, came at once"),
        (watched((0, "data: a\n\n"), (1, "data: b\n\n")), Level.OK, "2 events and 0 comments at 2 times"),
        (
            watched((0, "data: a\n"), (0.5, "\n"), (2, "data: b\n\n")),
            Level.OK,
            "2 events and 0 comments at 3 times",
        ),
        (watched((0, "data: a\n"), (1.5, "\n")), Level.FAULT, "an event was there by half for 1.5 s"),
        (watched((0, "data: a\n\ndat")), Level.FAULT, "an event was there by half for 20.0 s"),
        (watched((6, "data: a\n\ndata: b\n\n"), ended=6), Level.FAULT, "2 events came together with the end"),
        (watched((6, "data: a\n\n"), ended=6), Level.SKIPPED, "not told"),
    ],
)
def test_buffering(watch: Watch, level: Level, seen: str) -> None:
    verdict = course.buffering(watch, BOUNDS)
    assert verdict.level is level
    assert verdict.seen.startswith(seen)


def test_a_connection_that_was_cut() -> None:
    verdict = course.connection(watched((0, "data: a\n\n"), ended=3, how="cut"), BOUNDS)
    assert verdict.level is Level.WARN
    assert verdict.seen == "cut after 3.0 s: clients come back again and again"


@pytest.mark.parametrize("judge", [course.format_, course.retry, course.ids])
def test_of_silence_nothing_is_told(judge: object) -> None:
    assert judge(watched(), BOUNDS).level is Level.SKIPPED  # type: ignore[operator]
