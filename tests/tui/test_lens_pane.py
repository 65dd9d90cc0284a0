"""The lens in the room: F2 and back, and what one can do in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pushtui.client.happenings import Link, LinkState
from pushtui.wire.recording import Recording
from tests.tui.lens_records import chat, frame, upgrade
from tests.tui.lens_stage import chat_passes, opened, painted, stream_passes, told
from tests.tui.stage import Stage
from tui.lens.legend import LegendScreen
from tui.lens.prompt import Prompt
from tui.screens.help import HelpScreen
from tui.widgets.timeline import Timeline


async def test_f2_turns_a_pane_to_bytes_and_back(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        chat_passes(on)
        assert not on.chat.watch.on
        panel = await opened(on)
        await on.shows("101 Switching Protocols")
        assert on.chat.watch.on
        assert not on.status.watch.on
        assert " wire " in on.head("chat")
        assert " wire " not in on.head("status")
        assert "⇄" in on.head("chat")
        assert "◉ live" in on.head("chat")
        on.chat.watch.tell(frame(1.0, "down", 1, b"just now"))
        await on.shows("just now")
        await on.press("f2")
        await on.hides("101 Switching Protocols")
        assert not on.chat.watch.on
        assert not panel.is_attached
        assert " wire " not in on.head("chat")
        assert on.composer.has_focus
        assert on.room.query_one(Timeline).display


async def test_the_other_pane_goes_on(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        await opened(on)
        on.status.samples(on.clock.ms, 3)
        await on.shows("ops-1")
        await opened(on, "status")
        stream_passes(on)
        on.chat.event("ben", "are you there?", on.clock.ms)
        await on.shows("event sample is dispatched")
        await on.press("f2")
        await on.press("f6")
        await on.press("f2")
        await on.shows("are you there?")


async def test_what_comes_while_the_lens_is_open_is_not_taken_for_read(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        await opened(on)
        on.chat.event("ben", "unseen", on.clock.ms)
        view = on.room.chat.view
        await on.until(lambda: on.chat.idle and view.unread == 1)
        on.room.chat._drain.now()
        assert view.unread == 1
        await on.press("f2")
        await on.until(lambda: view.unread == 0)


async def test_a_click_on_the_arrow_does_the_same(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        await on.pilot.click("#status PaneHead", offset=(1, 1))
        await on.until(lambda: on.room.status.lens.on)
        await on.until(lambda: on.room.status.lens.panel and on.room.status.lens.panel.view.has_focus)
        await on.pilot.click("#status PaneHead", offset=(1, 1))
        await on.until(lambda: not on.room.status.lens.on)


async def test_the_palette_has_it(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        await on.press("ctrl+p", *"wire", "enter")
        await on.until(lambda: on.room.chat.lens.on)


async def test_f1_explains_what_one_sees(stage: type[Stage]) -> None:
    async with stage((120, 40)) as on:
        await on.live()
        await opened(on)
        await on.press("f1")
        await on.until(lambda: isinstance(on.app.screen, LegendScreen))
        await on.shows("RFC 6455")
        await on.press("escape")
        await on.press("f2", "f1")
        await on.until(lambda: isinstance(on.app.screen, HelpScreen))
        assert "to the byte" in on.text


async def test_enter_and_clicks_unfold_and_fold(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        panel = await opened(on)
        on.chat.watch.tell(frame(1.0, "up", 1, b'{"type":"send"}'))
        await on.shows('{"type":"send"}')
        await on.press("enter")
        await on.shows("the key of the mask")
        await on.press("enter")
        await on.hides("the key of the mask")
        await on.pilot.click(panel.view, offset=(20, 0))
        await on.shows("the key of the mask")
        await on.pilot.click(panel.view, offset=(20, 3))  # among the details, to select them
        await on.pilot.pause()
        assert "the key of the mask" in on.text


async def test_it_follows_until_one_looks_up(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        panel = await opened(on)
        for number in range(100):
            on.chat.watch.tell(frame(float(number), "down", 1, f"message {number}".encode()))
        await on.shows("message 99")
        await on.press("pageup", "pageup", "up")
        at = panel.view.current
        top = on.line(4)
        for number in range(100, 120):
            on.chat.watch.tell(frame(float(number), "down", 1, f"message {number}".encode()))
        await on.shows("▼ 20 new · End")
        assert panel.view.current == at
        assert on.line(4) == top
        await on.press("end")
        await on.shows("message 119")
        assert panel.view.following
        await on.press("home")
        await on.shows("message 0")
        await on.press("down", "down")
        assert panel.view.current is not None
        assert panel.view.current.number == 3


async def test_the_place_is_kept_when_the_oldest_give_way(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        panel = await opened(on)
        panel.capture._most_records = 100
        for number in range(100):
            on.chat.watch.tell(frame(float(number), "down", 1, f"message {number}".encode()))
        await on.shows("message 99")
        await on.press("up", "up")
        await painted(on, panel)
        top = on.line(6)
        for number in range(100, 150):
            on.chat.watch.tell(frame(float(number), "down", 1, f"message {number}".encode()))
        await on.shows("50 dropped")
        await painted(on, panel)
        assert on.line(6) == top


async def test_filter_by_text_direction_and_kind(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        chat_passes(on)
        panel = await opened(on)
        for record in chat():
            on.chat.watch.tell(record)
        await on.press("slash", *"hello", "enter")
        await on.shows("only “hello”")
        assert [entry.payload[:16] for entry in panel.capture.shown] == ['{"type":"hello",']
        await on.press("escape", "t", "t")
        await on.shows("only control")
        await on.press("d")
        await on.shows("only ↑ up control")
        await on.press("escape")
        await on.hides("only ↑")
        assert len(panel.capture.shown) == panel.capture.passed
        assert on.room.chat.lens.on
        await on.press("escape")
        await on.until(lambda: on.composer.has_focus)


async def test_a_dropped_prompt_changes_nothing(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        panel = await opened(on)
        await on.press("slash", *"hello", "escape")
        assert panel.capture.filter.text == ""
        assert panel.view.has_focus
        assert not panel.query_one(Prompt).display


async def test_paused_it_counts(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        await opened(on)
        on.chat.watch.tell(frame(1.0, "down", 1, b"before"))
        await on.shows("before")
        await on.press("space")
        on.chat.watch.tell(frame(2.0, "down", 1, b"after"))
        await on.shows("‖ paused · 1 new")
        assert "after" not in on.text
        await on.press("space")
        await on.shows("after")
        assert "paused" not in on.text


async def test_found_with_n_and_shift_n(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        panel = await opened(on)
        for number in range(60):
            on.chat.watch.tell(frame(float(number), "down", 1, f"message {number}.".encode()))
        await on.shows("message 59.")
        await on.press("f", *"5.", "enter")
        await on.until(lambda: panel.view.current and panel.view.current.payload == "message 55.")
        await on.press("N")
        await on.until(lambda: panel.view.current and panel.view.current.payload == "message 45.")
        await on.press("n", "n")
        await on.until(lambda: panel.view.current and panel.view.current.payload == "message 5.")
        await on.press("f", *"nobody", "enter")
        await on.until(lambda: "nothing shown here has" in told(on))


async def test_copied(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        await opened(on)
        on.chat.watch.tell(frame(1.0, "up", 1, b'{"type":"send"}'))
        await on.shows('{"type":"send"}')
        await on.press("y")
        assert on.app.clipboard == '{"type":"send"}'
        await on.press("c")
        assert "text FIN masked 3fa2b1c0" in on.app.clipboard
        on.chat.watch.tell(frame(2.0, "up", 9, b""))
        await on.shows("ping")
        await on.press("end", "y")
        await on.until(lambda: "there is nothing in it to copy" in told(on))


async def test_cleared(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        await opened(on)
        on.chat.watch.tell(frame(1.0, "up", 1, b"gone soon"))
        await on.shows("gone soon")
        await on.press("x")
        await on.hides("gone soon")
        await on.shows("nothing has passed yet")


async def test_saved_as_a_recording_that_can_be_read_again(
    stage: type[Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with stage((120, 36)) as on:
        await on.live()
        chat_passes(on)
        await opened(on)
        for record in chat():
            on.chat.watch.tell(record)
        await on.press("s")
        await on.shows("pushtui-websocket-20261122-140731.jsonl")
        await on.press("enter")
        await on.until(lambda: "16 records are in" in told(on))
        path = tmp_path / "pushtui-websocket-20261122-140731.jsonl"
        assert path.stat().st_mode & 0o777 == 0o600
        with path.open("rb") as source:
            recording = Recording(source)
            assert recording.beginning.url == "ws://127.0.0.1:8765/chat"
            assert recording.beginning.flow == "websocket"
            assert list(recording) == [*upgrade(), *chat()]
        written = path.read_bytes()
        await on.press("s", "enter")
        await on.until(lambda: "exists already: take another name" in told(on))
        assert path.read_bytes() == written
        assert on.room.chat.query_one(Prompt).display
        for line in written.splitlines():
            json.loads(line)


async def test_another_client_is_looked_at_as_well(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        panel = await opened(on)
        on.chat.watch.tell(frame(5.0, "down", 1, b"of the first"))
        await on.shows("of the first")
        on.chat.tell(Link(LinkState.CLOSED, "removed by a moderator"))
        on.chat.end()
        await on.shows("■ closed")
        await on.press("ctrl+r")
        await on.until(lambda: len(on.cast.chats) == 2 and on.chat.entered.is_set())
        on.chat.tell(Link(LinkState.CONNECTING))
        await on.until(lambda: on.chat.watch.on)
        on.chat.watch.tell(frame(0.5, "down", 1, b"of the second"))
        await on.shows("of the second")
        assert "of the first" in on.text
        assert [entry.record.at for entry in panel.capture.shown] == [5.0, 5.5]


async def test_both_flows_are_compared(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        await opened(on)
        on.chat.watch.tell(frame(1.0, "down", 1, b"x" * 100))
        await on.shows("⇄ 1.02 wire bytes per useful byte · ← –")
        await opened(on, "status")
        stream_passes(on)
        await on.shows("← 1.79")
        on.room.tick()
        await on.until(lambda: on.text.count("⇄ 1.02 wire bytes per useful byte · ← 1.79") == 2)


async def test_hostile_bytes_stay_in_their_rows(stage: type[Stage]) -> None:
    async with stage((120, 36)) as on:
        await on.live()
        await opened(on)
        marks = "e" + "\u0301" * 9
        people = "\U0001f469\u200d\U0001f469\u200d\U0001f467\U0001f1e9\U0001f1ea"
        hostile = f"\x1b[2J\x9b31m\u202eabc\u2028[@click=app.quit]x[/] {marks}{people}".encode()
        for opcode in (1, 2, 8, 9):
            on.chat.watch.tell(frame(1.0, "down", opcode, hostile))
        await on.shows("4 records")
        await on.press("enter", "up", "up", "enter")
        await on.pilot.pause()
        assert "\x1b" not in on.text
        assert "\u202e" not in on.text
        for row in on.lines[:20]:
            assert row.index("┃") == on.line(0).index("┃")
