import pytest

from pushtui.client.happenings import Link, LinkState
from pushtui.protocol.messages import Member
from tui.state.link import LinkView
from tui.state.room import RoomView
from tui.widgets.chat_head import chat_head
from tui.widgets.pane_head import Line, Part, fit


def rooms(*names: str, topic: str = "") -> dict[str, RoomView]:
    views = {name: RoomView(name) for name in names}
    views[names[0]].topic = topic
    views[names[0]].saw(1042)
    return views


def lines(
    width: int, link: Link, *, topic: str = "incident 4711", names: tuple[str, ...] = ("main",)
) -> list[str]:
    view = LinkView()
    view.apply(link, 0)
    views = rooms(*names, topic=topic)
    views[names[0]].members = {"ana": Member("ana", "here")}
    rates = None if view.down else (0.2, 3.1)
    head = chat_head(views, names[0], view.standing(0), latency_ms=12.0, rates=rates, away=False)
    return [fit(line, width).plain for line in head]


LIVE = Link(LinkState.LIVE)


def test_with_room_enough_everything_is_there() -> None:
    what, how = lines(80, LIVE)
    assert what == "main · incident 4711" + " " * 54 + "1 here"
    assert how.startswith("⇄ websocket · ◉ live · 12.0 ms ")
    assert how.endswith(" ↑  0.2/s  ↓  3.1/s  …1042")
    assert len(what) == len(how) == 80


def test_fields_go_one_by_one_the_least_important_first() -> None:
    gone = []
    for width in range(80, 10, -1):
        how = lines(width, LIVE)[1]
        assert len(how) <= width
        gone += [field for field in ("ms", "↑", "↓", "…", "websocket") if field not in how and field not in gone]
        assert how.startswith("⇄ ")
        assert "◉ live" in how
    assert gone == ["ms", "↑", "↓", "…", "websocket"]


def test_a_topic_is_cropped_before_anything_goes() -> None:
    what = lines(40, LIVE, topic="a topic of quite some length, longer than that")[0]
    assert what.startswith("main · a topic of")
    assert what.endswith("…  1 here")


def test_the_state_of_a_lost_link_outlives_the_reason() -> None:
    how = lines(24, Link(LinkState.REFUSED, "the nick is taken by somebody else"))[1]
    assert how == "⇄ · ✕ refused · the nic…"


@pytest.mark.parametrize("width", range(1, 40))
def test_no_width_is_too_narrow(width: int) -> None:
    for line in lines(width, LIVE, names=("main", "ops", "random"), topic="語" * 20):
        assert sum(2 if character == "語" else 1 for character in line) <= max(1, width)


def test_rooms_stand_in_their_order_and_those_with_something_new_stay_longest() -> None:
    views = rooms("main", "ops", "random")
    views["random"].unread = 3
    standing = LinkView().standing(0)
    head = chat_head(views, "main", standing, latency_ms=None, rates=None, away=True)
    assert fit(head.what, 60).plain.split() == ["main", "ops", "random", "3", "you", "are", "away"]
    assert fit(head.what, 28).plain.split() == ["main", "random", "3", "you", "are", "away"]


def test_equal_parts_on_both_sides_go_from_the_right_side_first() -> None:
    part = Part("same", shed=1)
    assert fit(Line((Part("left"), part), (part,)), 12).plain == "left  same  "
