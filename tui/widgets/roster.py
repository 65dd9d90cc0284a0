"""Who is here: a slim column beside the conversation."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from pushtui.protocol.messages import Member
from tui.state.rates import grouped
from tui.widgets.wrapping import clean


class Roster(VerticalScroll):
    """Those who are here, then those who are away, by name, then how many more; each state has a sign."""

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
        self._more = 0

    def compose(self) -> ComposeResult:
        """One text for all of them."""
        yield Static("")

    def show(self, members: Iterable[Member], me: str, more: int = 0) -> None:
        """Show these, if they are others than before; one of them is ``me``, and ``more`` have no name here."""
        ordered = sorted(members, key=lambda member: (member.state != "here", member.nick.casefold()))
        if (ordered, me, more) != (self._members, self._me, self._more):
            self._members, self._me, self._more = ordered, me, more
            lines = [_line(member, me) for member in ordered]
            if more:
                lines.append(Content(f"and {grouped(more)} more"))
            self.query_one(Static).update(Content("\n").join(lines))


def _line(member: Member, me: str) -> Content:
    you = " (you)" if member.nick == me else ""
    nick = clean(member.nick)
    if member.state == "here":
        return Content.assemble(("• ", "$text-success"), (nick, "not dim $foreground"), you)
    return Content.assemble(f"◦ {nick}{you} ", (clean(member.text or "away"), "italic"))
