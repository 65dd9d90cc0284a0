"""The chat reducer: whatever order things come in, every message is there once and in its place."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.client.happenings import (
    CaughtUp,
    ChatHappening,
    Delivery,
    Link,
    LinkState,
    Page,
    RoomEvent,
    Undeliverable,
)
from pushtui.protocol import bodies
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import (
    Ack,
    Error,
    Member,
    Presence,
    Resume,
    RoomState,
    Typing,
    Welcome,
    You,
)
from pushtui.protocol.positions import Lost, Outcome
from tui.state import room as room_module
from tui.state.chat import ChatState, duration
from tui.state.items import Kind, State
from tui.state.room import Older, RoomView

T = 1_795_356_000_000
EPOCH = "abcdefgh"


def said(seq: int, text: str = "hello", by: str = "ana", **more: object) -> RoomEvent:
    return RoomEvent("main", seq, T + seq, "message", by, bodies.Message(text), **more)  # type: ignore[arg-type]


def entered(me: str = "me", *, after: int = 0, floor: int = 1, members: list[Member] | None = None) -> ChatState:
    state = ChatState(me)
    state.apply(Link(LinkState.LIVE), T)
    room = RoomState("main", EPOCH, after, floor, "a topic", members or [])
    state.apply(Welcome("pushtui", "1", You(me, "member"), LIMITS, [room]), T)
    state.apply(Resume("main", Outcome.FRESH, EPOCH, after, after), T)
    state.apply(CaughtUp("main", Outcome.FRESH, 0), T)
    return state


def main(state: ChatState) -> RoomView:
    return state.rooms["main"]


def texts(state: ChatState) -> list[str]:
    return [item.text for item in main(state).items]


def test_a_message_is_shown_once() -> None:
    state = entered()
    for seq in (1, 2, 2, 1, 3):
        state.apply(said(seq, str(seq)), T)
    assert texts(state) == ["1", "2", "3"]
    assert main(state).unread == 3


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


def test_a_lost_link_leaves_one_line() -> None:
    state = entered()
    state.apply(said(1, "before"), T)
    state.apply(Link(LinkState.LOST, "gone"), T)
    state.apply(Link(LinkState.LOST, "still gone"), T + 2_000)
    state.apply(Link(LinkState.LIVE), T + 3_000)
    state.apply(Resume("main", Outcome.CAUGHT_UP, EPOCH, 1, 3), T + 3_000)
    assert texts(state)[-1] == "link lost for 3 s · catching up …"
    state.apply(said(2, "missed", replayed=True), T + 3_000)
    state.apply(said(3, "missed too", replayed=True), T + 3_000)
    state.apply(CaughtUp("main", Outcome.CAUGHT_UP, 2), T + 3_000)
    assert texts(state) == ["before", "link lost for 3 s · caught up, 2 replayed", "missed", "missed too"]
    assert main(state).unread == 3


def test_a_link_lost_again_while_catching_up_leaves_two_lines() -> None:
    state = entered()
    state.apply(said(1), T)
    state.apply(Link(LinkState.LOST), T)
    state.apply(Link(LinkState.LIVE), T + 3_000)
    state.apply(Resume("main", Outcome.CAUGHT_UP, EPOCH, 1, 3), T + 3_000)
    state.apply(said(2, replayed=True), T + 3_000)
    state.apply(Link(LinkState.LOST), T + 4_000)
    state.apply(Resume("main", Outcome.CAUGHT_UP, EPOCH, 2, 3), T + 6_000)
    state.apply(said(3, replayed=True), T + 6_000)
    state.apply(CaughtUp("main", Outcome.CAUGHT_UP, 1), T + 6_000)
    assert [text for text in texts(state) if text != "hello"] == [
        "link lost for 3 s · cut off while catching up",
        "link lost for 2 s · caught up, 1 replayed",
    ]


def test_a_gap_is_told() -> None:
    state = entered()
    state.apply(said(1), T)
    state.apply(Link(LinkState.LOST), T)
    state.apply(Resume("main", Outcome.GAP, EPOCH, 13, 13, Lost(1, 14)), T + 5_000)
    state.apply(CaughtUp("main", Outcome.GAP, 0, Lost(1, 14)), T + 5_000)
    assert texts(state)[-1] == "link lost for 5 s · gap: 12 lost"


def test_a_reset_drops_what_was_held_but_not_what_waits() -> None:
    state = entered()
    state.apply(said(40, "old"), T)
    state.apply(RoomEvent("main", 41, T, "edit", "ana", bodies.Edit(3, "x")), T)
    state.queued("k1", "main", "mine", T)
    state.apply(Resume("main", Outcome.RESET, "zzzzzzzz", 2, 3), T)
    state.apply(said(3, "new", replayed=True), T)
    state.apply(CaughtUp("main", Outcome.RESET, 1), T)
    assert texts(state) == ["the log was reset", "new", "mine"]
    assert not main(state).items[1].edited


def test_a_room_entered_for_the_first_time_has_no_unread_and_no_line() -> None:
    state = ChatState("me")
    state.apply(Link(LinkState.LIVE), T)
    state.apply(Resume("main", Outcome.FRESH, EPOCH, 10, 12, None, "its topic", [Member("ana", "here")]), T)
    state.apply(said(11, replayed=True), T)
    state.apply(said(12, replayed=True), T)
    assert main(state).catching_up
    state.apply(CaughtUp("main", Outcome.FRESH, 2), T)
    view = main(state)
    assert (view.unread, view.topic, list(view.members), len(view.items)) == (0, "its topic", ["ana"], 2)


def test_edits_removals_and_reactions_change_their_message() -> None:
    state = entered()
    state.apply(said(1, "helo"), T)
    state.apply(said(2, "secret"), T)
    state.apply(RoomEvent("main", 3, T, "edit", "ana", bodies.Edit(1, "hello")), T)
    state.apply(RoomEvent("main", 4, T, "redact", "ana", bodies.Redact(2)), T)
    for seq, (by, on) in enumerate([("ben", True), ("cyd", True), ("eva", True), ("eva", False)], 5):
        state.apply(RoomEvent("main", seq, T, "react", by, bodies.React(1, "👍", on)), T)
    first, second = main(state).items
    assert (first.text, first.edited, first.reactions) == ("hello", True, (("👍", 2),))
    assert (second.text, second.removed) == ("", True)


def test_an_edit_reaches_a_message_that_is_loaded_later() -> None:
    state = entered(after=10)
    state.apply(RoomEvent("main", 12, T, "edit", "ana", bodies.Edit(5, "last words")), T)
    page = [said(5, "first words"), RoomEvent("main", 6, T, "edit", "ana", bodies.Edit(5, "other words"))]
    state.apply(Page("1", "main", page, False), T)
    (item,) = main(state).items
    assert item.text == "last words"


def test_an_emote_and_a_reply() -> None:
    state = entered()
    state.apply(said(1, "/me waves"), T)
    state.apply(RoomEvent("main", 2, T, "message", "ben", bodies.Message("yes", 1)), T)
    state.apply(RoomEvent("main", 3, T, "message", "ben", bodies.Message("no", 77)), T)
    emote, reply, lost = main(state).items
    assert (emote.kind, emote.text, emote.written) == (Kind.EMOTE, "waves", "/me waves")
    assert reply.reply is not None
    assert reply.reply.by == "ana"
    assert lost.reply is not None
    assert lost.reply.by == ""


def test_people_come_and_go_in_one_line() -> None:
    state = entered(members=[Member("ana", "here")])
    for nick, what in (("ben", "here"), ("cyd", "here"), ("me", "here"), ("ben", "here")):
        state.apply(Presence("main", nick, what), T)  # type: ignore[arg-type]
    (line,) = main(state).items
    assert (line.sign, line.text) == ("+", "ben, cyd joined")
    state.apply(Presence("main", "ana", "away", "lunch"), T)
    state.apply(Presence("main", "cyd", "gone"), T)
    (line,) = main(state).items
    assert (line.sign, line.text) == ("~", "ben joined · cyd came and went · ana is away: lunch")
    state.apply(said(1), T)
    state.apply(Presence("main", "ana", "here"), T)
    assert texts(state)[-1] == "ana is back"
    assert sorted(main(state).members) == ["ana", "ben", "me"]


def test_typing_ends_by_itself_and_with_a_message() -> None:
    state = entered()
    state.apply(Typing("main", True, "ben"), T)
    state.apply(Typing("main", True, "me"), T)
    state.apply(Typing("main", True, "ana"), T + 1_000)
    assert main(state).typing(T + 1_000) == ["ben", "ana"]
    state.apply(said(1), T + 1_000)
    assert main(state).typing(T + 1_000) == ["ben"]
    assert not state.tick(T + 5_999)
    assert state.tick(T + 6_000)
    assert main(state).typing(T + 6_000) == []


def test_the_topic_follows_the_newest_event_only() -> None:
    state = entered(after=10)
    state.apply(RoomEvent("main", 11, T, "topic", "ana", bodies.Topic("new")), T)
    state.apply(Page("1", "main", [RoomEvent("main", 3, T, "topic", "ana", bodies.Topic("old"))], False), T)
    assert main(state).topic == "new"
    assert texts(state) == ["topic: old", "topic: new"]


def test_older_messages_are_claimed_once_and_only_on_a_live_link() -> None:
    state = entered(after=10)
    view = main(state)
    assert view.claim_older() == 11
    assert view.claim_older() is None, "it is under way"
    state.apply(Link(LinkState.LOST), T)
    assert view.claim_older() is None
    state.apply(Link(LinkState.LIVE), T)
    assert view.claim_older() == 11
    state.apply(Page("1", "main", [said(9), said(10)], True), T)
    assert view.claim_older() == 9
    state.apply(Error("busy", "not now"), T)
    assert view.older is Older.FAILED
    assert view.claim_older() is None
    assert view.claim_older(again=True) == 9
    state.apply(Page("2", "main", [], False), T)
    assert main(state).older is Older.BEGINNING
    assert view.claim_older(again=True) is None


def test_nothing_older_is_asked_for_where_nothing_older_is_kept() -> None:
    assert main(entered(after=0)).older is Older.BEGINNING
    assert main(entered(after=9, floor=10)).older is Older.BEGINNING
    assert main(entered(after=10, floor=10)).older is Older.MORE


def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "HELD", 20)
    monkeypatch.setattr(room_module, "AT_ONCE", 5)
    monkeypatch.setattr(room_module, "MOST", 100)
    state = entered()
    view = main(state)
    for seq in range(1, 60):
        state.apply(said(seq), T)
        assert len(view.items) <= 25
    assert view.items[-1].place.seq == 59
    assert view.oldest == view.items[0].place.seq
    assert view.older is Older.MORE
    view.following = False
    for seq in range(60, 130):
        state.apply(said(seq), T)
    assert len(view.items) > 80, "whoever reads further up keeps the place"
    for seq in range(130, 400):
        state.apply(said(seq), T)
    assert len(view.items) <= 100


def test_changes_are_told_since_a_revision() -> None:
    state = entered()
    view = main(state)
    shadow = list(view.items)
    revision = view.revision
    state.queued("k", "main", "mine", T)
    state.apply(said(1), T)
    state.apply(said(2, "mine", by="me", key="k"), T)
    state.apply(RoomEvent("main", 3, T, "edit", "ana", bodies.Edit(1, "x")), T)
    changes = view.changes_since(revision)
    assert changes is not None
    lengths = len(shadow)
    for start, removed, inserted in changes:
        assert 0 <= start <= lengths
        lengths += inserted - removed
    assert lengths == len(view.items)
    assert view.changes_since(view.revision) == []
    for seq in range(10, 10 + 5000):
        state.apply(said(seq), T)
    assert view.changes_since(revision) is None


SEQS = st.integers(min_value=1, max_value=40)
STEPS = st.one_of(
    st.tuples(st.just("live"), SEQS),
    st.tuples(st.just("page"), st.lists(SEQS, max_size=8).map(sorted)),
    st.tuples(st.just("edit"), SEQS),
    st.tuples(st.just("queue"), st.integers(0, 5)),
    st.tuples(st.just("own"), st.integers(0, 5)),
    st.tuples(st.just("line"), st.just(0)),
)


@given(st.lists(STEPS, max_size=40))
def test_any_order_keeps_items_sorted_and_unique(steps: list[tuple[str, object]]) -> None:
    state = entered()
    view = main(state)
    length = len(view.items)
    revision = view.revision
    wanted: set[int] = set()
    for what, value in steps:
        if what == "live":
            assert isinstance(value, int)
            state.apply(said(value), T)
            wanted.add(value)
        elif what == "page":
            assert isinstance(value, list)
            state.apply(Page("1", "main", [said(seq) for seq in value], True), T)
            wanted.update(value)
        elif what == "edit":
            assert isinstance(value, int)
            state.apply(RoomEvent("main", 100 + value, T, "edit", "ana", bodies.Edit(value, "edited")), T)
        elif what == "queue":
            state.queued(f"k{value}", "main", "mine", T)
        elif what == "own":
            assert isinstance(value, int)
            state.apply(said(50 + value, by="me", key=f"k{value}"), T)
            wanted.add(50 + value)
        else:
            state.apply(Presence("main", "ben", "gone" if "ben" in view.members else "here"), T)
    places = [item.place for item in view.items]
    assert all(one < other for one, other in pairwise(places))
    assert {place.seq for place in places if place.after == 0} == wanted
    changes = view.changes_since(revision)
    assert changes is not None
    assert length + sum(change.inserted - change.removed for change in changes) == len(view.items)


def test_durations() -> None:
    assert [duration(ms) for ms in (10, 3_400, 119_000, 130_000, 7_500_000)] == [
        "1 s", "3 s", "119 s", "2 min", "2 h 5 min",
    ]  # fmt: skip
