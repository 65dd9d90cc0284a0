"""What a terminal shows that is too small for anything else."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

LEAST = Size(24, 10)
"""From here on there is a row for the conversation."""


class TooSmall(Widget):
    """Covers everything: what is below it keeps the focus, so what one types there is not lost."""

    DEFAULT_CSS = """
    TooSmall {
        layer: cover;
        dock: top;
        width: 100%;
        height: 100%;
        background: $background;
        color: $foreground;
        display: none;
    }
    """

    def fit(self, size: Size) -> None:
        """Cover a screen of that size if it has to be."""
        self.display = size.width < LEAST.width or size.height < LEAST.height

    def render(self) -> RenderResult:
        """One sentence."""
        columns, rows = self.app.size
        return Content(f"too small: {columns}x{rows}, it takes {LEAST.width}x{LEAST.height}")
