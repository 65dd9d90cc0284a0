"""What holds in rooms, and how long things said have to wait."""

import pytest

from pushtui.client.happenings import CaughtUp
from pushtui.protocol.bodies import Redact
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import Error, Left, Member, Resume, RoomState, Rules, Welcome, You
from pushtui.protocol.positions import Outcome
from pushtui.protocol.roles import Role
from tests.tui.room_state import EPOCH, T, entered, main, said
from tui.state.hold import Hold
from tui.state.items import Item
from tui.state.room import Older
from tui.state.rules import RoomRules, silence
from tui.widgets.timeline_rows import shown


@pytest.mark.parametrize(
    ("rules", "role", "sentence"),
    [
        (RoomRules(), Role.MEMBER, ""),
        (RoomRules(), Role.READER, "you may only listen"),
        (RoomRules(read_only=True), Role.MEMBER, "only moderators write here"),
        (RoomRules(read_only=True), Role.MODERATOR, ""),
        (RoomRules(read_only=True), Role.ADMIN, ""),
        (RoomRules(read_only=True), Role.READER, "you may only listen"),
        (RoomRules(shut="ops is private"), Role.ADMIN, "ops is private"),
    ],
)
def test_why_one_cannot_write(rules: RoomRules, role: Role, sentence: str) -> None:
    assert silence(rules, role) == sentence


def test_rules_come_with_the_welcome_and_change_while_one_is_there() -> None:
    state = entered()
    room = RoomState("main", EPOCH, 0, 1, "", [], read_only=True)
    state.apply(Welcome("pushtui", "1", You("me", "moderator"), LIMITS, [room]), T)
    assert main(state).rules == RoomRules(read_only=True)
    assert state.role is Role.MODERATOR
    state.apply(Rules("main", private=True), T)
    assert main(state).rules == RoomRules(private=True)
    assert main(state).rules.label("main") == "*main"
    state.apply(Rules("elsewhere", private=True), T)
    assert list(state.rooms) == ["main"]


def test_a_role_of_a_newer_server_is_a_members() -> None:
    state = entered()
    state.apply(Welcome("pushtui", "9", You("me", "archivist"), LIMITS, []), T)
    assert state.role is Role.MEMBER


def test_a_room_that_is_shut_keeps_what_was_seen_and_asks_for_nothing() -> None:
    state = entered(after=5, members=[Member("ana", "here")])
    state.apply(said(6), T)
    state.apply(Left("main", "main is private"), T)
    view = main(state)
    assert [item.text for item in view.items] == ["hello"]
    assert view.members == {}
    assert view.older is Older.MORE
    assert view.claim_older() is None
    state.apply(Resume("main", Outcome.CAUGHT_UP, EPOCH, 6, 6, topic="", members=[]), T)
    state.apply(CaughtUp("main", Outcome.CAUGHT_UP, 0), T)
    assert view.rules.shut == ""
    assert view.claim_older() == 6


def test_a_room_that_somebody_opened_for_us_counts_what_we_have_not_answered() -> None:
    state = entered()
    state.open_direct("dm-1", "bob", beckons=True)
    state.apply(Resume("dm-1", Outcome.FRESH, EPOCH, 0, 4, topic="", members=[], private=True, direct="bob"), T)
    for seq, by in enumerate(("bob", "me", "bob", "bob"), 1):
        event = said(seq, by=by, replayed=True)
        state.apply(type(event)("dm-1", seq, T, "message", by, event.body, replayed=True), T)
    state.apply(CaughtUp("dm-1", Outcome.FRESH, 4), T)
    view = state.rooms["dm-1"]
    assert view.unread == 2
    assert view.rules.label("dm-1") == "@bob"
    assert state.people == {"bob"}


@pytest.mark.parametrize(
    ("by", "words"), [("ana", "taken back"), ("mod", "taken back by mod")], ids=["author", "moderator"]
)
def test_who_took_a_message_back_is_told_unless_it_was_its_author(by: str, words: str) -> None:
    state = entered()
    state.apply(said(1), T)
    redaction = said(2)
    state.apply(type(redaction)("main", 2, T, "redact", by, Redact(1)), T)
    assert _words(main(state).items[0]) == words


def test_the_first_who_took_a_message_back_did_it_whatever_comes_first() -> None:
    state = entered()
    state.apply(said(1), T)
    for seq, by in ((9, "mod"), (5, "ana")):
        state.apply(type(said(1))("main", seq, T, "redact", by, Redact(1)), T)
    assert _words(main(state).items[0]) == "taken back"


def _words(item: Item) -> str:
    return shown(item)[0]


def test_a_hold_counts_down_but_never_to_nothing() -> None:
    hold = Hold()
    assert hold.sentence(3, 10) == ""
    assert not hold.begin(Error("not_allowed", "no", "k"), 10)
    assert not hold.begin(Error("rate_limited", "you are making rooms too fast", None, 4000), 10)
    assert hold.begin(Error("rate_limited", "too fast", "k", 3500), 10)
    assert hold.sentence(3, 10) == "sending too fast: goes on in 4 s, 3 messages wait"
    assert hold.sentence(1, 12.6) == "sending too fast: goes on in 1 s, 1 message waits"
    assert hold.sentence(1, 99) == "sending too fast: goes on in 1 s, 1 message waits"
    assert hold.begin(Error("busy", "the log is busy", "k"), 20)
    assert hold.sentence(0, 20) == "the server is busy: goes on in 1 s"
    hold.end()
    assert hold.sentence(1, 20) == ""
