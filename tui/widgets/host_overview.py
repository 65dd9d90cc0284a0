"""All hosts in as much detail as there is room for. Pure, but for what was chosen the last time."""

from collections.abc import Mapping, Sequence

from tui.state.status import HostView
from tui.widgets.host_panel import Form, host_panel
from tui.widgets.host_table import host_table
from tui.widgets.spans import Line, Span, filled

_PANEL_COLUMNS = 50  # panels stand side by side where each has at least this much


class HostOverview:
    """Chooses between high panels, panels, and a table with one host in full below it, and lays them out.

    Attributes:
        picked: the host whose panel was asked for.
        shown: the host whose panel goes with the table; without `picked` the first one, where there is room.
    """

    def __init__(self) -> None:
        self.picked: str | None = None
        self.shown: str | None = None
        self._form: Form | None = None
        self._fitted: tuple[object, ...] | None = None
        self._rows: list[str] = []

    @property
    def is_table(self) -> bool:
        """Whether the hosts are too many for a panel each."""
        return self._form is None

    def host_at(self, line: int) -> str | None:
        """The host whose line of the table this is."""
        return self._rows[line - 1] if 0 < line <= len(self._rows) else None

    def lines(
        self, hosts: Mapping[str, HostView], width: int, room: int, now_ms: int, *, live: bool
    ) -> list[Line]:
        """Lay the hosts out in the richest form that fits; a single host and a table may be higher than that.

        Args:
            hosts: by name, at least one.
            width: in cells, from 30.
            room: how many lines there are.
            now_ms: the time here, for the age of what is shown.
            live: whether the link is up.
        """

        def in_form(form: Form | None) -> list[Line]:
            if form is None:
                return self._table(hosts, width, room, now_ms, live=live)
            self._rows = []
            return _panels(list(hosts.values()), width, now_ms, live=live, form=form)

        # Trying every form costs more than painting does, so it waits until something about the fit changed.
        lines = in_form(self._form)
        if self._fitted != (width, room, len(hosts), len(lines)):
            forms = [Form.ROOMY, Form.FULL] if len(hosts) == 1 else [Form.ROOMY, Form.FULL, None]
            for self._form in forms:
                lines = in_form(self._form)
                if len(lines) <= room:
                    break
            self._fitted = (width, room, len(hosts), len(lines))
        return lines

    def _table(
        self, hosts: Mapping[str, HostView], width: int, room: int, now_ms: int, *, live: bool
    ) -> list[Line]:
        names = list(hosts)
        picked = self.picked if self.picked in hosts else None
        panel = host_panel(hosts[picked or names[0]], width, now_ms, live=live, form=Form.FULL)
        fits = len(names) + 2 + len(panel) <= room
        self.shown = picked or (names[0] if fits else None)
        if picked and not fits:
            self._rows = []
            return [*panel, [Span(f" esc  all {len(names)} hosts", "muted")]]
        self._rows = names
        table = host_table(list(hosts.values()), width, now_ms, live=live, picked=self.shown)
        return [*table, [], *panel] if fits else table


def _panels(views: Sequence[HostView], width: int, now_ms: int, *, live: bool, form: Form) -> list[Line]:
    columns = max(1, min(len(views), width // _PANEL_COLUMNS))
    column = width // columns
    panels = [host_panel(view, column, now_ms, live=live, form=form) for view in views]
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
                line += filled(panel[y] if y < len(panel) else [], column)
            lines.append(line)
    return lines
