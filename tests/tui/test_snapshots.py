"""Every screen as a picture, at three sizes. ``make snapshots`` accepts them as they are now."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import App

from pushtui.client.happenings import CaughtUp, Delivery, Link, LinkState, StatusResume, Undeliverable
from pushtui.protocol.bodies import Edit, Mark, Notice, React
from pushtui.protocol.messages import Member, Resume, Typing
from pushtui.protocol.positions import Lost, Outcome
from tests.tui.scripted import EPOCH
from tests.tui.stage import Stage
from tui.widgets.timeline import Timeline

SIZES = [(80, 24), (120, 36), (200, 50)]
Snapshot = Callable[[App[int], str], None]

at_every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


async def conversation(on: Stage) -> None:
    """A short one about an incident, with what else can stand in a timeline."""
    await on.live(
        topic="incident 4711: checkout latency",
        members=[Member(nick, "here") for nick in ("ana", "ben", "dan", "eva")] + [Member("cyd", "away", "lunch")],
    )
    start = on.clock.ms - 320_000
    on.chat.event("cyd", "good morning", start - 86_400_000)
    first = on.chat.event("ben", "deploy v1.4 is out", start)
    on.chat.event(
        "ben", "latency is up since then, look at https://grafana.example/d/checkout?from=now-1h&to=now", start
    )
    on.chat.event("ana", Mark("rollback v1.3"), start + 60_000)
    on.chat.event("dan", "/me looks at the database", start + 80_000)
    confirmed = on.chat.event("cyd", "confirmed, p99 is back to 90 ms", start + 120_000)
    on.chat.event("cyd", Edit(confirmed, "confirmed, p99 is back to 80 ms"), start + 130_000)
    on.chat.event("eva", React(first, "👀", True), start + 130_000)
    on.chat.event("ana", React(confirmed, "🎉", True), start + 140_000)
    on.chat.event("ben", React(confirmed, "🎉", True), start + 140_000)
    on.chat.event(
        "eva", "so it was the new cache.\nI will write it up:\n- what happened\n- what we change", start + 200_000
    )
    on.status.samples(on.clock.ms, 240)
    on.status.event("mark", Mark("rollback v1.3", room="main", by="ana"))
    on.status.event("notice", Notice("checkout answers slowly", "critical", "probe", "p99 over 500 ms"))
    on.status.event("notice", Notice("backup is late", "warning", "cron"))
    on.status.event("notice", Notice("backup is done", "success", "cron"))
    await said(on, "thanks all")
    await seconds(on, 5)


async def said(on: Stage, text: str) -> None:
    """We say something, and it is stored."""
    await on.write(text)
    await on.until(lambda: ("say", "main", text) in on.chat.calls)
    on.chat.stored(f"key-{on.chat.keys}", text, on.clock.ms - 30_000)


async def seconds(on: Stage, count: int) -> None:
    """So much time goes by, with some traffic, so that rates are not nothing."""
    for number in range(count):
        on.chat.traffic.received_frames += 3
        on.chat.traffic.sent_frames += number % 2
        on.status.event("sample", on.status.next_sample(on.clock.ms + 1000))
        await on.second()


async def painted(on: Stage) -> None:
    """All that was told is on the screen."""
    await on.until(lambda: on.chat.idle and on.status.idle)
    for pane in (on.room.chat, on.room.status):
        pane._drain.now()
    await on.pilot.pause()
    timeline = on.room.query_one(Timeline)
    # What is painted may change widths, and then all is wrapped anew.
    await on.until(lambda: not on.room.chat.display or timeline.layout_of_items.columns.width == timeline._width)


@at_every_size
async def test_connecting(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await painted(on)
        screen_snapshot(on.app, "connecting")


@at_every_size
async def test_live(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await conversation(on)
        on.chat.tell(Typing("main", True, "ben"))
        await painted(on)
        screen_snapshot(on.app, "live")


@at_every_size
async def test_link_lost(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await conversation(on)
        await on.lose("the server hung up", retry_in=5)
        await on.second()
        await on.write("is anybody there?")
        await painted(on)
        screen_snapshot(on.app, "link-lost")


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_failed_message(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await conversation(on)
        await on.write(
            "the rollback is through, checkout is back to normal on all three nodes and the queue has drained"
        )
        key = f"key-{on.chat.keys}"
        reason = "this room is read-only"
        on.chat.tell(Delivery(key, "failed"), Undeliverable(key, "main", on.chat.said[key], reason))
        await on.write("can anybody read this?")
        await painted(on)
        screen_snapshot(on.app, "failed")
        await on.press("f5")
        await on.shows("R retry")
        screen_snapshot(on.app, "not-sent")


@at_every_size
async def test_caught_up_and_gap(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await conversation(on)
        await on.lose(retry_in=3)
        on.clock.advance(3)
        seq, status = on.chat.seq["main"], on.status.seq
        on.chat.tell(Link(LinkState.LIVE, down_for=3.0))
        on.chat.tell(Resume("main", Outcome.CAUGHT_UP, EPOCH, seq, seq + 1))
        on.chat.event("ben", "you missed nothing", on.clock.ms, replayed=True)
        on.chat.tell(CaughtUp("main", Outcome.CAUGHT_UP, 1))
        on.status.tell(Link(LinkState.LIVE, down_for=3.0))
        on.status.tell(StatusResume(Outcome.CAUGHT_UP, EPOCH, status, status))
        on.status.tell(CaughtUp(None, Outcome.CAUGHT_UP, 0))
        await painted(on)
        screen_snapshot(on.app, "caught-up")
        await on.lose(retry_in=3)
        on.clock.advance(90)
        lost = Lost(seq + 1, seq + 14)
        on.chat.seq["main"] = seq + 13
        on.chat.tell(Link(LinkState.LIVE, down_for=90.0))
        on.chat.tell(Resume("main", Outcome.GAP, EPOCH, seq + 13, seq + 14, lost))
        on.chat.event("ben", "that was a long one", on.clock.ms, replayed=True)
        on.chat.tell(CaughtUp("main", Outcome.GAP, 1, lost))
        on.status.tell(Link(LinkState.LIVE, down_for=90.0))
        on.status.tell(StatusResume(Outcome.RESET, "zzzzzzzz", 0, 0), CaughtUp(None, Outcome.RESET, 0))
        await painted(on)
        screen_snapshot(on.app, "gap")


@at_every_size
async def test_the_status_pane_alone(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await conversation(on)
        if on.room.split:
            await on.press("f11")
        await on.press("f6")
        on.chat.event("ben", "are you looking at the graphs?", on.clock.ms)
        await painted(on)
        screen_snapshot(on.app, "status-alone")


@at_every_size
async def test_the_chat_alone_with_the_roster(
    stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot
) -> None:
    async with stage(size) as on:
        await conversation(on)
        if on.room.split:
            await on.press("f11")
        await on.press("f3")
        await on.write("/away lunch")
        await painted(on)
        screen_snapshot(on.app, "chat-alone")


@at_every_size
async def test_two_rooms(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await conversation(on)
        await on.write("/join ops")
        on.chat.joined("ops", topic="who carries the pager")
        on.chat.event("eva", "handing over to ben", on.clock.ms, room="ops")
        on.chat.event("ben", "lunch?", on.clock.ms, room="main")
        await painted(on)
        await on.press(*"/jion")
        await on.press("enter")
        await painted(on)
        screen_snapshot(on.app, "two-rooms")


@at_every_size
async def test_empty_room(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await on.live()
        await painted(on)
        screen_snapshot(on.app, "empty-room")


@at_every_size
async def test_wide_characters(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await on.live(
            topic="障害4711：チェックアウトの遅延について話し合うための部屋です。どなたでもご参加ください。",
            members=[Member("ana", "here"), Member("はなこ", "here"), Member("김철수", "away", "점심")],
        )
        at = on.clock.ms - 60_000
        on.chat.event("はなこ", "デプロイ後に遅延が上がっています。ダッシュボードを確認してください。" * 3, at)
        on.chat.event("김철수", "확인했습니다. 지연 시간이 80밀리초로 돌아왔습니다 🎉🎉", at)
        on.chat.event("👩‍💻dev", "👩‍💻 family 👨‍👩‍👧‍👦 flags 🇩🇪🇯🇵 skin 👍🏽 combining e\u0301 n\u0303 z\u0335", at)
        on.chat.event("عمر", "مرحبا بالجميع، هل كل شيء على ما يرام؟", at)
        on.chat.event("a_nick_of_thirty_two_characters_x", "x" * 300, at)
        on.status.samples(on.clock.ms, 60, host="データベース")
        on.status.event("notice", Notice("バックアップが遅れています 🐢", "warning", "cron"))
        await on.press("f3")
        await painted(on)
        screen_snapshot(on.app, "wide-characters")


@at_every_size
async def test_help(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await conversation(on)
        await painted(on)
        await on.press("f1")
        await on.shows("pushtui · help")
        screen_snapshot(on.app, "help")


@at_every_size
async def test_palette(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await conversation(on)
        await painted(on)
        await on.press("ctrl+p")
        await on.shows("retry now")
        await on.pilot.pause()
        screen_snapshot(on.app, "palette")


@at_every_size
async def test_prompt(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await on.live()
        await on.press("ctrl+p")
        await on.press(*"/mark")
        await on.shows("put a mark")
        await on.press("enter", "enter")
        await on.shows("/mark TEXT")
        await on.press("enter")
        await on.shows("needs something")
        screen_snapshot(on.app, "prompt")


@at_every_size
async def test_connect(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size, address=None) as on:
        await on.shows("a team room")
        screen_snapshot(on.app, "connect")


@at_every_size
async def test_connect_failed(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await on.until(lambda: on.cast.chats)
        on.chat.tell(Link(LinkState.LOST, "no server at 127.0.0.1:8765", retry_in=0.5))
        await on.shows("pushtui serve")
        screen_snapshot(on.app, "connect-failed")


@at_every_size
async def test_a_token_that_ended(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await conversation(on)
        refused = Link(LinkState.REFUSED, "this token has expired", code=4500)
        on.chat.tell(refused)
        on.status.tell(refused)
        await on.shows("Another token for")
        await painted(on)
        await on.press(*"ptk_")
        screen_snapshot(on.app, "token")


@pytest.mark.parametrize("theme", ["pushtui-day", "ansi-dark", "ansi-light"])
async def test_themes(stage: type[Stage], screen_snapshot: Snapshot, theme: str) -> None:
    async with stage((120, 36)) as on:
        on.app.theme = theme
        await conversation(on)
        await painted(on)
        screen_snapshot(on.app, f"theme-{theme}")
