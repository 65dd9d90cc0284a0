"""Links that come, go, count down and end; and what becomes of what was said meanwhile."""

from pushtui.client.happenings import CaughtUp, Delivery, Link, LinkState
from pushtui.protocol.messages import Error, Resume
from pushtui.protocol.positions import Lost, Outcome
from tests.tui.scripted import EPOCH
from tests.tui.stage import Stage


async def test_the_heads_say_how_each_flow_comes(stage: type[Stage]) -> None:
    async with stage((170, 20)) as on:
        await on.shows("⇄ websocket · ◌ connecting")
        await on.shows("← server-sent events · ◌ connecting")
        await on.live(topic="incident 4711")
        on.chat.event("ben", "hello", on.clock.ms)
        on.status.samples(on.clock.ms, 5)
        await on.shows("status · ops-1")
        assert on.line(0).startswith(" main · incident 4711")
        assert "1 here" in on.line(0)
        assert "14:07:31" in on.line(0)
        for _ in range(5):
            await on.second()
        await on.shows("14:07:36")
        chat, status = on.head("chat"), on.head("status")
        assert "12.0 ms" in chat
        assert "…1001" in chat
        assert "retry 3 s" in status
        assert "…5505" in status


async def test_rates_are_counted_from_the_traffic(stage: type[Stage]) -> None:
    async with stage((140, 20)) as on:
        await on.live()
        await on.second()
        for _ in range(4):
            on.chat.traffic.received_frames += 3
            on.chat.traffic.sent_frames += 1
            on.status.traffic.received_frames += 1
            await on.second()
        await on.until(lambda: "↑  1.0/s  ↓  3.0/s" in on.head("chat"))
        await on.until(lambda: "↓  1.0/s" in on.head("status"))


async def test_a_lost_link_is_told_and_counts_down(stage: type[Stage]) -> None:
    async with stage((140, 20)) as on:
        await on.live()
        await on.lose(retry_in=4.0)
        await on.shows("⇄ websocket · ○ lost · retry in 4 s")
        await on.shows("← server-sent events · ○ lost · retry in 4 s")
        await on.second()
        await on.shows("⇄ websocket · ○ lost · retry in 3 s")
        for _ in range(3):
            await on.second()
        await on.shows("○ lost · retrying")
        await on.shows("the server hung up")
        on.chat.tell(Link(LinkState.CONNECTING, attempt=2))
        await on.shows("◌ connecting · try 2")


async def test_what_is_said_while_the_link_is_down_waits_and_then_arrives(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.lose()
        await on.write("are you still there?")
        assert on.chat.calls[-1] == ("say", "main", "are you still there?")
        await on.until(lambda: any("still there?" in line and "…" in line for line in on.text.split("\n")))
        on.clock.advance(3)
        on.chat.tell(
            Link(LinkState.LIVE, down_for=3.0),
            Resume("main", Outcome.CAUGHT_UP, EPOCH, 1000, 1007),
        )
        for number in range(7):
            on.chat.event("ben", f"meanwhile {number}", on.clock.ms, replayed=True)
        on.chat.tell(CaughtUp("main", Outcome.CAUGHT_UP, 7))
        on.chat.tell(Delivery("key-1", "sent"))
        await on.shows("link lost for 3 s · caught up, 7 replayed")
        on.chat.stored("key-1", "are you still there?", on.clock.ms)
        await on.until(lambda: any("still there?" in line and "✓" in line for line in on.text.split("\n")))
        assert on.text.count("still there?") == 1


async def test_a_gap_and_a_reset_are_painted_as_lines(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        on.chat.tell(
            Resume("main", Outcome.GAP, EPOCH, 1012, 1012, Lost(1000, 1013)),
            CaughtUp("main", Outcome.GAP, 0, Lost(1000, 1013)),
        )
        await on.shows("gap: 12 lost")
        on.chat.tell(Resume("main", Outcome.RESET, "zzzzzzzz", 3, 3), CaughtUp("main", Outcome.RESET, 0))
        await on.shows("the log was reset")


async def test_retry_now_asks_both_clients(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.lose()
        await on.press("ctrl+r")
        assert ("retry_now",) in on.chat.calls
        assert ("retry_now",) in on.status.calls


async def test_an_error_of_the_server_is_told_above_the_composer_until_one_can_have_read_it(
    stage: type[Stage],
) -> None:
    async with stage() as on:
        await on.live()
        on.chat.tell(Error("not_allowed", "not here, please"))
        await on.shows("not here, please")
        await on.press("x")
        for _ in range(2):
            await on.second()
            await on.shows("not here, please")
        await on.second()
        await on.hides("not here, please")


async def test_a_refusal_after_all_went_well_stays_in_the_room_and_can_be_begun_anew(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        on.chat.event("ben", "old words", on.clock.ms)
        await on.write("not stored yet")
        on.chat.tell(Link(LinkState.REFUSED, "another connection of this session took over", code=4504))
        on.chat.end()
        await on.shows("✕ refused · another connection")
        await on.write("too late")
        await on.shows("the link has ended: ctrl+r begins anew")
        assert on.composer.text == "too late"
        await on.press("ctrl+r")
        await on.until(lambda: len(on.cast.chats) == 2)
        assert on.composer.text == "not stored yet\ntoo late"
        on.chat.welcome()
        on.chat.event("ben", "new words", on.clock.ms, replayed=True)
        on.chat.caught_up(1)
        await on.shows("new words")
        assert "old words" not in on.text


async def test_a_client_that_breaks_is_told_and_the_other_pane_goes_on(stage: type[Stage]) -> None:
    async with stage((140, 20)) as on:
        await on.live()
        on.status.fail(RuntimeError("a fault [/b] nobody foresaw"))
        await on.shows("the status stream stopped: a fault [/b]")
        await on.shows("■ closed · it stopped:")
        on.chat.event("ben", "still talking", on.clock.ms)
        await on.shows("still talking")
        await on.press("ctrl+r")
        await on.until(lambda: len(on.cast.statuses) == 2)
        on.status.live()
        await on.until(lambda: on.text.count("◉ live") == 2)


async def test_leaving_with_something_unstored_is_asked_about_once(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.lose()
        await on.write("is anybody there?")
        await on.press("ctrl+q")
        await on.shows("not stored yet: 1 of your messages")
        assert on.app.is_running
        await on.press("ctrl+q")
    assert on.app.return_value == 0


async def test_leaving_does_not_ask_about_what_is_kept(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.until(lambda: on.cast.chats)
        on.chat.kept = True
        await on.live()
        await on.lose()
        await on.write("is anybody there?")
        await on.press("ctrl+q")
        await on.until(lambda: not on.app.is_running)
        (said,) = on.app._exit_renderables
    assert str(said) == "not stored yet: 1 of your messages. Kept, and sent when you come back as ana."
    assert on.app.return_value == 0


async def test_that_nothing_is_kept_is_told_quietly(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        on.chat.tell(Error("not_kept", "what you say is lost if this ends before it is stored: the disk is full"))
        await on.shows("what you say is lost if this ends")
        below = on.room.query_one("#below")
        assert not below.has_class("note")
        on.chat.tell(Error("not_allowed", "not here, please"))
        await on.shows("not here, please")
        assert below.has_class("note")


async def test_leaving_closes_both_clients(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        chat, status = on.chat, on.status
        await on.press("ctrl+q")
    assert chat.left.is_set()
    assert status.left.is_set()
    assert on.app.return_value == 0
