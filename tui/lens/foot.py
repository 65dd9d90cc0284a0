"""What stands below the records: how many, what is left out, and what both flows cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from tui.widgets.pane_head import Line, Part, fit
from tui.widgets.wrapping import clean

if TYPE_CHECKING:
    from pushtui.wire.overhead import Overhead
    from pushtui.wire.records import Flow
    from tui.lens.capture import Capture

ARROWS: dict[Flow, str] = {"websocket": "⇄", "sse": "←", "http": "←"}
_KEYS = "F1 legend  / filter  space pause  enter unfold  f find  s save"


class Account(NamedTuple):
    """Both lines."""

    captured: Line
    cost: Line


def account(
    capture: Capture, needle: str, flow: Flow, costs: Mapping[Flow, Overhead], *, focused: bool = True
) -> Account:
    """Say what is captured, and what it cost.

    Args:
        capture: what was captured.
        needle: what is searched for.
        flow: what flows here.
        costs: those that are compared, in the order in which they are shown.
        focused: whether the keys of the lens do something at the moment.
    """
    left = []
    if capture.paused:
        left += [Part("‖ paused", "bold $text-warning"), Part(f"{capture.new} new · space goes on", gap=" · ")]
    if said := capture.filter.said:
        left.append(Part(f"only {clean(said)}", "$text-primary", gap=" · "))
    if needle:
        left.append(Part(f"find “{clean(needle)}” n N", gap=" · "))
    if not left:
        left.append(Part(_KEYS if focused else "tab or a click comes here", shed=9))
    shown, passed = len(capture.shown), capture.passed
    count = f"{shown} of {passed} shown" if capture.filter.said else f"{passed} record{'s' * (passed != 1)}"
    right = [Part(count, shed=1)]
    if capture.dropped:
        right.append(Part(f"{capture.dropped} dropped", "$text-warning", shed=2))
    figures = []
    for number, (one, cost) in enumerate(costs.items()):
        ratio = "–" if cost.ratio is None else f"{cost.ratio:.2f}"
        figures += [
            Part(ARROWS[one], "bold $primary", gap=" · "),
            Part(ratio, "$foreground", gap=" "),
        ]
        if number == 0:
            figures.append(Part("wire bytes per useful byte", gap=" ", shed=2))
    more = costs[flow].per_message
    each = "message" if flow == "websocket" else "event"
    extra = () if more is None else (Part(f"{more:+.0f} B each {each}", shed=3),)
    return Account(Line(tuple(left), tuple(right)), Line(tuple(figures), extra))


class Foot(Widget):
    """Paints an `Account`, and is repainted only when it says something else."""

    DEFAULT_CSS = """
    Foot {
        height: 3;
        padding: 0 1;
        color: $text-muted;
        border-top: solid $foreground 20%;
        &:ansi { text-style: dim; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._account = Account(Line(()), Line(()))

    def show(self, account: Account) -> None:
        """Show this from now on."""
        if account != self._account:
            self._account = account
            self.refresh()

    def render(self) -> RenderResult:
        """Both lines, laid out for the present width."""
        width = self.content_size.width
        return Content("\n").join([fit(self._account.captured, width), fit(self._account.cost, width)])
