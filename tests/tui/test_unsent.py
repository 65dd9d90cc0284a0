"""What failed or waits is retried or taken back: by key, by mouse, from the palette."""

import pytest

from pushtui.client.happenings import Delivery, Link, LinkState, Pending, Undeliverable
from tests.tui.stage import Stage
from tui import commands
from tui.screens.unsent import UnsentScreen
from tui.widgets.key_line import KeyLine
from tui.widgets.timeline import Timeline

REASON = "this room is read-only"


async def failed(on: Stage, text: str, reason: str = REASON) -> None:
    """We say something in vain."""
    await on.write(commands.line_of(text))
    key = f"key-{on.chat.keys}"
    on.chat.tell(Delivery(key, "failed"), Undeliverable(key, "main", text, reason))
    await on.until(lambda: line_of(on, text).endswith("!"))


def row(on: Stage, text: str) -> int:
    return next(number for number, line in enumerate(on.lines) if text in line)


def line_of(on: Stage, text: str) -> str:
    """The row of the timeline that has this text, without the scrollbar."""
    return next((line for line in on.lines if text in line), "").partition("┃")[0].rstrip(" ▁▂▃▄▅▆▇█")


async def dialogue(on: Stage) -> None:
    await on.until(lambda: isinstance(on.app.screen, UnsentScreen))


async def back(on: Stage) -> None:
    await on.until(lambda: on.app.screen is on.room)


async def test_what_failed_stays_with_its_reason_and_leaves_the_composer_alone(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        assert "F5" not in on.lines[-1]
        await failed(on, "something long")
        await on.shows(f"not sent: {REASON}")
        await on.until(lambda: "F5 not sent" in on.lines[-1])
        assert on.composer.text == ""
        assert on.chat.calls[-1] == ("say", "main", "something long")


async def test_it_is_retried_by_key(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await failed(on, "first")
        await failed(on, "second")
        await on.press("f5")
        await dialogue(on)
        await on.shows(REASON)
        await on.press("enter")
        await back(on)
        assert on.chat.calls[-1] == ("retry", "key-2")
        on.chat.tell(Delivery("key-2", "queued"))
        await on.until(lambda: line_of(on, "second").endswith("…"))
        on.chat.stored("key-2", "second", on.clock.ms)
        await on.until(lambda: "✓" in line_of(on, "second"))
        await on.press("f5", "r")
        await back(on)
        assert on.chat.calls[-1] == ("retry", "key-1")
        on.chat.tell(Delivery("key-1", "queued"))
        await on.until(lambda: "F5" not in on.lines[-1])


async def test_it_is_taken_back_before_the_draft(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await failed(on, "first")
        await failed(on, "/join is how")
        await on.press(*"a draft")
        await on.press("f5", "up", "down", "t")
        await back(on)
        await on.until(lambda: on.text.count("is how") == 1)
        assert on.composer.text == "//join is how\na draft"
        assert on.chat.calls.count(("take_back", "key-2")) == 1
        assert on.app.focused is on.composer
        assert "F5 not sent" in on.lines[-1], "the first one is still there"


@pytest.mark.parametrize("what", ["!", "words"])
async def test_a_click_on_it_asks_and_a_click_on_a_key_answers(stage: type[Stage], what: str) -> None:
    async with stage() as on:
        await on.live()
        await failed(on, "first")
        await failed(on, "second")
        place = on.room.query_one(Timeline).region
        y = row(on, "first")
        line = on.lines[y]
        x = line.index("!") if what == "!" else line.index("first")
        await on.pilot.click(Timeline, offset=(x - place.x, y - place.y))
        await dialogue(on)
        keys = on.app.screen.query_one(KeyLine)
        await on.pilot.click(keys, offset=(str(keys.render()).index("T take back"), 0))
        await back(on)
        assert on.composer.text == "first"


async def test_a_click_in_the_list_chooses_and_does_nothing_more(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await failed(on, "first", "one reason")
        await failed(on, "second", "another reason")
        await on.press("f5")
        await dialogue(on)
        about = on.app.screen.query_one(".about")
        assert str(about.render()) == "another reason"
        await on.pilot.click("UnsentScreen OptionList", offset=(3, 0))
        await on.until(lambda: str(about.render()) == "one reason")
        assert isinstance(on.app.screen, UnsentScreen)
        await on.press("escape")
        await back(on)
        assert [call for call in on.chat.calls if call[0] != "typing"][-1] == ("say", "main", "second")


async def test_the_palette_offers_it_when_there_is_something(stage: type[Stage]) -> None:
    async with stage((110, 40)) as on:
        await on.live()
        await on.press("ctrl+p")
        await on.shows("retry now")
        assert "what failed" not in on.text
        await on.press("escape")
        await failed(on, "something long")
        await on.press("ctrl+p", *"retry what")
        await on.shows("retry what failed")
        await on.press("enter")
        await on.until(lambda: on.chat.calls[-1] == ("retry", "key-1"))
        await on.press("ctrl+p", *"take back")
        await on.shows("take back what failed")
        await on.press("enter")
        await on.until(lambda: on.composer.text == "something long")


async def test_what_waits_can_be_taken_back_but_not_retried(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.press("f5")
        await on.shows("everything you said is sent")
        await on.lose()
        await on.write("said in vain")
        await on.shows("…")
        assert "F5" not in on.lines[-1]
        await on.press("f5")
        await dialogue(on)
        await on.shows("It waits to be sent")
        await on.press("r", "enter")
        assert isinstance(on.app.screen, UnsentScreen)
        await on.press("t")
        await back(on)
        assert on.composer.text == "said in vain"
        assert not on.room.chat.session.unsent


async def test_what_was_sent_meanwhile_stays(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.write("hello")
        await on.press("f5")
        await dialogue(on)
        on.chat.said.clear()
        await on.press("t")
        await back(on)
        await on.shows("too late: it was sent, and may be stored")
        assert on.composer.text == ""


async def test_what_an_earlier_run_left_is_there_in_its_rooms(stage: type[Stage]) -> None:
    async with stage((110, 30)) as on:
        await on.until(lambda: on.cast.chats)
        at = on.clock.ms - 3_600_000
        on.chat.said["k2"] = "for ops"
        on.chat.tell(
            Pending("k1", "main", "message", "from before", "queued", at),
            Pending("k2", "ops", "message", "for ops", "failed", at, REASON),
            Pending("k3", "main", "topic", "a topic", "failed", at, REASON),
        )
        await on.live()
        assert ("join", "ops") in on.chat.calls
        await on.shows("from before")
        assert line_of(on, "from before").startswith(" 13:07  you")
        await on.shows("ops !")
        await on.shows(f"not done: {REASON}")
        assert ("take_back", "k3") in on.chat.calls, "else each run would tell it anew"
        await on.press("f5")
        await dialogue(on)
        await on.shows("ops  for ops")
        await on.press("t")
        await back(on)
        assert on.room.chat.room == "ops"
        assert on.composer.text == "for ops"


async def test_what_an_earlier_run_left_is_not_taken_for_a_draft_without_a_server(stage: type[Stage]) -> None:
    async with stage((110, 30)) as on:
        await on.until(lambda: on.cast.chats)
        on.chat.kept = True
        on.chat.tell(Pending("k1", "main", "message", "from before", "queued", on.clock.ms))
        await on.write("said now")
        on.chat.tell(Link(LinkState.LOST, "no server at 127.0.0.1:8765", retry_in=0.5))
        await on.shows("pushtui serve")
        assert [call for call in on.chat.calls if call[0] == "take_back"] == [("take_back", "key-1")]
        await on.press("enter")
        await on.until(lambda: len(on.cast.chats) == 2)
        assert on.composer.text == "said now"


async def test_what_is_kept_comes_from_there_when_one_begins_anew(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.until(lambda: on.cast.chats)
        on.chat.kept = True
        await on.live()
        await on.write("not stored yet")
        on.chat.tell(Link(LinkState.REFUSED, "another connection of this session took over", code=4504))
        on.chat.end()
        await on.shows("✕ refused · another connection")
        await on.press("f5", "t")
        await back(on)
        await on.shows("the link has ended: ctrl+r begins anew")
        await on.press("ctrl+r")
        await on.until(lambda: len(on.cast.chats) == 2)
        assert on.composer.text == ""
        on.chat.tell(Pending("key-1", "main", "message", "not stored yet", "queued", on.clock.ms))
        await on.until(lambda: on.text.count("not stored yet") == 1)


async def test_a_room_with_something_unsent_is_not_left(stage: type[Stage]) -> None:
    async with stage((120, 20)) as on:
        await on.live()
        await failed(on, "something long")
        await on.write("/join ops")
        await on.write("/leave main")
        await on.shows("what you said in main is not sent yet: F5 takes it back")
        assert on.room.chat.rooms == ["main", "ops"]
