"""Who is here: a slim column beside the conversation."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from pushtui.protocol.messages import Member
from tui.widgets.wrapping import clean


class Roster(VerticalScroll):
    """Those who are here, then those who are away, by name; each state has a sign."""

    DEFAULT_CSS = """
    Roster {
        width: 22;
        padding: 0 1;
        color: $text-muted;
        &:ansi { text-style: dim; }
        border-left: solid $foreground 20%;
        scrollbar-size: 1 1;
        display: none;
    }
    """

    can_focus = False

    def __init__(self) -> None:
        super().__init__()
        self._members: list[Member] = []
        self._me = ""

    def compose(self) -> ComposeResult:
        """One text for all of them."""
        yield Static("")

    def show(self, members: Iterable[Member], me: str) -> None:
        """Show these, if they are others than before; one of them is ``me``."""
        ordered = sorted(members, key=lambda member: (member.state != "here", member.nick.casefold()))
        if (ordered, me) != (self._members, self._me):
            self._members, self._me = ordered, me
            self.query_one(Static).update(Content("\n").join([_line(member, me) for member in ordered]))


def _line(member: Member, me: str) -> Content:
    you = " (you)" if member.nick == me else ""
    nick = clean(member.nick)
    if member.state == "here":
        return Content.assemble(("• ", "$text-success"), (nick, "not dim $foreground"), you)
    return Content.assemble(f"◦ {nick}{you} ", (clean(member.text or "away"), "italic"))
