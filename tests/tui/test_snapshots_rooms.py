"""What a server allows and what it does not, as pictures: waits, rooms of two, rooms that are shut."""

from __future__ import annotations

import pytest

from pushtui.protocol.messages import Done, Error, Left
from tests.tui.stage import Stage
from tests.tui.test_snapshots import Snapshot, conversation, painted

at_two_sizes = pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=lambda size: f"{size[0]}x{size[1]}")


@at_two_sizes
async def test_the_wait_of_one_who_sends_too_fast(
    stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot
) -> None:
    async with stage(size) as on:
        await conversation(on)
        for text in ("one", "two", "three"):
            await on.write(text)
        on.chat.tell(Error("rate_limited", "you are sending too fast; wait 4 s", f"key-{on.chat.keys - 2}", 4000))
        on.composer.load_text("and what I write meanwhile")
        await painted(on)
        screen_snapshot(on.app, "held")


@at_two_sizes
async def test_a_room_of_two(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await conversation(on)
        await on.write("/dm ben")
        await on.until(lambda: ("direct", "ben") in on.chat.calls)
        on.chat.tell(Done(f"key-{on.chat.keys}", "this room is for ana and ben alone", "dm-26d2b2a67f7f4be2"))
        await on.shows("@ben")
        on.chat.joined("dm-26d2b2a67f7f4be2", private=True, direct="ben")
        on.chat.event("ben", "have you seen this?", on.clock.ms, room="dm-26d2b2a67f7f4be2")
        await on.shows("have you seen this?")
        on.chat.event("eva", "and now?", on.clock.ms)
        await painted(on)
        screen_snapshot(on.app, "direct")


@at_two_sizes
async def test_a_room_that_is_read_only(
    stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot
) -> None:
    async with stage(size) as on:
        await on.live(topic="what everyone has to know", read_only=True)
        on.chat.event("mod", "the office is closed on Friday", on.clock.ms)
        await on.shows("closed on Friday")
        await painted(on)
        screen_snapshot(on.app, "read-only")


@at_two_sizes
async def test_a_room_that_one_had_to_leave(
    stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot
) -> None:
    async with stage(size) as on:
        await conversation(on)
        on.composer.load_text("what I was about to say")
        on.chat.tell(Left("main", "main is private: somebody who is in it has to admit you"))
        await on.shows("has to admit you")
        await painted(on)
        screen_snapshot(on.app, "left")


@at_two_sizes
async def test_the_commands_of_a_moderator(
    stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot
) -> None:
    async with stage(size) as on:
        await on.live(role="moderator")
        await on.press("f1")
        await on.shows("pushtui · help")
        on.app.screen.query_one("#help").scroll_to(y=30, animate=False)
        await on.shows("/mute NICK")
        await painted(on)
        screen_snapshot(on.app, "help-moderator")
        await on.press("escape")
        await on.write("/bans")
        listed = (
            "removed: eve until 2026-11-22 14:17 UTC, by ana: spam\n"
            "banned: mallory and 203.0.113.9, by root: bots again and again, from three networks at once\n"
            "muted: sam in main, by ana\nannouncements is read-only"
        )
        await on.until(lambda: ("moderate", "list", {}) in on.chat.calls)
        on.chat.tell(Done(f"key-{on.chat.keys}", listed))
        await on.shows("announcements is read-only")
        await painted(on)
        screen_snapshot(on.app, "bans")
