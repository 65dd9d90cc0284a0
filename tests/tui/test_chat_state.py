"""The chat reducer: whatever order things come in, every message is there once and in its place."""

from pushtui.client.happenings import (
    CaughtUp,
    Link,
    LinkState,
    Page,
    RoomEvent,
)
from pushtui.protocol import bodies
from pushtui.protocol.messages import (
    Member,
    Presence,
    Resume,
    Typing,
)
from pushtui.protocol.positions import Lost, Outcome
from tests.tui.room_state import EPOCH, T, entered, main, said, texts
from tui.state.chat import ChatState, duration
from tui.state.items import Kind


def test_a_message_is_shown_once() -> None:
    state = entered()
    for seq in (1, 2, 2, 1, 3):
        state.apply(said(seq, str(seq)), T)
    assert texts(state) == ["1", "2", "3"]
    assert main(state).unread == 3


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


def test_durations() -> None:
    assert [duration(ms) for ms in (10, 3_400, 119_000, 130_000, 7_500_000)] == [
        "1 s", "3 s", "119 s", "2 min", "2 h 5 min",
    ]  # fmt: skip
