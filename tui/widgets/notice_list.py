"""Notices, marks, alerts and outcomes of the status stream, newest first."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from tui.state.status import NoticeLine, Sign
from tui.widgets.line_view import LineView
from tui.widgets.local_time import LocalTime
from tui.widgets.spans import Line, Span
from tui.widgets.wrapping import clean, wrap

SIGNS: dict[Sign, str] = {
    "info": "·",
    "success": "✓",
    "warning": "●",
    "critical": "▲",
    "mark": "⚑",
    "outcome": "○",
}

_ROLES: dict[Sign, str] = {
    "info": "muted",
    "success": "success",
    "warning": "warning",
    "critical": "critical",
    "mark": "mark",
    "outcome": "muted",
}
_TIME = 5
_INDENT = 1 + _TIME + 2 + 1 + 2
_LEAST_TEXT = 8


def notice_lines(notices: Iterable[NoticeLine], width: int, local: LocalTime) -> list[Line]:
    """Lay notices out: time, sign, text wrapped under itself. A minute is told once.

    Args:
        notices: in the order in which they are shown.
        width: in cells.
        local: the time zone.
    """
    room = max(width - _INDENT - 1, _LEAST_TEXT)
    lines: list[Line] = []
    shown = ""
    for notice in notices:
        at = local.clock(notice.at)
        time = "" if at == shown else at
        shown = at
        body_role = "muted" if notice.sign == "outcome" else ""
        for row, text in enumerate(_wrapped(notice.text, room)):
            if row == 0:
                sign = Span(SIGNS[notice.sign], _ROLES[notice.sign])
                lines.append([Span(f" {time:<{_TIME}}  ", "muted"), sign, Span("  "), Span(text, body_role)])
            else:
                lines.append([Span(" " * _INDENT), Span(text, body_role)])
    return lines


class NoticeList(LineView):
    """The list, which stays where it was scrolled to while new entries come in above."""

    def __init__(self, zone: tzinfo | None = None, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._local = LocalTime(zone)
        self._notices: Sequence[NoticeLine] = ()
        self._noted = 0
        self._hint = ""
        self._laid_out: tuple[int, int, int, str] | None = None

    def show(self, notices: Sequence[NoticeLine], noted: int, hint: str) -> None:
        """Show these entries.

        Args:
            notices: newest first.
            noted: how many there ever were (`StatusState.noted`): unchanged means nothing to do.
            hint: what to say when there are none.
        """
        self._notices, self._noted, self._hint = notices, noted, hint
        self._lay_out()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.size.width
        key = (self._noted, len(self._notices), width, self._hint)
        if key == self._laid_out or width == 0:
            return
        before, self._laid_out = self._laid_out, key
        height = len(self.lines)
        if self._notices:
            lines = notice_lines(self._notices, width, self._local)
        else:
            hint = _wrapped(self._hint, max(width - 2, _LEAST_TEXT))
            lines = [[Span(" "), Span(text, "muted")] for text in hint]
        self.set_lines(lines)
        if before and before[2] == width and self.scroll_offset.y:
            self.scroll_to(y=self.scroll_offset.y + len(lines) - height, animate=False)


def _wrapped(text: str, width: int) -> list[str]:
    text = clean(text)
    return [text[start:end] for start, end in wrap(text, width)]
