"""What the reducer holds of a room: older pages, its bounds, its order, and what changed since."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.client.happenings import (
    Link,
    LinkState,
    Page,
    RoomEvent,
)
from pushtui.protocol import bodies
from pushtui.protocol.messages import (
    Error,
    Presence,
)
from tests.tui.room_state import T, entered, main, said
from tui.state import room as room_module
from tui.state.room import Older


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
