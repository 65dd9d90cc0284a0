"""Rooms of two, and invitations into private ones."""

from pushtui.client.happenings import CaughtUp, LinkState, RoomEvent
from pushtui.protocol.bodies import Message
from pushtui.protocol.messages import Done, Error, Invited, Member, Resume, Rules
from pushtui.protocol.positions import Outcome
from tests.tui.scripted import EPOCH
from tests.tui.stage import Stage

DIRECT = "dm-26d2b2a67f7f4be2"


async def test_somebody_is_spoken_to_alone(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("/dm ben have you seen\nthis?")
        await on.until(lambda: ("direct", "ben") in on.chat.calls)
        on.chat.tell(Done("key-1", "this room is for ana and ben alone", DIRECT))
        await on.until(lambda: on.room.chat.room == DIRECT)
        assert on.chat.calls[-2:] == [("join", DIRECT), ("say", DIRECT, "have you seen\nthis?")]
        on.chat.joined(DIRECT, private=True, direct="ben")
        await on.shows("main  @ben")
        assert DIRECT not in on.text
        await on.press("f4")
        assert on.room.chat.room == "main"
        await on.write("/dm BEN more of it")
        await on.until(lambda: ("say", DIRECT, "more of it") in on.chat.calls)
        assert on.chat.calls[-1] == ("direct", "BEN") or ("direct", "BEN") in on.chat.calls
        on.chat.tell(Done(f"key-{on.chat.keys}", "this room is for ana and ben alone", DIRECT))
        await on.until(lambda: on.chat.idle)
        assert "alone" not in on.lines[-5]


async def test_words_for_somebody_who_is_not_there_come_back(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("/dm bne have you seen this?")
        await on.until(lambda: on.chat.keys == 1)
        await on.press(*"meanwhile")
        on.chat.tell(Error("no_such_target", "nobody has a token with the name bne", "key-1"))
        await on.shows("nobody has a token with the name bne")
        assert on.composer.text == "/dm bne have you seen this?\nmeanwhile"


async def test_a_room_of_two_is_left_by_whom_it_is_with(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("/dm ben")
        await on.until(lambda: on.chat.keys == 1)
        on.chat.tell(Done("key-1", "this room is for ana and ben alone", DIRECT))
        await on.until(lambda: on.room.chat.room == DIRECT)
        await on.press(*"/leave @", "tab", "enter")
        await on.until(lambda: ("leave", DIRECT) in on.chat.calls)
        assert on.room.chat.rooms == ["main"]


async def test_a_room_of_two_that_somebody_opens_takes_nothing_away(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.press(*"half a thought")
        on.chat.tell(Invited(DIRECT, "ben", direct=True, other="ben"))
        await on.shows("ben opened a room for you two: /dm ben goes there")
        assert ("join", DIRECT) in on.chat.calls
        assert on.room.chat.room == "main"
        assert on.composer.text == "half a thought"
        # He spoke before we were there.
        on.chat.seq[DIRECT] = 0
        on.chat.tell(
            Resume(
                DIRECT,
                Outcome.FRESH,
                EPOCH,
                0,
                1,
                topic="",
                members=[Member("ben", "here")],
                private=True,
                direct="ben",
            ),
            RoomEvent(DIRECT, 1, on.clock.ms, "message", "ben", Message("are you there?"), replayed=True),
            CaughtUp(DIRECT, Outcome.FRESH, 1),
        )
        await on.shows("@ben 1")
        await on.press("ctrl+p", *"@ben", "enter")
        await on.shows("are you there?")


async def test_rooms_of_two_from_before_are_opened_once_and_stay_closed(stage: type[Stage]) -> None:
    async with stage((140, 20)) as on:
        await on.live()
        for number in range(10):
            on.chat.tell(Invited(f"dm-{number}", None, direct=True, other=f"ben{number}"))
        await on.shows("@ben7")
        await on.until(lambda: on.chat.idle)
        assert "@ben8" not in on.text
        await on.write("/leave @ben3")
        await on.until(lambda: ("leave", "dm-3") in on.chat.calls)
        await on.lose()
        await on.live()
        for number in range(10):
            on.chat.tell(Invited(f"dm-{number}", None, direct=True, other=f"ben{number}"))
        await on.until(lambda: on.chat.idle and on.chat.link.state is LinkState.LIVE)
        assert "@ben3" not in on.text
        on.chat.tell(Invited("dm-3", "ben3", direct=True, other="ben3"))
        await on.shows("ben3 opened a room for you two")
        await on.shows("@ben3 ")


async def test_one_is_let_into_a_private_room(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        on.chat.tell(Invited("staff", None), Invited("ops", None))
        await on.shows("you may come into staff, ops: /join staff")
        on.chat.tell(Invited("ops", "ben"))
        await on.shows("ben lets you into ops: /join ops")
        assert on.room.chat.rooms == ["main"]
        on.composer.load_text("")
        await on.press(*"/join o", "tab", "enter")
        await on.until(lambda: ("join", "ops") in on.chat.calls)
        on.chat.joined("ops", private=True)
        await on.shows("*ops")
        assert "private" in on.head("chat")
        await on.shows("only who is let in here can read it")


async def test_an_empty_room_says_who_reads_it_as_soon_as_that_changes(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("/join crew")
        await on.until(lambda: ("join", "crew") in on.chat.calls)
        on.chat.joined("crew")
        await on.shows("/rooms/crew")
        on.chat.tell(Rules("crew", private=True))
        await on.shows("only who is let in here can read it")
        assert "/rooms/crew" not in on.text
