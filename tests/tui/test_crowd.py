"""A room with too many people to know each: what the screen holds and says of it."""

from pushtui.protocol.messages import Crowd, Left, Member, Members, Presence, Resume
from pushtui.protocol.positions import Outcome
from tests.tui.room_state import EPOCH, T, entered, main
from tests.tui.stage import Stage
from tui.state.chat import ChatState


def named(*nicks: str) -> list[Member]:
    return [Member(nick, "here") for nick in nicks]


def known(state: ChatState) -> tuple[list[str], int | None, int]:
    view = main(state)
    return list(view.members), view.crowd, view.unnamed


def test_a_crowd_keeps_the_names_that_are_known() -> None:
    state = entered(members=named("ana", "me"))
    assert known(state) == (["ana", "me"], None, 0)
    state.apply(Crowd("main", 201), T)
    assert known(state) == (["ana", "me"], 201, 199)
    state.apply(Crowd("main", 1), T)
    assert known(state) == (["ana", "me"], 1, 0)


def test_with_everyone_named_it_is_a_crowd_no_longer() -> None:
    state = entered(members=named("ana", "me"))
    state.apply(Crowd("main", 201), T)
    state.apply(Members("main", named("bo", "me")), T)
    assert known(state) == (["bo", "me"], None, 0)
    state.apply(Presence("main", "cyd", "here"), T)
    assert known(state) == (["bo", "me", "cyd"], None, 0)


def test_a_crowd_that_is_joined_says_how_many() -> None:
    state = entered()
    state.apply(Resume("main", Outcome.FRESH, EPOCH, 0, 0, topic="", members=named("ana", "me"), count=5000), T)
    assert known(state) == (["ana", "me"], 5000, 4998)
    state.apply(Resume("main", Outcome.FRESH, EPOCH, 0, 0, topic="", members=named("ana", "me")), T)
    assert known(state) == (["ana", "me"], None, 0)


def test_nothing_is_known_of_a_crowd_that_is_shut() -> None:
    state = entered(members=named("ana", "me"))
    state.apply(Crowd("main", 201), T)
    state.apply(Left("main", "it is private"), T)
    assert known(state) == ([], None, 0)


async def test_head_and_roster_say_how_many(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live(members=named("ana", "ben"))
        await on.write("/who")
        await on.shows("2 here")
        assert "more" not in on.text
        on.chat.tell(Crowd("main", 5000))
        await on.shows("5 000 here")
        await on.shows("and 4 998 more")
        await on.press(*"@be", "tab")
        assert on.composer.text.startswith("@ben")
        on.chat.tell(Members("main", named("ana", "ben", "cyd")))
        await on.shows("3 here")
        assert "more" not in on.text
