"""The line between two panes: moves by mouse and by keys."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.events import Click, MouseDown, MouseMove, MouseRelease, MouseUp
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

DEFAULT_RATIO = 0.6
LEAST_COLUMNS = 24

_UNITS = 10_000


def clamped_ratio(ratio: float, columns: int) -> float:
    """The nearest ratio that leaves each side `LEAST_COLUMNS`; the middle where there is not room for both.

    Args:
        ratio: the left side's share, 0 to 1.
        columns: what both sides have together, without the line.
    """
    if columns < 2 * LEAST_COLUMNS:
        return 0.5
    return min(max(ratio, LEAST_COLUMNS / columns), 1 - LEAST_COLUMNS / columns)


def widths(ratio: float) -> tuple[str, str]:
    """Both sides' widths for `styles.width`, as ``("6000fr", "4000fr")``.

    They are whole numbers because Textual adds up fractions exactly: ``0.6021fr`` and ``0.3979fr`` are a little
    less than one in binary, and the last column stays empty.
    """
    left = round(ratio * _UNITS)
    return f"{left}fr", f"{_UNITS - left}fr"


class Splitter(Widget, can_focus=True):
    """Stands between two siblings in a horizontal container and says where the line should be.

    It does not lay anything out. Whoever gets `Moved` gives the siblings their `widths`, each with
    ``min-width: 24``: then the ratio outlives every size of the terminal.

    Args:
        ratio: the left side's share to begin with, 0 to 1.

    Attributes:
        ratio: the left side's share as it was last wished.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "move left", show=False),
        Binding("right", "move(1)", "move right", show=False),
        Binding("shift+left", "move(-8)", "move far left", show=False),
        Binding("shift+right", "move(8)", "move far right", show=False),
        Binding("equals_sign", "restore", "restore", show=False),
    ]

    DEFAULT_CSS = """
    Splitter {
        width: 1;
        height: 1fr;
        color: $foreground 25%;
        pointer: ew-resize;
        &:ansi { color: ansi_default; text-style: dim; }
        &:hover { color: $foreground 70%; text-style: none; }
        &:focus, &.-dragged { color: $primary; text-style: bold; }
    }
    """

    class Moved(Message):
        """The line was moved; ``ratio`` is the left side's share, 0 to 1."""

        def __init__(self, splitter: Splitter, ratio: float) -> None:
            super().__init__()
            self.splitter = splitter
            self.ratio = ratio

        @property
        def control(self) -> Splitter:
            """Whose message it is."""
            return self.splitter

    def __init__(self, ratio: float = DEFAULT_RATIO, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.ratio = ratio
        self._dragged = False

    def action_move(self, columns: int) -> None:
        """Move the line by so many columns, negative to the left."""
        self._move_to(self._left + columns)

    def action_restore(self) -> None:
        """Go back to the ratio that everyone begins with."""
        self._wish(DEFAULT_RATIO)

    def on_mouse_down(self, event: MouseDown) -> None:
        """Take hold of the line."""
        if event.button == 1:
            self._dragged = True
            self.add_class("-dragged")
            self.capture_mouse()
            event.stop()

    def on_mouse_move(self, event: MouseMove) -> None:
        """Drag it along."""
        if self._dragged:
            self._move_to(int(event.screen_x) - self._container.region.x)
            event.stop()

    def on_mouse_up(self, event: MouseUp) -> None:
        """Let it go."""
        if self._dragged:
            self.release_mouse()
            event.stop()

    def on_mouse_release(self, event: MouseRelease) -> None:
        """It was let go, here or by something that came in between."""
        self._dragged = False
        self.remove_class("-dragged")

    def on_click(self, event: Click) -> None:
        """A double click restores."""
        if event.chain == 2:
            self.action_restore()

    def render_line(self, y: int) -> Strip:
        """A piece of the line."""
        return Strip([Segment("┃", self.rich_style)], 1)

    @property
    def _container(self) -> Widget:
        assert isinstance(self.parent, Widget)  # noqa: S101 - for the type checker: a mounted widget has one
        return self.parent

    @property
    def _columns(self) -> int:
        return self._container.size.width - 1

    @property
    def _left(self) -> int:
        """Where the line is or will be: keys that repeat come faster than the layout."""
        return int(clamped_ratio(self.ratio, self._columns) * self._columns + 0.001)

    def _move_to(self, left: int) -> None:
        if self._columns > 0:
            # A quarter of a column more, so that rounding of the widths never takes the step back.
            self._wish((left + 0.25) / self._columns)

    def _wish(self, ratio: float) -> None:
        ratio = clamped_ratio(ratio, self._columns)
        if ratio != self.ratio:
            self.ratio = ratio
            self.post_message(self.Moved(self, ratio))
