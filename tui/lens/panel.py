"""The lens itself: titles, records, what they cost, and what one can do with them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from pushtui.wire.overhead import Overhead
from pushtui.wire.records import Beginning
from tui.lens.capture import Capture
from tui.lens.filter import Filter
from tui.lens.foot import Foot, account
from tui.lens.prompt import Prompt
from tui.lens.save import NotSavedError, save
from tui.lens.view import LensView
from tui.widgets.drain import Drain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pushtui.wire.records import Flow, Record
    from tui.clock import Clock

FILTER, FIND, SAVE = "only with", "find", "save as"


class LensPanel(Vertical):
    """Shows what `take` is told.

    Args:
        flow: what flows.
        url: between here and where.
        clock: what time it is.
        costs: what is compared in the foot; that of the flow itself is counted here.
        empty: what to say as long as nothing has passed.

    Attributes:
        capture: what has passed.
    """

    DEFAULT_CSS = """
    LensPanel {
        height: 1fr;
        .titles { height: 1; color: $foreground 45%; text-wrap: nowrap; }
        &:ansi .titles { color: ansi_default; text-style: dim; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "legend", "legend", show=False),
        Binding("slash", "filter", "filter", show=False),
        Binding("d", "direction", show=False),
        Binding("t", "kind", show=False),
        Binding("escape", "all", show=False),
        Binding("space", "pause", "pause", show=False),
        Binding("f,ctrl+f", "find", "find", show=False),
        Binding("n", "next(1)", show=False),
        Binding("N", "next(-1)", show=False),
        Binding("c", "copy", show=False),
        Binding("y", "copy_payload", show=False),
        Binding("s", "save", "save", show=False),
        Binding("x", "clear", show=False),
    ]

    class Left(Message):
        """Escape was pressed, and there was nothing left to undo."""

    def __init__(
        self,
        flow: Flow,
        url: str,
        clock: Clock,
        costs: Mapping[Flow, Overhead],
        empty: str = "nothing has passed yet",
    ) -> None:
        super().__init__()
        self.flow: Flow = flow
        self.capture = Capture()
        self._url = url
        self._clock = clock
        self._costs = costs
        self._began_ms: int | None = None
        self._view = LensView(self.capture, flow, empty)
        self._drain = Drain(self, self._paint)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Static(markup=False, classes="titles")
        yield self._view
        yield Foot()
        yield Prompt()

    def on_mount(self) -> None:
        """Show what was taken before there was a screen."""
        self.call_after_refresh(self._drain.now)

    @property
    def view(self) -> LensView:
        """The records, which take the focus."""
        return self._view

    def take(self, record: Record) -> None:
        """One more passed."""
        if self._began_ms is None:
            self._began_ms = self._clock.wall_ms() - round(record.at * 1000)
        self._costs[self.flow].count(record)
        self.capture.take(record)
        self._drain.touch()

    def tick(self) -> None:
        """A second went by: what the other flow costs may have changed."""
        self._account()

    def flows(self, flow: Flow) -> None:
        """It turned out what flows."""
        if flow != self.flow:
            self.flow = flow
            self._view.flows(flow)
            self._drain.touch()

    def on_resize(self) -> None:
        """The titles may have room for more, or less."""
        self._drain.touch()

    def on_show(self) -> None:
        """What came while another pane had the space is painted now."""
        self._drain.touch()

    def on_descendant_focus(self) -> None:
        """The foot names the keys while they work."""
        self._drain.touch()

    def on_descendant_blur(self) -> None:
        """Likewise."""
        self._drain.touch()

    def on_lens_view_follow_changed(self) -> None:
        """The end is left, or reached."""
        self._drain.touch()

    def action_legend(self) -> None:
        """Explain what one sees."""
        from tui.lens.legend import LegendScreen

        self.app.push_screen(LegendScreen(self.flow))

    def action_filter(self) -> None:
        """Ask for text."""
        self.query_one(Prompt).ask(FILTER, self.capture.filter.text, "any text; nothing shows all")

    def action_direction(self) -> None:
        """Show one direction, the other, both."""
        self._filter(self.capture.filter.other_direction())

    def action_kind(self) -> None:
        """Show one kind after the other."""
        self._filter(self.capture.filter.other_kind())

    def action_all(self) -> None:
        """Show everything again, as if nobody had asked for anything."""
        if self.capture.filter != Filter() or self._view.needle:
            self._view.search("", 1)
            self._filter(Filter())
        else:
            self.post_message(self.Left())

    def action_pause(self) -> None:
        """Stand still, or go on."""
        if self.capture.paused:
            self.capture.go_on()
        else:
            self.capture.pause()
        self._drain.now()

    def action_find(self) -> None:
        """Ask what to look for."""
        self.query_one(Prompt).ask(FIND, self._view.needle, "any text")

    def action_next(self, step: int) -> None:
        """To the next record with what was searched for, or the one before."""
        if self._view.needle:
            self._search(self._view.needle, step)
        else:
            self.action_find()

    def action_copy(self) -> None:
        """Copy all of the record as text."""
        if (entry := self._view.current) is not None:
            self._copy(entry.text, "the record")

    def action_copy_payload(self) -> None:
        """Copy what an application sent with it."""
        if (entry := self._view.current) is not None:
            self._copy(entry.payload, "what was said")

    def action_clear(self) -> None:
        """Forget what has passed."""
        self.capture.clear()
        self._view.action_follow()
        self._drain.now()

    def action_save(self) -> None:
        """Ask for a file's name."""
        moment = datetime.fromtimestamp(self._clock.wall_ms() / 1000).astimezone()
        self.query_one(Prompt).ask(SAVE, f"pushtui-{self.flow}-{moment:%Y%m%d-%H%M%S}.jsonl")

    async def on_prompt_answered(self, message: Prompt.Answered) -> None:
        """Do what was asked for."""
        self._view.focus()
        text = message.text
        if text is None:
            return
        if message.purpose == FILTER:
            self._filter(self.capture.filter._replace(text=text))
        elif message.purpose == FIND:
            self._search(text, -1)
        else:
            await self._save(text)

    def _filter(self, asked: Filter) -> None:
        self.capture.filter_by(asked)
        self._drain.now()

    def _search(self, text: str, step: int) -> None:
        if not self._view.search(text, step) and text:
            self._tell(f"nothing shown here has “{text}”")
        self._drain.now()

    def _copy(self, text: str, what: str) -> None:
        if text:
            self.app.copy_to_clipboard(text)
            self._tell(f"copied: {what}, {len(text)} characters")
        else:
            self._tell("there is nothing in it to copy")

    async def _save(self, typed: str) -> None:
        beginning = Beginning(self.flow, self._url, self._began_ms or self._clock.wall_ms())
        records = self.capture.records
        try:
            path = await asyncio.to_thread(save, typed, beginning, records)
        except NotSavedError as error:
            self._tell(str(error))
            self.query_one(Prompt).ask(SAVE, typed)
        else:
            self._tell(f"{len(records)} records are in {path}")

    def _tell(self, said: str) -> None:
        self.app.clear_notifications()
        self.notify(said, markup=False)

    def _paint(self) -> None:
        view = self._view
        view.sync()
        self.query_one(".titles", Static).update(view.columns.title)
        self._account()

    def _account(self) -> None:
        view, focused = self._view, self.has_focus_within
        self.query_one(Foot).show(account(self.capture, view.needle, self.flow, self._costs, focused=focused))
