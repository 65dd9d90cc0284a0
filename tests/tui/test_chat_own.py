"""Own messages in the reducer: queued, sent, stored, failed; each is there once, and none is lost."""

import pytest

from pushtui.client.happenings import (
    CaughtUp,
    ChatHappening,
    Delivery,
    Link,
    LinkState,
    Pending,
    Undeliverable,
)
from pushtui.protocol.messages import Ack, Error, Resume
from pushtui.protocol.positions import Outcome
from tests.tui.room_state import EPOCH, T, entered, main, said, texts
from tui.state.chat import ChatState
from tui.state.items import State


def test_own_messages_stand_at_the_end_until_they_have_their_place() -> None:
    state = entered()
    state.queued("k1", "main", "mine", T)
    state.queued("k2", "main", "mine too", T)
    state.apply(Delivery("k1", "sent"), T)
    state.apply(said(1, "theirs"), T)
    assert texts(state) == ["theirs", "mine", "mine too"]
    assert [item.state for item in main(state).items] == [None, State.SENT, State.QUEUED]

    state.apply(said(2, "mine", by="me", key="k1"), T)
    state.apply(said(3, "later"), T)
    assert texts(state) == ["theirs", "mine", "later", "mine too"]
    assert main(state).items[1].state is State.STORED
    assert main(state).waiting == 1
    assert main(state).unread == 2


def test_somebody_elses_key_settles_nothing_of_mine() -> None:
    state = entered()
    state.queued("k1", "main", "mine", T)
    state.apply(said(1, "forged", by="eve", key="k1"), T)
    assert texts(state) == ["forged", "mine"]


def test_an_ack_for_what_was_stored_before_gives_the_place() -> None:
    state = entered()
    state.queued("k1", "main", "mine", T)
    state.apply(said(5, "later"), T)
    state.apply(Ack("k1", "main", 4, True), T)
    assert texts(state) == ["mine", "later"]
    state.queued("k2", "main", "again", T)
    state.apply(Ack("k2", "main", 5, True), T)
    assert texts(state) == ["mine", "later"], "the event was here already"


@pytest.mark.parametrize("first", ["delivery", "undeliverable", "error"])
def test_what_failed_stays_with_its_reason(first: str) -> None:
    state = entered()
    state.queued("k1", "main", "mine", T)
    happenings: dict[str, ChatHappening] = {
        "delivery": Delivery("k1", "failed"),
        "undeliverable": Undeliverable("k1", "main", "mine", "you may not"),
        "error": Error("not_allowed", "you may not", "k1"),
    }
    state.apply(happenings.pop(first), T)
    for happening in happenings.values():
        state.apply(happening, T)
    state.apply(said(1, "later"), T)
    (failed, _) = main(state).items
    assert (failed.text, failed.state, failed.reason) == ("mine", State.FAILED, "you may not")
    assert main(state).waiting == 0


def test_a_message_that_is_tried_again_has_not_failed() -> None:
    state = entered()
    state.queued("k1", "main", "mine", T)
    state.apply(Error("busy", "try again", "k1", 500), T)
    assert main(state).items[0].state is State.QUEUED


def test_a_failed_message_that_was_stored_after_all_is_shown_once() -> None:
    state = entered()
    state.queued("k1", "main", "mine", T)
    state.apply(Undeliverable("k1", "main", "mine", "too late"), T)
    state.apply(said(1, "mine", by="me", key="k1"), T)
    (item,) = main(state).items
    assert item.state is State.STORED


def test_something_else_undeliverable_says_so() -> None:
    state = entered()
    state.apply(Undeliverable("k9", "main", "new topic", "not for guests"), T)
    assert texts(state) == ["not done: not for guests · new topic"]


def pending(key: str, state: str = "queued", room: str = "main", kind: str = "message", **more: object) -> Pending:
    return Pending(key, room, kind, f"text of {key}", state, T - 60_000, **more)  # type: ignore[arg-type]


def states(state: ChatState, room: str = "main") -> list[tuple[str, State | None]]:
    return [(item.text, item.state) for item in state.rooms[room].items]


def test_what_an_earlier_run_left_stands_at_the_end_with_its_time() -> None:
    state = ChatState("me")
    state.apply(pending("k1", "failed", reason="too long\x1b[2J"), T)
    state.apply(pending("k2"), T)
    state.apply(pending("k3", room="ops"), T)
    state.apply(Link(LinkState.LIVE), T)
    state.apply(Resume("main", Outcome.FRESH, EPOCH, 10, 12), T)
    state.apply(said(11, replayed=True), T)
    state.apply(said(12, replayed=True), T)
    assert states(state) == [
        ("hello", None),
        ("hello", None),
        ("text of k1", State.FAILED),
        ("text of k2", State.QUEUED),
    ]
    failed, queued = main(state).items[2:]
    assert (failed.at, failed.own, failed.reason) == (T - 60_000, True, "too long\ufffd[2J")
    assert (queued.by, queued.key) == ("me", "k2")
    assert states(state, "ops") == [("text of k3", State.QUEUED)]
    assert main(state).waiting == 1

    state.apply(CaughtUp("main", Outcome.FRESH, 2), T)
    state.apply(said(13, "new"), T)
    state.apply(said(14, "text of k2", by="me", key="k2"), T)
    assert states(state)[2:] == [
        ("text of k1", State.FAILED),
        ("new", None),
        ("text of k2", State.STORED),
    ], "what failed stays where it was once the room was there"


def test_what_was_stored_before_the_earlier_run_ended_is_shown_once() -> None:
    state = ChatState("me")
    state.apply(pending("k1"), T)
    state.apply(Resume("main", Outcome.FRESH, EPOCH, 0, 1), T)
    state.apply(said(1, "text of k1", by="me", key="k1", replayed=True), T)
    state.apply(Delivery("k1", "stored"), T)
    assert states(state) == [("text of k1", State.STORED)]


def test_what_is_told_later_that_it_failed_before_does_not_stay_at_the_end() -> None:
    state = entered()
    state.apply(pending("k1", "failed"), T)
    state.apply(said(1), T)
    assert states(state) == [("text of k1", State.FAILED), ("hello", None)]


def test_a_topic_that_failed_before_says_so_and_one_that_waits_is_quiet() -> None:
    state = entered()
    state.apply(pending("k1", kind="topic"), T)
    state.apply(pending("k2", "failed", kind="topic", reason="not for guests"), T)
    assert texts(state) == ["not done: not for guests · text of k2"]
    assert state.own("k1") is None
    assert state.own("k2") is None


@pytest.mark.parametrize("earlier", [False, True])
def test_what_is_retried_waits_as_the_last(earlier: bool) -> None:
    state = entered()
    if earlier:
        main(state).catching_up = True
        state.apply(pending("k1", "failed", reason="you may not"), T)
    else:
        state.queued("k1", "main", "text of k1", T)
        state.apply(Undeliverable("k1", "main", "text of k1", "you may not"), T)
    state.queued("k2", "main", "second", T)
    state.apply(Delivery("k1", "queued"), T + 5_000)
    assert states(state) == [("second", State.QUEUED), ("text of k1", State.QUEUED)]
    again = main(state).items[-1]
    assert (again.at, again.reason) == (T + 5_000, "")
    assert main(state).failed == []


def test_a_reset_keeps_what_failed() -> None:
    state = entered()
    state.queued("k1", "main", "mine", T)
    state.apply(Undeliverable("k1", "main", "mine", "you may not"), T)
    state.apply(said(1, "old"), T)
    state.apply(Resume("main", Outcome.RESET, "zzzzzzzz", 0, 1), T)
    state.apply(said(1, "new", replayed=True), T)
    state.apply(CaughtUp("main", Outcome.RESET, 1), T)
    assert texts(state) == ["the log was reset", "new", "mine"]
    (failed,) = main(state).failed
    assert (failed.state, failed.reason) == (State.FAILED, "you may not")


def test_what_is_taken_back_is_gone() -> None:
    state = entered()
    for key in ("k1", "k2", "k3"):
        state.queued(key, "main", f"text of {key}", T)
    state.apply(Undeliverable("k1", "main", "text of k1", "you may not"), T)
    state.taken_back("k1")
    state.taken_back("k3")
    assert states(state) == [("text of k2", State.QUEUED)]
    assert main(state).failed == []
