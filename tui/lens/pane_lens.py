"""Turns a pane from meaning to bytes, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pushtui.wire.overhead import Overhead
from pushtui.wire.records import Flow
from tui.widgets.pane_head import Head, PaneHead, Part

if TYPE_CHECKING:
    from textual.widget import Widget

    from pushtui.wire.watch import Watch
    from tui.clock import Clock
    from tui.lens.panel import LensPanel

#: What each flow costs, in the order in which they are compared.
Costs = Mapping[Flow, Overhead]


class PaneLens:
    """The lens of one pane. While it is off, nothing is captured, and its widgets are not there.

    Args:
        pane: the pane; the lens stands below its head.
        meaning: a selector of what the lens takes the place of.
        flow: what flows.
        url: between here and where.
        clock: what time it is.
        costs: what is compared in the foot.
    """

    def __init__(self, pane: Widget, meaning: str, flow: Flow, url: str, clock: Clock, costs: Costs) -> None:
        self._pane = pane
        self._meaning = meaning
        self._flow: Flow = flow
        self._url = url
        self._clock = clock
        self._costs = costs
        self._watch: Watch | None = None
        self._panel: LensPanel | None = None

    @property
    def on(self) -> bool:
        """Whether the pane shows bytes."""
        return self._panel is not None

    @property
    def panel(self) -> LensPanel | None:
        """The lens, None while the pane shows what the bytes mean."""
        return self._panel

    def look_at(self, watch: Watch | None) -> None:
        """Look at the link of another client, or of none."""
        if watch is self._watch:
            return
        if self._watch is not None:
            self._watch.close()
        self._watch = watch
        if self._panel is not None and watch is not None:
            self._panel.capture.begin_anew()
            watch.open(self._panel.take)

    def toggle(self) -> None:
        """Bytes instead of meaning, or meaning instead of bytes."""
        meaning = self._pane.query_one(self._meaning)
        if self._panel is None:
            from tui.lens.panel import LensPanel

            empty = "nothing has passed yet"
            self._panel = LensPanel(self._flow, self._url, self._clock, self._costs, empty)
            meaning.display = False
            self._pane.mount(self._panel, after=self._pane.query_one(PaneHead))
            if self._watch is not None:
                self._watch.open(self._panel.take)
            self._pane.call_after_refresh(self._panel.view.focus)
        else:
            if self._watch is not None:
                self._watch.close()
            self._panel.remove()
            self._panel = None
            meaning.display = True

    def tick(self) -> None:
        """A second went by."""
        if self._panel is not None and self._panel.is_mounted:
            self._panel.tick()

    def head(self, head: Head) -> Head:
        """The head of the pane, which says what it shows."""
        if not self.on:
            return head
        arrow, *rest = head.how.left
        marked = (arrow, Part(" wire ", "reverse $primary", gap=" "), *rest)
        return head._replace(how=head.how._replace(left=marked))
