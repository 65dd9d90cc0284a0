from hypothesis import given
from hypothesis import strategies as st

from pushtui.client.outbox import Outbox
from pushtui.protocol.messages import Send


def said(key: str) -> Send:
    return Send(key, "main", f"text of {key}")


def filled(*keys: str) -> Outbox:
    outbox = Outbox()
    for key in keys:
        assert outbox.add(said(key))
    return outbox


def test_one_at_a_time_in_order() -> None:
    outbox = filled("a", "b")
    assert outbox.next(0) == said("a")
    assert outbox.next(0) is None
    assert outbox.stored("a")
    assert outbox.next(0) == said("b")
    assert outbox.stored("b")
    assert outbox.next(0) is None
    assert len(outbox) == 0


def test_what_was_cut_off_is_sent_again_first() -> None:
    outbox = filled("a", "b")
    outbox.next(0)
    assert outbox.link_lost() == "a"
    assert outbox.next(0) == said("a")


def test_one_that_turns_out_to_be_stored_is_not_sent_again() -> None:
    outbox = filled("a", "b")
    outbox.next(0)
    outbox.link_lost()
    assert outbox.stored("a")
    assert not outbox.unsure
    assert outbox.next(0) == said("b")


def test_a_busy_server_gets_the_same_one_later() -> None:
    outbox = filled("a", "b")
    outbox.next(0)
    assert outbox.again("a", not_before=5)
    assert outbox.next(4.9) is None
    assert outbox.pause(3) == 2
    assert outbox.next(5) == said("a")
    assert outbox.pause(5) is None


def test_one_that_failed_makes_way() -> None:
    outbox = filled("a", "b")
    outbox.next(0)
    assert outbox.failed("a", "no") == said("a")
    assert outbox.next(0) == said("b")


def test_unsure_is_what_was_sent_and_not_answered() -> None:
    outbox = filled("a")
    assert not outbox.unsure
    outbox.next(0)
    assert outbox.unsure
    outbox.link_lost()
    assert outbox.unsure
    outbox.next(0)
    outbox.again("a", 0)
    assert not outbox.unsure


def test_answers_about_others_change_nothing() -> None:
    outbox = filled("a")
    outbox.next(0)
    assert not outbox.stored("x")
    assert outbox.failed("x", "no") is None
    assert not outbox.again("x", 99)
    assert outbox.sent == "a"
    assert outbox.link_lost() == "a"
    assert outbox.next(0) == said("a")


def test_a_full_outbox_takes_no_more() -> None:
    outbox = Outbox(limit=1)
    assert outbox.add(said("a"))
    assert not outbox.add(said("b"))
    assert outbox.next(0) == said("a")


@given(st.lists(st.sampled_from(["send", "stored", "busy", "cut", "late"])))
def test_whatever_happens_the_order_stays(steps: list[str]) -> None:
    """A server that stores what it gets, once per key: its log is what was said, in order."""
    outbox = filled(*(f"k{number}" for number in range(8)))
    log: list[str] = []
    now = 0.0
    for step in steps:
        sent = outbox.sent
        if step == "send":
            outbox.next(now)
        elif step == "cut":
            outbox.link_lost()
        elif sent is not None:
            if step == "busy" and sent not in log:
                now += 1
                outbox.again(sent, now)
            elif step != "busy":
                if sent not in log:
                    log.append(sent)
                # "late": stored, but the link is cut before the answer comes.
                if step == "stored":
                    outbox.stored(sent)
                else:
                    outbox.link_lost()
    assert log == [f"k{number}" for number in range(len(log))]
