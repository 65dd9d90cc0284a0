from pushtui.client.happenings import CaughtUp
from pushtui.client.replay import Replay, Taken
from pushtui.protocol.messages import Resume
from pushtui.protocol.positions import Lost, Outcome, Position

EPOCH = "abcdefgh"


def resume(after: int, head: int, outcome: Outcome = Outcome.FRESH, lost: Lost | None = None) -> Resume:
    return Resume("main", outcome, EPOCH, after, head, lost)


def test_events_up_to_the_head_are_the_replay() -> None:
    replay = Replay("main")
    assert replay.resume(resume(3, 5)) is None
    assert replay.take(4) == Taken(True, True)
    assert replay.take(5) == Taken(True, True, after=CaughtUp("main", Outcome.FRESH, 2))
    assert replay.take(6) == Taken(True)
    assert replay.position == Position(EPOCH, 6)


def test_nothing_to_replay() -> None:
    replay = Replay("main")
    assert replay.resume(resume(5, 5, Outcome.CAUGHT_UP)) == CaughtUp("main", Outcome.CAUGHT_UP, 0)
    assert replay.take(6) == Taken(True)


def test_a_live_event_ends_a_replay_whose_last_event_is_missing() -> None:
    replay = Replay("main")
    replay.resume(resume(3, 5))
    replay.take(4)
    assert replay.take(7) == Taken(True, before=CaughtUp("main", Outcome.FRESH, 1))


def test_what_was_seen_is_not_new() -> None:
    replay = Replay("main")
    replay.resume(resume(3, 5))
    replay.take(5)
    for seq in (5, 4, 3, 0, -1):
        assert replay.take(seq) == Taken(False)


def test_events_before_a_resume_do_not_count() -> None:
    replay = Replay("main", Position(EPOCH, 3))
    assert replay.take(4) == Taken(False)
    replay.resume(resume(3, 3))
    replay.take(4)
    replay.link_lost()
    assert replay.take(5) == Taken(False)
    assert replay.position == Position(EPOCH, 4)


def test_a_reset_drops_the_position() -> None:
    replay = Replay("main", Position("oldepoch", 900))
    replay.resume(resume(0, 1, Outcome.RESET))
    assert replay.position == Position(EPOCH, 0)
    assert replay.take(1).new


def test_a_gap_tells_what_was_lost() -> None:
    replay = Replay(None, Position(EPOCH, 3))
    lost = Lost(3, 10)
    assert replay.resume(resume(9, 9, Outcome.GAP, lost)) == CaughtUp(None, Outcome.GAP, 0, lost)


def test_a_second_resume_counts_anew() -> None:
    replay = Replay("main")
    replay.resume(resume(0, 2))
    replay.take(1)
    replay.link_lost()
    replay.resume(resume(1, 2, Outcome.CAUGHT_UP))
    assert replay.take(2).after == CaughtUp("main", Outcome.CAUGHT_UP, 1)
