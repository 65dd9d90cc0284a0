"""The right pane: one way, over Server-Sent Events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from pushtui.client.happenings import Link, LinkState, StatusEvent, StatusResume
from tui.failure import ClientFailed, sentence
from tui.lens.pane_lens import Costs, PaneLens
from tui.state.levels import Level
from tui.state.link import LinkView
from tui.state.rates import Rate, per_second, tail
from tui.state.status import StatusState
from tui.widgets.drain import Drain
from tui.widgets.pane_head import Head, Line, PaneHead, Part
from tui.widgets.status_board import StatusBoard

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.widget import Widget

    from tui.clients import Status
    from tui.clock import Clock

_LEVEL_SIGNS = {Level.CALM: "", Level.WARNING: "●", Level.CRITICAL: "▲"}


class StatusPane(Vertical):
    """Head and board, fed by one `Status` client as long as the pane lives.

    Args:
        client: makes the client; called after the first paint, because its libraries take a while to load.
        clock: what time it is.
        address: of the server, for hints.
        costs: what the lenses compare.

    Attributes:
        lens: shows what passes, to the byte.
        state: what the board shows.
        link: how the stream comes.
    """

    class Stirred(Message):
        """What the other pane's tab should know changed: a level sign, or nothing."""

        def __init__(self, news: str) -> None:
            self.news = news
            super().__init__()

    class LinkChanged(Message):
        """The link has a new state."""

        def __init__(self, link: Link) -> None:
            self.link = link
            super().__init__()

    def __init__(
        self,
        client: Callable[[], Status],
        clock: Clock,
        *,
        address: str,
        costs: Costs,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.state = StatusState()
        self.link = LinkView()
        self.lens = PaneLens(self, "StatusBoard", "sse", f"{address}/status", clock, costs)
        self._make = client
        self._address = address
        self._client: Status | None = None
        self._clock = clock
        self._ended = False
        self._received = Rate()
        self._rate = 0.0
        self._seq: int | None = None
        self._sign = ""
        self._drain = Drain(self, self._paint)

    def compose(self) -> ComposeResult:
        """Two lines of head, then the board."""
        yield PaneHead(self._head())
        yield StatusBoard(self._address)

    def on_mount(self) -> None:
        """Start to listen once the first picture stands."""
        self.call_after_refresh(self._listen)

    def on_show(self) -> None:
        """What came while another pane had the space is painted now."""
        self._drain.touch()

    @property
    def home(self) -> Widget:
        """What takes the focus when one comes here."""
        return self.lens.panel.view if self.lens.panel else self.query_one(StatusBoard)

    def toggle_lens(self) -> None:
        """Show what passes, or what it means."""
        self.lens.toggle()
        if not self.lens.on:
            self.query_one(StatusBoard).focus()
        self.call_after_refresh(self._drain.now)  # once what is shown has its size again

    def on_pane_head_wire_wanted(self) -> None:
        """A click on the arrow shows what passes, or what it means."""
        self.toggle_lens()

    def retry_now(self) -> None:
        """Do not wait for the next try; begin anew if there will be none."""
        if self._client is not None:
            self._client.retry_now()
        elif self._ended:
            self.state = StatusState()
            self._listen()

    def tick(self) -> None:
        """A second went by: rates, countdown, clock, ages."""
        if self._client is not None:
            self._rate = self._received.observe(self._client.traffic.received_frames, self._clock.steady())
        self.lens.tick()
        # A host that reports every second brings the clock along: painting for both would cost twice as much.
        if self.link.down or self._drain.quiet(1.5) or not self._clock.runs:
            self._drain.touch()

    @work(exit_on_error=False, group="client")
    async def _listen(self) -> None:
        self._ended = False
        try:
            async with self._make() as client:
                self._client = client
                self.lens.look_at(client.watch)
                async for happening in client:
                    self.state.apply(happening, self._clock.wall_ms())
                    match happening:
                        case Link():
                            self.link.apply(happening, self._clock.steady())
                            self.post_message(self.LinkChanged(happening))
                        case StatusResume():
                            self._seq = happening.after
                        case StatusEvent(position=position) if position is not None:
                            self._seq = position.seq
                    self._drain.touch()
        except Exception as error:  # whatever it was, the chat goes on and the person is told
            self.link.apply(Link(LinkState.CLOSED, f"it stopped: {sentence(error)}"), self._clock.steady())
            self.post_message(ClientFailed(f"the status stream stopped: {sentence(error)}"))
        finally:
            self._client = None
            self._ended = True
            self._drain.touch()

    def _paint(self) -> None:
        self.query_one(PaneHead).show(self._head())
        self.query_one(StatusBoard).show(self.state, self._clock.wall_ms())
        if (sign := _LEVEL_SIGNS[self.state.level]) != self._sign:
            self._sign = sign
            self.post_message(self.Stirred(sign))

    def _head(self) -> Head:
        standing = self.link.standing(self._clock.steady())
        hosts = list(self.state.hosts)
        about = hosts[0] if len(hosts) == 1 else f"{len(hosts)} hosts" if hosts else ""
        what = [Part("status", "bold $foreground")]
        if about:
            what.append(Part(about, gap=" · "))
        how = [
            Part("←", "bold $primary"),
            Part("server-sent events", shed=1, gap=" "),
            Part(f"{standing.sign} {standing.word}", standing.colour, gap=" · "),
        ]
        if standing.detail:
            how.append(Part(standing.detail, standing.colour, gap=" · "))
        retry = self._client.retry_ms if self._client else None
        figures = [] if self.link.down else [Part(f"↓ {per_second(self._rate)}", shed=3)]
        if retry is not None:
            figures.append(Part(f"retry {round(retry / 1000, 1):g} s", shed=5))
        figures.append(Part(tail(self._seq), shed=2))
        head = Head(
            what=Line(tuple(what), (Part(self._clock.time_of_day(), shed=1),)),
            how=Line(tuple(how), tuple(figures)),
        )
        return self.lens.head(head)
