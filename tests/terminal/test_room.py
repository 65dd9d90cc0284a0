"""Start, type, look: what somebody does with the screen, in a real terminal."""

import signal

import pytest

from tests.terminal.conftest import PUSHTUI, Served, Terminal


def enter(terminal: Terminal, served: Served, *, nick: str = "ana") -> None:
    terminal.run(f"{PUSHTUI} connect {served.url} --nick {nick}")
    terminal.shows("say something", "⇄ websocket · ◉ live")


def stored(screen: str, text: str) -> bool:
    """Whether an own message is on the screen as stored."""
    return any(text in line and "✓" in line for line in screen.split("\n"))


def test_what_one_says_is_stored_and_both_flows_arrive(terminal: Terminal, served: Served) -> None:
    enter(terminal, served)
    terminal.shows("← server-sent events · ◉ live", "cpu", "mem")
    terminal.type("hello from a terminal")
    terminal.press("Enter")
    assert stored(terminal.shows("hello from a terminal", "✓"), "hello from a terminal")
    served.post("/rooms/main", "and hello from curl")
    served.post("/notices", "backup is late")
    terminal.shows("and hello from curl", "backup is late")
    terminal.press("C-q")
    terminal.shows("ended with 0", without="websocket")


def test_a_dead_server_is_seen_what_is_said_meanwhile_is_kept_and_the_outcome_is_painted(
    terminal: Terminal, served: Served
) -> None:
    enter(terminal, served)
    terminal.type("before")
    terminal.press("Enter")
    terminal.shows("✓")
    served.stop(signal.SIGKILL)
    terminal.shows("lost", "retry in")
    terminal.type("while it was away")
    terminal.press("Enter")
    terminal.shows("while it was away", "…")
    served.start()
    terminal.press("C-r")
    screen = terminal.shows("link lost for", "caught up, 0 replayed", "while it was away", without="retry in")
    assert screen.count("while it was away") == 1
    terminal.shows("while it was away")
    assert stored(screen, "before")


def test_a_paste_keeps_its_lines_and_is_one_message(terminal: Terminal, served: Served) -> None:
    enter(terminal, served)
    terminal.paste("first line\nsecond line\nthird line")
    terminal.shows("first line", "second line", "third line")
    terminal.press("Enter")
    screen = terminal.shows("third line", "✓", "say something")
    assert screen.count("✓") == 1


@pytest.mark.parametrize("terminal", [(80, 24)], indirect=True)
def test_a_small_terminal_has_tabs_and_a_large_one_panes_and_the_draft_stays(
    terminal: Terminal, served: Served
) -> None:
    enter(terminal, served)
    terminal.type("half a sentence")
    screen = terminal.shows("[chat]", "status", "half a sentence")
    assert "server-sent events" not in screen
    assert len(screen.rstrip("\n").split("\n")) <= 24
    terminal.press("F6")
    terminal.shows("← server-sent events", "cpu", without="half a sentence")
    terminal.resize(140, 40)
    terminal.shows("⇄ websocket", "← server-sent events", "half a sentence")
    terminal.resize(80, 24)
    terminal.press("F6")
    terminal.shows("half a sentence", without="server-sent events")


def test_escape_sequences_from_others_are_painted_not_obeyed(terminal: Terminal, served: Served) -> None:
    enter(terminal, served)
    served.post("/rooms/main", "\x1b[2J\x1b[1;1Hgotcha \x9b31m \x1b]0;title\x07 end of it")
    screen = terminal.shows("gotcha", "end of it")
    assert "⇄ websocket" in screen
    assert "say something" in screen


def test_a_held_key_and_garbage_do_no_harm(terminal: Terminal, served: Served) -> None:
    enter(terminal, served)
    for _ in range(20):
        terminal.type("x" * 20)
    terminal.press("F99", "M-[", "C-]", "C-\\", "Escape")
    terminal.press("Enter")
    terminal.shows("xxxxxxxx", "✓", "say something")


def test_without_a_server_the_screen_asks_again_and_keeps_what_was_typed(
    terminal: Terminal, served: Served
) -> None:
    served.stop()
    terminal.run(f"{PUSHTUI} connect {served.url} --nick ana")
    terminal.shows("no server at", "pushtui serve", "ana")
    served.start()
    terminal.press("Enter")
    terminal.shows("⇄ websocket · ◉ live")
    terminal.press("C-q")
    terminal.shows("ended with 0")


def test_the_demo_plays_and_leaves_nothing(terminal: Terminal) -> None:
    terminal.run(f"{PUSHTUI} demo")
    terminal.shows("⇄ websocket · ◉ live", "← server-sent events · ◉ live", "deploy v1.4")
    terminal.press("C-q")
    terminal.shows("ended with 0", without="websocket")
