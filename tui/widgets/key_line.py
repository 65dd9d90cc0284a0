"""The last line of a screen: which keys do what."""

from __future__ import annotations

from typing import NamedTuple

from textual.app import RenderResult
from textual.content import Content
from textual.events import Click
from textual.widget import Widget


class Key(NamedTuple):
    """A key by Textual's name for it, and what it does in a word or two."""

    key: str
    does: str


class KeyLine(Widget):
    """Names the keys that mean something now, in a fixed order, as far as there is room; a click presses one.

    Textual's footer builds a widget for each key whenever the focus moves, and orders them by who binds them.
    """

    DEFAULT_CSS = """
    KeyLine {
        height: 1;
        padding: 0 1;
        color: $text-muted;
        &:ansi { text-style: dim; }
    }
    """

    def __init__(self, *keys: Key) -> None:
        super().__init__()
        self._keys = keys
        self._unmentioned: set[str] = set()
        self._shown: list[tuple[int, str]] = []

    def on_mount(self) -> None:
        """Look again when keys get or lose their meaning."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def mention(self, key: str, mentioned: bool) -> None:
        """Mention a key from now on, or do not: it works all the same."""
        if mentioned is (key in self._unmentioned):
            self._unmentioned ^= {key}
            self.refresh()

    def render(self) -> RenderResult:
        """Return as many keys as fit."""
        active = self.screen.active_bindings
        pieces: list[tuple[str, str]] = []
        self._shown = []
        end = 0
        for key, does in self._keys:
            if key not in active or key in self._unmentioned:
                continue
            label = self.app.get_key_display(active[key].binding)
            width = len(label) + 1 + len(does)
            if end + width > self.content_size.width:
                break
            pieces += [(label, "bold"), (f" {does}   ", "")]
            end += width + 3
            self._shown.append((end, key))
        return Content.assemble(*pieces)

    def on_click(self, event: Click) -> None:
        """Press the key that was meant."""
        offset = event.get_content_offset(self)
        if offset is not None:
            for end, key in self._shown:
                if offset.x < end:
                    self.app.simulate_key(key)
                    return
