"""The status pane below its head: hosts, then notices."""

from __future__ import annotations

from datetime import tzinfo
from typing import ClassVar, Self

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui.state.status import StatusState
from tui.widgets.host_overview import HostOverview
from tui.widgets.line_view import LineView
from tui.widgets.notice_list import NoticeList
from tui.widgets.spans import Span

_LEAST_NOTICES = 4


class StatusBoard(Vertical):
    """Shows a `StatusState`: hosts in as much detail as there is room for, below them what was pushed.

    The form is chosen by itself: high graphs and lists for few hosts in a high pane, a panel of about ten
    lines each, or a table of one line each when they are many, with one of them in full where there is room.

    Args:
        address: of the server, told to whoever has no notices yet.
        zone: for the times of notices; the machine's own when none is given.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "pick(-1)", "previous host", show=False),
        Binding("right", "pick(1)", "next host", show=False),
        Binding("escape", "pick_none", "all hosts", show=False),
    ]

    DEFAULT_CSS = """
    StatusBoard {
        & > #hosts { height: 1; }
        & > #notices { height: 1fr; border-top: solid $foreground 20%; }
        & > #notices:focus { border-top: solid $primary; }
    }
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8765",
        *,
        zone: tzinfo | None = None,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self._zone = zone
        self._address = address
        self._state = StatusState()
        self._now_ms = 0
        self._overview = HostOverview()

    def compose(self) -> ComposeResult:
        """Hosts above, notices below."""
        yield LineView(id="hosts")
        yield NoticeList(self._zone, id="notices")

    def show(self, state: StatusState, now_ms: int) -> None:
        """Paint what changed. To be called after happenings, and once a second for the ages.

        Args:
            state: what is known; it is kept, to be laid out again when the size changes.
            now_ms: the time here, in ms since the epoch.
        """
        self._state, self._now_ms = state, now_ms
        self._lay_out()

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the keys to what they can scroll: the hosts if there are too many to show, else the notices."""
        hosts = self.query_one("#hosts", LineView)
        target = hosts if hosts.can_focus else self.query_one(NoticeList)
        target.focus(scroll_visible)
        return self

    def action_pick(self, step: int) -> None:
        """Show the next host in full, or the one before."""
        names, shown = list(self._state.hosts), self._overview.shown
        at = names.index(shown) if shown in names else -1 if step > 0 else 0
        self._pick(names[(at + step) % len(names)])

    def action_pick_none(self) -> None:
        """Show all hosts again."""
        self._pick(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Picking is for tables only; what is not picked cannot be put back."""
        match action:
            case "pick":
                return self._overview.is_table and bool(self._state.hosts)
            case "pick_none":
                return self._overview.is_table and self._overview.picked is not None
        return True

    def on_line_view_clicked(self, message: LineView.Clicked) -> None:
        """A click on a host's line picks it."""
        message.stop()
        if message.view.id == "hosts" and (name := self._overview.host_at(message.line)):
            self._pick(name)

    def on_resize(self) -> None:
        """Choose the form anew."""
        self.call_after_refresh(self._lay_out)

    def _pick(self, name: str | None) -> None:
        self._overview.picked = name
        self._lay_out()

    def _lay_out(self) -> None:
        if not self.is_mounted or self.size.width == 0:
            return
        hosts, notices = self.query_one("#hosts", LineView), self.query_one(NoticeList)
        state, room = self._state, max(1, self.size.height - 1 - max(_LEAST_NOTICES, self.size.height // 4))
        if state.hosts:
            lines = self._overview.lines(state.hosts, self.size.width, room, self._now_ms, live=state.live)
        else:
            lines = [[Span(" No host has reported yet.", "muted")]]
        height = min(len(lines), room)
        if hosts.styles.height is None or hosts.styles.height.value != height:
            hosts.styles.height = height
        hosts.can_focus = len(lines) > height
        hosts.set_lines(lines)
        hint = f"No notices lately. Send one: curl -d 'backup is late' {self._address}/notices"
        notices.show(state.notices, state.noted, hint)
