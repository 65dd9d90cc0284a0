"""The lens over the whole screen: ``pushtui inspect`` and ``pushtui replay``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from pushtui.client.happenings import Link, LinkState
from pushtui.client.inspection import NoFlowError, NoServerError
from pushtui.exits import CommandError, Exit
from pushtui.protocol.text import safe_line
from pushtui.wire.overhead import Overhead
from pushtui.wire.watch import NotSentError
from tui import preferences, themes
from tui.clock import Clock
from tui.failure import sentence
from tui.lens.foot import ARROWS
from tui.lens.panel import LensPanel
from tui.lens.send_line import SendLine
from tui.lens.standing import flow_of, link_of
from tui.line_filter import ControlGuard
from tui.state.link import LinkView
from tui.state.rates import Rate, per_second
from tui.widgets.key_line import Key, KeyLine
from tui.widgets.pane_head import Head, Line, PaneHead, Part
from tui.widgets.wrapping import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.filter import LineFilter

    from pushtui.wire.records import Flow, Record
    from pushtui.wire.watch import Sender

#: So many records without a pause, and the screen has its turn.
_BREATH = 200
_NAMES: dict[Flow, str] = {"websocket": "websocket", "sse": "server-sent events", "http": "http"}
KEYS = (
    Key("f1", "legend"),
    Key("ctrl+r", "again"),
    Key("d", "↑ or ↓"),
    Key("t", "kind"),
    Key("c", "copy"),
    Key("y", "text"),
    Key("x", "clear"),
    Key("ctrl+b", "text or binary"),
    Key("ctrl+q", "quit"),
)


class LensApp(App[int]):
    """Shows what passes, from its beginning.

    Args:
        source: begins anew, and yields the records.
        title: what is looked at, in one line.
        send: sends over the WebSocket that is looked at; None if nothing can be sent.
        clock: what time it is.
        theme: the name of the theme; None for what suits the terminal.
    """

    CSS_PATH = "../app.tcss"
    TITLE = "pushtui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "legend", "legend", show=False),
        Binding("ctrl+r", "again", "again", priority=True),
    ]

    def __init__(
        self,
        source: Callable[[], AsyncIterator[Record]],
        title: str,
        send: Sender | None = None,
        *,
        clock: Clock | None = None,
        theme: str = "",
    ) -> None:
        super().__init__()
        self._source = source
        self._about = clean(safe_line(title))
        self._send = send
        self._clock = clock or Clock()
        is_websocket = send is not None or title.startswith("ws")
        flow: Flow = "websocket" if is_websocket else "sse"
        self._costs: dict[Flow, Overhead] = {flow: Overhead()}
        self._panel = LensPanel(flow, self._about, self._clock, self._costs)
        self._link = LinkView()
        self._rate = Rate()
        self._per_second = 0.0
        self._was_live = False
        self._code = Exit.FINE
        for one in themes.THEMES:
            self.register_theme(one)
        self.theme = themes.chosen(theme, self.console.color_system, plain=self.no_color)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Nothing reaches the terminal that could drive it."""
        filters = super().get_line_filters()
        if self.no_color and self.native_ansi_color:
            filters = themes.without_colours(filters)
        return [*filters, ControlGuard()]

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield PaneHead(self._head())
        yield self._panel
        if self._send is not None:
            yield SendLine()
        yield KeyLine(*KEYS)

    def on_mount(self) -> None:
        """Begin once the first picture stands."""
        self._panel.view.focus()
        if self._clock.runs:
            self.set_interval(1, self.tick)
        self.call_after_refresh(self._look)

    def get_key_display(self, binding: Binding) -> str:
        """Write keys as they are labelled: F1, ^R."""
        return super().get_key_display(binding).upper() if len(binding.key) > 1 else binding.key

    def tick(self) -> None:
        """A second went by: rate, countdown."""
        self._per_second = self._rate.observe(self._panel.capture.passed, self._clock.steady())
        self._show()

    def action_again(self) -> None:
        """Begin anew: the present link is cut, what was captured stays."""
        self._panel.capture.begin_anew()
        self._look()

    def action_legend(self) -> None:
        """Explain what one sees."""
        self._panel.action_legend()

    def action_help_quit(self) -> None:
        """Ctrl+C quits other programs; here it says what does."""
        self._tell("ctrl+q quits")

    async def action_quit(self) -> None:
        """Leave; the exit code says whether there was something to look at."""
        self.exit(self._code)

    async def on_send_line_submitted(self, message: SendLine.Submitted) -> None:
        """Send it; it is seen when it passes."""
        if self._send is None:
            return
        try:
            await self._send(message.message)
        except NotSentError as error:
            self._tell(safe_line(str(error)))
            self.query_one(SendLine).restore(message.message)

    def on_send_line_refused(self, message: SendLine.Refused) -> None:
        """Say why it is not sent."""
        self._tell(message.said)

    def on_lens_panel_left(self) -> None:
        """From the records to where one writes."""
        if self._send is not None:
            self.query_one(SendLine).query_one("Input").focus()

    @work(exit_on_error=False, exclusive=True)
    async def _look(self) -> None:
        self._set(Link(LinkState.CONNECTING))
        count = 0
        try:
            async for record in self._source():
                self._take(record)
                count += 1
                if count % _BREATH == 0:
                    await asyncio.sleep(0)
        except CommandError as error:
            self._failed(error, error.code)
        except NoServerError as error:
            self._failed(error, Exit.NO_SERVER)
        except NoFlowError as error:
            self._failed(error, Exit.REFUSED)
        except Exception as error:  # whatever it was, what was captured can still be looked at
            self._failed(error, Exit.UNEXPECTED)
        else:
            if self._link.link.state in (LinkState.LIVE, LinkState.CONNECTING, LinkState.LOST):
                self._set(Link(LinkState.CLOSED, "that is the end"))

    def _take(self, record: Record) -> None:
        flow = flow_of(record)
        if flow is not None and flow not in self._costs:
            self._costs[flow] = self._costs.pop(self._panel.flow)
            self._panel.flows(flow)
        self._panel.take(record)
        if (link := link_of(record)) is not None:
            self._set(link)

    def _failed(self, error: Exception, code: Exit) -> None:
        said = sentence(error) if code is Exit.UNEXPECTED else safe_line(str(error))
        if not self._was_live:
            self._code = code
        self._set(Link(LinkState.REFUSED if not self._was_live else LinkState.CLOSED, said))
        self._tell(said)

    def _set(self, link: Link) -> None:
        if link.state is LinkState.LIVE:
            self._was_live = True
            self._code = Exit.FINE
        self._link.apply(link, self._clock.steady())
        self._show()

    def _show(self) -> None:
        self.query_one(PaneHead).show(self._head())

    def _head(self) -> Head:
        flow = self._panel.flow
        standing = self._link.standing(self._clock.steady())
        how = [
            Part(ARROWS[flow], "bold $primary"),
            Part(_NAMES[flow], shed=1, gap=" "),
            Part(f"{standing.sign} {standing.word}", standing.colour, gap=" · "),
        ]
        if standing.detail:
            how.append(Part(clean(safe_line(standing.detail)), standing.colour, gap=" · "))
        return Head(
            what=Line((Part(self._about, "bold $foreground"),), (Part(self._clock.time_of_day(), shed=1),)),
            how=Line(tuple(how), (Part(f"{per_second(self._per_second)} records", shed=2),)),
        )

    def _tell(self, said: str) -> None:
        self.clear_notifications()
        self.notify(said, markup=False)


def run(source: Callable[[], AsyncIterator[Record]], title: str, send: Sender | None = None) -> int:
    """Show what passes until one leaves.

    Args:
        source: begins anew each time that it is called, and yields the records; cut off when one leaves. A
            `NoServerError`, `NoFlowError` or `CommandError` from it tells why there is nothing to look at.
        title: what is looked at: a URL, or a file.
        send: sends over a WebSocket; None if nothing can be sent.

    Returns:
        The exit code.
    """
    kept = preferences.load(preferences.default_path())
    code = LensApp(source, title, send, theme=kept.theme).run()
    return Exit.UNEXPECTED if code is None else code
