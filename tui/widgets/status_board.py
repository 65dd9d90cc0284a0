"""The status pane below its head: hosts, then notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size

from tui.state.status import StatusState
from tui.widgets.host_panel import Form, host_panel
from tui.widgets.host_table import host_table
from tui.widgets.line_view import LineView
from tui.widgets.notice_list import NoticeList
from tui.widgets.spans import Line, Span, filled

_NO_HOST = " No host has reported yet."
_LEAST_NOTICES = 4
_PANEL_COLUMNS = 50  # panels stand side by side where each has at least this much


class StatusBoard(Vertical):
    """Shows a `StatusState`: hosts in as much detail as there is room for, below them what was pushed.

    The form is chosen by itself: high graphs and lists for few hosts in a high pane, a panel of about ten
    lines each, or a table of one line each when they are many.
    """

    DEFAULT_CSS = """
    StatusBoard {
        & > #hosts { height: 1; }
        & > #notices { height: 1fr; border-top: solid $foreground 20%; }
    }
    """

    def __init__(self, address: str = "http://127.0.0.1:8765", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._address = address
        self._state = StatusState()
        self._now_ms = 0
        self._form: Form | None = None
        self._fitted: tuple[tuple[Size, int], int] | None = None

    def compose(self) -> ComposeResult:
        """Hosts above, notices below."""
        yield LineView(id="hosts")
        yield NoticeList(id="notices")

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

    def on_resize(self) -> None:
        """Choose the form anew."""
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        if not self.is_mounted or self.size.width == 0:
            return
        hosts, notices = self.query_one("#hosts", LineView), self.query_one(NoticeList)
        state = self._state
        lines = self._host_lines() if state.hosts else [[Span(_NO_HOST, "muted")]]
        height = min(len(lines), max(1, self._host_room))
        if hosts.styles.height is None or hosts.styles.height.value != height:
            hosts.styles.height = height
        hosts.can_focus = len(lines) > height
        hosts.set_lines(lines)
        hint = f"No notices yet. Send one: curl -d 'backup is late' {self._address}/notices"
        notices.show(state.notices, state.noted, hint)

    @property
    def _host_room(self) -> int:
        return self.size.height - 1 - max(_LEAST_NOTICES, self.size.height // 4)

    def _host_lines(self) -> list[Line]:
        """The hosts in the richest form that fits. It is looked for anew only when something about it changed."""
        shape = (self.size, len(self._state.hosts))
        lines = self._in_form(self._form)
        if (shape, len(lines)) == self._fitted:
            return lines
        for form in (Form.ROOMY, Form.FULL, None):
            lines = self._in_form(form)
            if (
                len(lines) <= self._host_room
                or form is None
                or (form is Form.FULL and len(self._state.hosts) == 1)
            ):
                self._form = form
                break
        self._fitted = (shape, len(lines))
        return lines

    def _in_form(self, form: Form | None) -> list[Line]:
        views, width, live = list(self._state.hosts.values()), self.size.width, self._state.live
        if form is None:
            return host_table(views, width, self._now_ms, live=live)
        columns = max(1, min(len(views), width // _PANEL_COLUMNS))
        column = width // columns
        panels = [host_panel(view, column, self._now_ms, live=live, form=form) for view in views]
        return _side_by_side(panels, columns, column)


def _side_by_side(panels: Sequence[list[Line]], columns: int, width: int) -> list[Line]:
    if len(panels) == 1:
        return panels[0]
    lines: list[Line] = []
    for start in range(0, len(panels), columns):
        row = panels[start : start + columns]
        if lines:
            lines.append([])
        for y in range(max(map(len, row))):
            line: Line = []
            for panel in row:
                line += filled(panel[y] if y < len(panel) else [], width)
            lines.append(line)
    return lines
