"""Moderating, and being moderated: commands and their answers, waits, rooms one may not write in."""

import pytest

from pushtui.client.happenings import Delivery, Undeliverable
from pushtui.protocol.messages import Done, Error, Left, Member, Rules
from tests.tui.stage import Stage

BEN = [Member(nick, "here") for nick in ("ana", "ben")]


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("/remove eve 10m spam", ("moderate", "remove", {"nick": "eve", "seconds": 600, "reason": "spam"})),
        ("/mute eve", ("moderate", "mute", {"nick": "eve", "room": "main"})),
        ("/ban 203.0.113.9 30d", ("moderate", "ban", {"address": "203.0.113.9", "seconds": 2_592_000})),
        ("/readonly off", ("moderate", "read_only", {"room": "main", "on": False})),
        ("/invite ben", ("moderate", "admit", {"nick": "ben", "room": "main"})),
        ("/dm ben", ("direct", "ben")),
        ("/join @ben", ("direct", "ben")),
    ],
)
async def test_a_line_reaches_the_client(stage: type[Stage], line: str, call: tuple[object, ...]) -> None:
    async with stage() as on:
        await on.live()
        await on.write(line)
        await on.until(lambda: call in on.chat.calls)
        assert on.composer.text == ""


async def test_what_is_done_says_how_to_undo_it_and_nothing_covers_what_one_types(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live(role="moderator")
        await on.write("/remove eve 10m")
        await on.until(lambda: on.chat.keys == 1)
        await on.press(*"next")
        on.chat.tell(Done("key-1", "eve is removed for 10 m"))
        await on.shows("eve is removed for 10 m · /unban eve undoes it")
        await on.press("!")
        await on.second()
        await on.shows("/unban eve undoes it")  # it came a moment ago, so it is not read yet
        assert on.composer.text == "next!"
        assert not on.app._notifications
        for _ in range(2):
            await on.second()
        await on.hides("eve is removed")


async def test_who_may_not_is_offered_nothing_and_told_by_the_server(stage: type[Stage]) -> None:
    async with stage((110, 60)) as on:
        await on.live()
        await on.press(*"/re")
        await on.until(lambda: "/remove" not in on.text)
        await on.press("f1")
        await on.shows("pushtui · help")
        assert "/dm NICK [TEXT]" in on.text
        assert "/mute" not in on.text
        await on.press("escape")
        await on.write("/remove eve")
        await on.until(lambda: on.chat.keys == 1)
        on.chat.tell(Error("not_allowed", "you are member, and may not do this", "key-1"))
        await on.shows("you are member, and may not do this")
        assert on.composer.text == ""


async def test_a_moderator_is_offered_what_there_is(stage: type[Stage]) -> None:
    async with stage((110, 60)) as on:
        await on.live(role="moderator", members=BEN)
        assert "moderator  2 here" in on.head("chat")
        await on.press(*"/mut", "tab", *"be", "tab", *"10m", "enter")
        await on.until(
            lambda: ("moderate", "mute", {"nick": "ben", "room": "main", "seconds": 600}) in on.chat.calls
        )
        await on.press(*"/readonly on", "tab", "enter")
        await on.until(lambda: ("moderate", "read_only", {"room": "main"}) in on.chat.calls)
        await on.press("ctrl+p")
        await on.press(*"kept out")
        await on.shows("list who is kept out or muted")
        assert "/ban NICK" not in on.text


async def test_a_list_is_shown_apart(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live(role="moderator")
        await on.write("/bans")
        await on.until(lambda: on.chat.keys == 1)
        on.chat.tell(Done("key-1", "muted: [bold]eve[/bold], by ana\nbanned: mallory, by root"))
        await on.shows("muted: [bold]eve[/bold], by ana")
        await on.shows("banned: mallory, by root")
        await on.press("escape")
        await on.hides("mallory")


async def test_who_sends_too_fast_sees_the_wait_and_writes_on(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        for text in ("one", "two"):
            await on.write(text)
        await on.until(lambda: on.chat.keys == 2)
        await on.press(*"three")
        on.chat.tell(
            Delivery("key-1", "sent"),
            Error("rate_limited", "you are sending too fast; wait 4 s", "key-1", 4000),
            Delivery("key-1", "queued"),
        )
        await on.shows("sending too fast: goes on in 4 s, 2 messages wait")
        await on.press("!")
        await on.second()
        await on.shows("goes on in 3 s, 2 messages wait")
        on.chat.stored("key-1", "one", on.clock.ms)
        await on.shows("1 message waits")
        on.chat.tell(Error("rate_limited", "you are sending too fast; wait 1 s", "key-2", 1000))
        await on.shows("goes on in 1 s, 1 message waits")
        on.chat.stored("key-2", "two", on.clock.ms)
        await on.hides("sending too fast")
        assert on.composer.text == "three!"
        assert not on.app._notifications
        assert not on.room.chat.session.failed


async def test_a_wait_ends_with_the_link_and_with_what_waits(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("one")
        await on.until(lambda: on.chat.keys == 1)
        on.chat.tell(Error("busy", "the log is busy", "key-1"))
        await on.shows("the server is busy: goes on in 1 s, 1 message waits")
        await on.lose()
        await on.hides("the server is busy")
        await on.live()
        on.chat.tell(Error("busy", "the log is busy", "key-1"))
        await on.shows("the server is busy")
        await on.press("f5", "t")
        await on.hides("the server is busy")
        assert on.composer.text == "one"


async def test_what_is_refused_for_good_stays_with_the_sentence_of_the_server(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("am I heard?")
        await on.until(lambda: on.chat.keys == 1)
        reason = "mod muted you in main until 2026-11-22 14:17 UTC; you can read along"
        on.chat.tell(Delivery("key-1", "failed"), Undeliverable("key-1", "main", "am I heard?", reason))
        await on.shows("mod muted you in main")
        await on.press("f5")
        await on.shows("R retry")
        await on.press("t")
        await on.until(lambda: on.composer.text == "am I heard?")


async def test_a_room_becomes_read_only_and_free_again(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        on.chat.tell(Rules("main", read_only=True))
        await on.shows("only moderators write here")
        await on.shows("read-only")
        calls = len(on.chat.calls)
        for line in ("hello", "/me waves", "/topic new", "/mark here"):
            await on.write(line)
            await on.until(lambda: on.composer.has_class("-refused"))
            assert on.composer.text == line
        assert len(on.chat.calls) == calls
        on.chat.tell(Rules("main"))
        await on.hides("only moderators write here")
        await on.write("hello")
        await on.until(lambda: ("say", "main", "hello") in on.chat.calls)


async def test_moderators_write_in_a_read_only_room(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live(role="moderator", read_only=True)
        assert "say something" in on.text
        await on.write("hello")
        await on.until(lambda: ("say", "main", "hello") in on.chat.calls)


async def test_a_reader_listens(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live(role="reader")
        await on.shows("you may only listen")
        assert "reader" in on.head("chat")
        await on.write("may I?")
        await on.until(lambda: on.composer.has_class("-refused"))
        assert on.composer.text == "may I?"
        await on.write("/join ops")
        await on.until(lambda: ("join", "ops") in on.chat.calls)


async def test_a_room_that_is_shut_can_be_read_and_left_and_entered_again(stage: type[Stage]) -> None:
    async with stage((140, 20)) as on:
        await on.live()
        await on.write("/join ops")
        on.chat.joined("ops")
        on.chat.event("ben", "what was said", on.clock.ms, room="ops")
        await on.shows("what was said")
        on.composer.load_text("half a thought")
        on.chat.tell(Left("ops", "ops is private: somebody who is in it has to admit you"))
        await on.shows("ops is private: somebody who is in it has to admit you · /leave closes it")
        assert "what was said" in on.text
        assert on.composer.text == "half a thought"
        await on.press("enter")
        await on.until(lambda: on.composer.has_class("-refused"))
        assert on.composer.text == "half a thought"
        on.chat.calls.clear()
        await on.write("/join ops")
        await on.until(lambda: ("join", "ops") in on.chat.calls)
        on.chat.joined("ops", private=True)
        await on.hides("/leave closes it")
        assert "*ops" in on.head("chat")
        on.chat.tell(Left("ops", "ops is private"))
        await on.write("/leave")
        await on.until(lambda: on.room.chat.rooms == ["main"])


async def test_an_error_is_told_whole_where_the_pane_is_narrow(stage: type[Stage]) -> None:
    async with stage((30, 16)) as on:
        await on.live()
        await on.write("/topic " + "x" * 251)
        await on.shows("\n 251\n╭")
        rows = [line.strip() for line in on.lines]
        assert "/topic: a topic has at most" in rows
        assert "250 characters, this one has" in rows
        assert rows[-2].startswith("╰─ /topic: a topic has")


async def test_a_terminal_too_small_says_so_and_keeps_what_one_types(stage: type[Stage]) -> None:
    async with stage((80, 24)) as on:
        await on.live()
        await on.press(*"half a ")
        await on.resize(20, 5)
        await on.shows("too small: 20x5")
        assert "main" not in on.text
        await on.press(*"thought")
        await on.resize(24, 10)
        await on.shows("main")
        assert on.composer.text == "half a thought"
        assert on.composer.has_focus


async def test_what_nobody_has_to_act_on_goes_by_itself(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live(role="moderator")
        await on.write("/unmute eve")
        await on.until(lambda: on.chat.keys == 1)
        on.chat.tell(Done("key-1", "eve is muted no longer"))
        await on.shows("eve is muted no longer")
        on.clock.advance(29)
        await on.second()
        await on.hides("eve is muted no longer")
