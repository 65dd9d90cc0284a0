"""The duel on the screen: three columns while it is on, and a table at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import App, ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from pushtui.duel.duel import Duel
from pushtui.duel.stage import own_server
from pushtui.duel.standing import Phase, Standing
from pushtui.duel.table import heading, lines
from pushtui.exits import Exit
from tui import preferences, themes
from tui.duel.columns import MUTED, columns
from tui.duel.result import result
from tui.line_filter import ControlGuard
from tui.widgets.drain import Drain
from tui.widgets.key_line import Key, KeyLine
from tui.widgets.wrapping import clean, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.filter import LineFilter

    from pushtui.client.address import Address
    from pushtui.duel.terms import Terms
    from pushtui.protocol.token import Token

#: Is told how to find out how the duel stands, whenever that has changed.
Show = Callable[[Callable[[], Standing]], None]
#: Lets a duel take place; returns how it stands in the end.
Play = Callable[[Show], Coroutine[Any, Any, Standing]]
KEYS = (Key("t", "table or columns"), Key("q", "quit"))


class DuelView(Widget):
    """All but the keys."""

    DEFAULT_CSS = "DuelView { height: 1fr; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._standing: Standing | None = None
        self._as_table: bool | None = None

    def show(self, standing: Standing) -> None:
        """Take over how it stands."""
        self._standing = standing
        self.refresh()

    def turn(self) -> None:
        """From the columns to the table, or back."""
        self._as_table = not self._is_table
        self.refresh()

    @property
    def _is_table(self) -> bool:
        if self._as_table is None:
            return self._standing is not None and self._standing.phase is Phase.OVER
        return self._as_table

    def render(self) -> RenderResult:
        """Return the head, and below it the columns or the table."""
        width, height = self.content_size
        standing = self._standing
        if standing is None:
            return Content.styled("the duel begins…", MUTED)
        head = [
            Content.styled(shorten(clean(f"pushtui duel · {heading(standing)}"), width), "bold"),
            _progress(standing),
            Content(""),
        ]
        draw = result if self._is_table else columns
        return Content("\n").join([*head, *draw(standing, width, height - len(head))])


class DuelApp(App[int]):
    """Shows one duel.

    Args:
        play: see `Play`.
        theme: the name of the theme; empty for what suits the terminal.

    Attributes:
        result: how it stood in the end; None if it was left before.
        error: why it could not take place; None if it could.
    """

    CSS_PATH = "../app.tcss"
    TITLE = "pushtui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+q,ctrl+c", "quit", "quit", priority=True),
        Binding("t", "turn", "table or columns"),
    ]

    def __init__(self, play: Play, *, theme: str = "") -> None:
        super().__init__()
        self.result: Standing | None = None
        self.error: Exception | None = None
        self._play = play
        self._view = DuelView()
        self._now: Callable[[], Standing] | None = None
        self._drain = Drain(self._view, self._paint)
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
        yield self._view
        yield KeyLine(*KEYS)

    def on_mount(self) -> None:
        """Begin."""
        self._fight()

    def action_turn(self) -> None:
        """From the columns to the table, or back."""
        self._view.turn()

    async def action_quit(self) -> None:
        """Leave, whether it is over or not."""
        self.exit(Exit.FINE)

    @work(exit_on_error=False, exclusive=True)
    async def _fight(self) -> None:
        try:
            self.result = await self._play(self._show)
        except Exception as error:  # told when the screen is gone
            self.error = error
            self.exit(Exit.UNEXPECTED)
        else:
            over = self.result
            self._show(lambda: over)

    def _show(self, now: Callable[[], Standing]) -> None:
        self._now = now
        self._drain.touch()

    def _paint(self) -> None:
        if self._now is not None:
            self._view.show(self._now())


def _progress(standing: Standing) -> Content:
    """Where it is, of all that it goes through."""
    parts = []
    for phase in Phase:
        told = f"talking {standing.said}/{standing.messages}" if phase is Phase.TALKING else str(phase)
        parts.append(Content.styled(told, "bold $primary" if phase is standing.phase else MUTED))
    return Content.styled(" → ", MUTED).join(parts)


def run(address: Address | None, terms: Terms, token: Token | None) -> int:
    """Show a duel until one leaves, and print its table if it came to one.

    Args:
        address: of the server; None for one of its own.
        terms: what is said, and how.
        token: what lets one in, if the server wants something.

    Returns:
        The exit code.

    Raises:
        DuelError: it cannot take place.
    """
    return asyncio.run(_run(address, terms, token))


async def _run(address: Address | None, terms: Terms, token: Token | None) -> int:
    # The server is stopped by whoever leaves the screen, in whatever way: a worker of it is not waited for.
    async with AsyncExitStack() as stack:
        at = _known(address) if address is not None else await stack.enter_async_context(own_server())

        async def play(show: Show) -> Standing:
            duel = Duel(await at(), terms, token=token, changed=lambda: show(duel.standing))
            return await duel.run()

        app = DuelApp(play, theme=preferences.load(preferences.default_path()).theme)
        code = await app.run_async()
    if app.error is not None:
        raise app.error
    if app.result is not None:
        print("\n".join(lines(app.result)))  # noqa: T201
    return Exit.UNEXPECTED if code is None else code


def _known(address: Address) -> Callable[[], Coroutine[Any, Any, Address]]:
    async def at() -> Address:
        return address

    return at
