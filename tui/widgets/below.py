"""The line above the composer: what there is to know before one writes on."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Below(Static):
    """Shows one sentence. It takes a row even while there is none, and up to three where the pane is narrow."""

    DEFAULT_CSS = """
    Below {
        height: auto;
        min-height: 1;
        max-height: 3;
        padding: 0 1;
        color: $text-muted;
        &:ansi { text-style: dim; }
        &.note { color: $text-warning; text-style: not dim; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__("", id=id, markup=False)
        self._said = ("", False)

    def say(self, text: str, *, grave: bool) -> None:
        """Show this from now on; ``grave`` when the server refused something."""
        if (text, grave) != self._said:
            self._said = text, grave
            self.set_class(grave, "note")
            self.update(Content(text))


def typing(nicks: list[str]) -> str:
    """Say who is typing."""
    match nicks:
        case []:
            return ""
        case [one]:
            return f"{one} is typing …"
        case [one, two]:
            return f"{one} and {two} are typing …"
        case _:
            return f"{len(nicks)} people are typing …"
