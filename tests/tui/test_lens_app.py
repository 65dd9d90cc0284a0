"""The lens over the whole screen, as inspect and replay open it."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from pushtui.client.inspection import NoFlowError, NoServerError
from pushtui.exits import CommandError, Exit
from pushtui.wire.records import Response, Wait
from tests.tui.lens_records import chat, frame, stream, stream_head, upgrade
from tests.tui.lens_stage import LensStage, told
from tui.lens.legend import LegendScreen
from tui.lens.send_line import SendLine


async def test_it_shows_what_passes_from_the_beginning() -> None:
    async with LensStage() as on:
        assert "◌ connecting" in on.text
        await on.passes(*upgrade())
        await on.shows("⇄ websocket · ◉ live")
        assert "Sec-WebSocket-Key" in on.text
        await on.passes(*chat()[:-1])
        await on.shows("■ closed · 1012 restart")
        await on.passes(chat()[-1])
        await on.shows("○ lost · retry in 2 s")


async def test_an_event_stream_has_its_own_columns_and_no_line_to_send() -> None:
    async with LensStage(title="http://127.0.0.1:8765/status", sends=False) as on:
        await on.passes(*stream_head(), *stream())
        await on.shows("← server-sent events")
        assert "Last-Event-ID" in on.text
        assert "bytes  line" in on.text
        assert not on.app.query(SendLine)


async def test_a_recording_tells_what_flows() -> None:
    async with LensStage(title="friday.jsonl", sends=False) as on:
        await on.shows("← server-sent events")
        await on.passes(*upgrade(), *chat())
        await on.shows("⇄ websocket")
        assert "mask" in on.text
        assert "⇄ 1." in on.text
        await on.passes(None)
        await on.shows("■ closed · that is the end")


async def test_text_is_sent_and_recalled() -> None:
    async with LensStage() as on:
        await on.passes(*upgrade())
        await on.press_in_line("hello")
        await on.until(lambda: on.sent == ["hello"])
        await on.pilot.press("up")
        assert on.app.query_one(SendLine).query_one(Input).value == "hello"
        await on.pilot.press("down")
        assert on.app.query_one(SendLine).query_one(Input).value == ""


async def test_bytes_are_sent_by_their_prefix_or_by_the_key() -> None:
    async with LensStage() as on:
        await on.passes(*upgrade())
        await on.press_in_line("0x00 ff")
        await on.until(lambda: on.sent == [b"\x00\xff"])
        await on.pilot.press("ctrl+b")
        await on.shows("binary")
        await on.press_in_line("68 69")
        await on.until(lambda: on.sent[1:] == [b"hi"])
        await on.press_in_line("xyz")
        await on.until(lambda: "bytes are pairs of hexadecimal digits" in told(on))
        assert len(on.sent) == 2
        assert on.app.query_one(SendLine).query_one(Input).value == "xyz"


async def test_what_cannot_be_sent_comes_back() -> None:
    async with LensStage() as on:
        on.refused = "there is no connection"
        await on.press_in_line("hello")
        await on.until(lambda: "there is no connection" in told(on))
        assert on.app.query_one(SendLine).query_one(Input).value == "hello"


async def test_ctrl_r_begins_anew_and_keeps_what_was_captured() -> None:
    async with LensStage() as on:
        await on.passes(*upgrade(), frame(5.0, "down", 1, b"of the first"))
        await on.shows("of the first")
        await on.pilot.press("ctrl+r")
        await on.until(lambda: len(on.sources) == 2 and on.ended == 1)
        await on.passes(*upgrade(), frame(1.0, "down", 1, b"of the second"))
        await on.shows("of the second")
        assert [entry.record.at for entry in on.panel.capture.shown][-1] == 6.0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoServerError("no server at 127.0.0.1:1"), Exit.NO_SERVER),
        (NoFlowError("no WebSocket at 127.0.0.1:1: HTTP 404"), Exit.REFUSED),
        (CommandError(Exit.CANNOT_START, "recording has failed: no space"), Exit.CANNOT_START),
        (ValueError("odd"), Exit.UNEXPECTED),
    ],
)
async def test_what_went_wrong_is_told_and_is_the_exit_code(error: Exception, code: Exit) -> None:
    async with LensStage() as on:
        await on.passes(error)
        await on.until(lambda: str(error) in told(on))
        await on.shows("✕ refused")
        await on.pilot.press("ctrl+q")
        await on.until(lambda: on.app.return_value == code)


async def test_what_was_there_once_ends_fine() -> None:
    async with LensStage() as on:
        await on.passes(*upgrade(), NoServerError("gone"))
        await on.shows("■ closed · gone")
        await on.pilot.press("ctrl+q")
        await on.until(lambda: on.app.return_value == Exit.FINE)


async def test_a_refusal_is_told_at_the_head() -> None:
    async with LensStage() as on:
        await on.passes(upgrade()[0], Response(0.1, "HTTP/1.1", 403, "Forbidden", []))
        await on.shows("✕ refused · HTTP 403")


async def test_a_countdown() -> None:
    async with LensStage() as on:
        await on.passes(Wait(0.0, 5.0, "nobody is there"))
        await on.shows("retry in 5 s")
        on.clock.advance(2)
        on.app.tick()
        await on.shows("retry in 3 s")


async def test_many_records_at_once_leave_the_keys_alive() -> None:
    async with LensStage() as on:
        await on.passes(*(frame(0.0, "down", 1, f"message {number}".encode()) for number in range(12_000)))
        await on.shows("message 11999")
        await on.shows("2000 dropped")
        await on.pilot.press("f1")
        await on.until(lambda: isinstance(on.app.screen, LegendScreen))


async def test_nothing_of_the_title_is_markup_or_drives_the_terminal() -> None:
    async with LensStage(title="ws://x/[@click=app.quit]y[/]\x1b[2J") as on:
        assert "[@click=app.quit]y[/]" in on.text
        assert "\x1b" not in on.text
