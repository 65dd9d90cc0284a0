import pytest

from pushtui.client.happenings import Link, LinkState
from tui.state.link import COLOURS, SIGNS, LinkView


def test_every_state_has_a_sign_of_its_own_and_a_colour() -> None:
    assert set(SIGNS) == set(COLOURS) == set(LinkState)
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_a_lost_link_counts_down_by_the_second_to_its_next_try() -> None:
    view = LinkView()
    view.apply(Link(LinkState.LOST, "the server went away", retry_in=3.5), now=100.0)
    said = [view.standing(now).detail for now in (100.0, 100.4, 100.6, 102.6, 103.4, 103.5, 110.0)]
    assert said == [
        "retry in 4 s",
        "retry in 4 s",
        "retry in 3 s",
        "retry in 1 s",
        "retry in 1 s",
        "retrying",
        "retrying",
    ]
    assert view.down


@pytest.mark.parametrize(
    ("link", "word", "detail"),
    [
        (Link(LinkState.CONNECTING), "connecting", ""),
        (Link(LinkState.CONNECTING, attempt=3), "connecting", "try 3"),
        (Link(LinkState.LIVE, down_for=3.0), "live", ""),
        (Link(LinkState.REFUSED, "the nick ana is taken"), "refused", "the nick ana is taken"),
        (Link(LinkState.CLOSED, "replaced"), "closed", "replaced"),
        (Link(LinkState.LOST, "no route"), "lost", "no route"),
    ],
)
def test_what_is_said(link: Link, word: str, detail: str) -> None:
    view = LinkView()
    view.apply(link, 0)
    assert view.standing(0)[1:3] == (word, detail)
    assert view.down is (link.state is not LinkState.LIVE)
