"""Own messages in the reducer: queued, sent, stored, failed; each is there once, and none is lost."""

import pytest

from pushtui.client.happenings import (
    ChatHappening,
    Delivery,
    Undeliverable,
)
from pushtui.protocol.messages import (
    Ack,
    Error,
)
from tests.tui.room_state import T, entered, main, said, texts
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
    assert texts(state) == ["not done: not for guests"]
