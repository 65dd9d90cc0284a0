"""Slash commands, rooms, the roster, the palette: by keys and by mouse."""

import pytest

from pushtui.protocol.messages import Error, Member, Presence, Typing
from tests.tui.stage import Stage
from tui.widgets.pane_head import PaneHead


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("hello", ("say", "main", "hello")),
        ("//join is how", ("say", "main", "/join is how")),
        ("/me waves", ("say", "main", "/me waves")),
        ("/nick cyd", ("rename", "cyd")),
        ("/join ops", ("join", "ops")),
        ("/topic incident 4711", ("topic", "main", "incident 4711")),
        ("/away at lunch", ("away", True, "at lunch")),
        ("/away", ("away", True, None)),
        ("/mark deploy v1.4", ("mark", "main", "deploy v1.4")),
    ],
)
async def test_a_line_reaches_the_client(stage: type[Stage], line: str, call: tuple[object, ...]) -> None:
    async with stage() as on:
        await on.live()
        await on.write(line)
        await on.until(lambda: call in on.chat.calls)
        assert on.composer.text == ""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/jion ops", "no command /jion"),
        ("/nick two words", "/nick: a nick has no spaces"),
        ("/join a/b", "/join: a room name has letters"),
        ("/leave nowhere", "you are not in nowhere"),
        ("/leave", "this is your only room"),
        ("/quit now", "/quit takes nothing after it"),
    ],
)
async def test_a_line_that_cannot_be_done_stays_with_one_sentence(
    stage: type[Stage], line: str, sentence: str
) -> None:
    async with stage((140, 20)) as on:
        await on.live()
        calls = len(on.chat.calls)
        await on.write(line)
        await on.shows(sentence)
        assert on.composer.text == line
        assert len(on.chat.calls) == calls


async def test_what_the_client_refuses_stays_too(stage: type[Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage((140, 20)) as on:
        await on.live()

        def refuse(room: str) -> None:
            raise ValueError("one can be in at most 64 rooms at once")

        monkeypatch.setattr(on.chat, "join", refuse)
        await on.write("/join ops")
        await on.shows("one can be in at most 64 rooms at once")
        assert on.composer.text == "/join ops"
        assert on.room.chat.room == "main"


async def test_quit_by_its_command(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("/quit")
        await on.until(lambda: on.app.return_code is not None or not on.app.is_running)
    assert on.app.return_value == 0


async def test_help_by_command_and_by_key_and_back(stage: type[Stage]) -> None:
    async with stage((110, 60)) as on:
        await on.live()
        await on.write("/help")
        await on.shows("pushtui · help")
        await on.shows("/leave [ROOM]")
        await on.press("escape")
        await on.hides("pushtui · help")
        await on.press("f1")
        await on.shows("pushtui · help")


async def test_a_new_nick_that_is_refused_is_told(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("/nick ben")
        on.chat.tell(Error("not_allowed", "the nick is taken"))
        await on.shows("the nick is taken")


async def test_rooms_are_switched_by_key_and_by_mouse(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("/join ops")
        on.chat.joined("ops", topic="the other one")
        await on.shows("main  ops · the other one")
        assert "F4 next room" in on.text
        for key, room in (
            ("f4", "main"),
            ("f4", "ops"),
            ("ctrl+pageup", "main"),
            ("ctrl+pagedown", "ops"),
            ("alt+1", "main"),
            ("alt+2", "ops"),
            ("alt+9", "ops"),
        ):
            await on.press(key)
            assert on.room.chat.room == room, key
        await on.pilot.click(on.room.chat.query_one(PaneHead), offset=(2, 0))
        await on.until(lambda: on.room.chat.room == "main")


async def test_what_comes_in_another_room_is_counted_at_its_name(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("/join ops")
        on.chat.joined("ops")
        await on.until(lambda: on.room.chat.view.oldest is not None)
        on.chat.event("ben", "over here", on.clock.ms, room="main")
        await on.shows("main 1  ops")
        await on.press("f4")
        await on.shows("over here")
        await on.shows("main  ops")


async def test_each_room_keeps_its_draft(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("/join ops")
        on.chat.joined("ops")
        await on.press(*"for ops")
        await on.press("f4")
        assert on.composer.text == ""
        await on.press(*"for main")
        await on.press("f4")
        assert on.composer.text == "for ops"
        await on.press("f4")
        assert on.composer.text == "for main"


async def test_leaving_a_room_goes_to_another_one(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("/join ops")
        on.chat.joined("ops")
        await on.write("/leave")
        await on.until(lambda: on.room.chat.room == "main")
        assert ("leave", "ops") in on.chat.calls
        await on.hides("ops")
        await on.hides("next room")


async def test_the_roster_tells_who_is_here_and_who_is_away(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live(members=[Member("ben", "here"), Member("ana", "here"), Member("cyd", "away", "lunch")])
        await on.shows("2 here")
        await on.press("f3")
        await on.shows("◦ cyd lunch")
        assert on.text.index("• ana") < on.text.index("• ben") < on.text.index("◦ cyd")
        on.chat.tell(Presence("main", "dan", "here"))
        await on.shows("• dan")
        await on.shows("3 here")
        await on.write("/who")
        await on.hides("◦ cyd lunch")


async def test_being_away_is_told_to_oneself_until_one_is_back(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.press("f3")
        await on.write("/away lunch")
        await on.shows("you are away")
        await on.shows("◦ ana (you) lunch")
        await on.write("/away")
        await on.hides("you are away")
        assert on.chat.calls[-1] == ("away", False, None)
        await on.shows("• ana (you)")


async def test_end_follows_again_from_within_the_composer(stage: type[Stage]) -> None:
    async with stage((120, 24)) as on:
        await on.live()
        for number in range(40):
            on.chat.event("ben", f"line {number}", on.clock.ms)
        await on.shows("line 39")
        await on.press("pageup")
        await on.shows("▼ End")
        await on.press("end")
        await on.hides("▼ End")
        await on.shows("line 39")


async def test_who_types_is_told_and_forgotten(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        on.chat.tell(Typing("main", True, "ben"))
        await on.shows("ben is typing …")
        on.chat.tell(Typing("main", True, "cyd"))
        await on.shows("ben and cyd are typing …")
        on.clock.advance(6)
        await on.second()
        await on.hides("typing …")


async def test_the_others_learn_that_one_types(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.press("h")
        await on.until(lambda: ("typing", "main", True) in on.chat.calls)
        await on.press("enter")
        await on.until(lambda: ("typing", "main", False) in on.chat.calls)


async def test_tab_completes_commands_and_nicks(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live(members=[Member("ana", "here"), Member("benedikt", "here")])
        await on.press(*"/to", "tab")
        assert on.composer.text == "/topic "
        await on.press(*"@ben", "tab")
        assert on.composer.text == "/topic @benedikt "


async def test_older_messages_are_asked_for_at_the_top(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live(floor=1)
        await on.until(lambda: ("history", "main", 1001) in on.chat.calls)


async def test_page_up_scrolls_the_conversation_from_within_the_composer(stage: type[Stage]) -> None:
    async with stage((80, 24)) as on:
        await on.live()
        for number in range(60):
            on.chat.event("ben", f"line {number}", on.clock.ms)
        await on.shows("line 59")
        await on.press("pageup")
        await on.hides("line 59")
        assert on.composer.has_focus
        await on.press("pagedown", "pagedown")
        await on.shows("line 59")


async def test_the_palette_asks_for_an_argument_and_does_the_command(stage: type[Stage]) -> None:
    async with stage((140, 20)) as on:
        await on.live()
        await on.press(*"a draft")
        await on.press("ctrl+p")
        await on.shows("Search for commands")
        await on.press(*"/topic")
        await on.shows("set the topic of this room")
        await on.press("enter", "enter")
        await on.shows("/topic TEXT")
        await on.press("enter")
        await on.shows("/topic needs something after it")
        await on.press(*"new topic", "enter")
        await on.until(lambda: ("topic", "main", "new topic") in on.chat.calls)
        assert on.composer.text == "a draft"


async def test_the_palette_offers_what_the_keys_do(stage: type[Stage]) -> None:
    async with stage((140, 60)) as on:
        await on.live()
        await on.press("ctrl+p")
        for entry in (
            "theme",
            "quit",
            "other pane",
            "zoom",
            "retry now",
            "copy",
            "/leave [ROOM]",
            "/who",
            "/help",
        ):
            await on.shows(entry)
        await on.press(*"zoom")
        await on.hides("retry now")
        await on.press("enter", "enter")
        await on.shows("[chat]")


async def test_ctrl_c_copies_a_selection_and_otherwise_says_how_to_quit(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.press("ctrl+c")
        await on.shows("ctrl+q quits")
        await on.press(*"some words", "ctrl+a", "ctrl+c")
        assert on.composer.text == "some words"


async def test_what_is_selected_in_the_timeline_is_copied(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        on.chat.event("ben", "a line to copy", on.clock.ms)
        await on.shows("a line to copy")
        row = next(number for number, line in enumerate(on.text.split("\n")) if "a line to copy" in line)
        column = on.line(row).index("a line")
        await on.pilot.mouse_down(offset=(column, row))
        await on.pilot.hover(offset=(column + 5, row))
        await on.pilot.mouse_up(offset=(column + 6, row))
        await on.press("ctrl+c")
        await on.until(lambda: on.app.clipboard.startswith("a line"))


async def test_copying_from_the_palette_tells_when_nothing_is_selected(stage: type[Stage]) -> None:
    async with stage((140, 40)) as on:
        await on.live()
        await on.press("ctrl+p")
        await on.press(*"copy")
        await on.shows("copy what is selected")
        await on.press("enter", "enter")
        await on.shows("nothing is selected")


async def test_keys_that_come_faster_than_lines_are_taken_lose_and_double_nothing(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        composer = on.composer
        # Nothing can be taken in between: this test does not wait.
        for text in ("one", "two", "three"):
            composer._insert(text)
            composer._took("enter")
        composer._insert("four")
        await on.until(lambda: ("say", "main", "three") in on.chat.calls)
        assert [call[2] for call in on.chat.calls if call[0] == "say"] == ["one", "two", "three"]
        await on.until(lambda: composer.text == "four")


async def test_what_follows_a_line_that_is_refused_waits_with_it(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        for text in ("/nick a b", " and more"):
            on.composer._insert(text)
            on.composer._took("enter")
        await on.until(lambda: on.composer.has_class("-refused"))
        assert on.composer.text == "/nick a b and more"
        await on.press("enter")
        await on.until(lambda: on.composer.has_class("-refused"))
        assert on.chat.calls == []
