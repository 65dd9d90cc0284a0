"""What one sees in the lens, one line each, and where it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from tui.widgets.wrapping import MINIMUM, wrap

if TYPE_CHECKING:
    from pushtui.wire.records import Flow

_Rows = tuple[tuple[str, str, str], ...]

WEBSOCKET: _Rows = (
    ("GET … Upgrade", "an HTTP request that asks to speak WebSocket from here on", "4.1"),
    ("…-Key", "16 random bytes in base64, new for each connection", "4.1"),
    ("…-Accept", "SHA-1 of key + fixed GUID: the server understood the request", "4.2.2"),
    ("…-Protocol", "subprotocols: offered by preference, the server takes one", "1.9"),
    ("101", "the answer: behind it there are no more headers, only frames", "4.2.2"),
    ("FIN", "the frame ends its message; – means that more follows", "5.4"),
    ("RSV", "three bits for extensions such as compression, else 0", "5.2"),
    ("opcode", "0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong", "5.2"),
    ("mask", "a client's payload XOR 4 random bytes, lest a proxy take it for HTTP; – for a server's", "5.3"),
    ("bytes", "on the wire: 2 of header, 0, 2 or 8 of length, 4 of mask, payload", "5.2"),
    ("ping, pong", "are you there? The same payload comes back: a round trip", "5.5.2"),
    ("close", "a code and a reason; the other side answers with a close", "7.4"),
)
SSE: _Rows = (
    ("GET …", "an ordinary request; Accept: text/event-stream", "9.2.3"),
    ("200", "an answer that does not end; 204 means: do not come back", "9.2.3"),
    ("data", "a line of the event; several are joined by line ends", "9.2.6"),
    ("event", "its name; message if there is none", "9.2.6"),
    ("id", "where one would go on: remembered, and sent when one comes back", "9.2.6"),
    ("retry", "how many ms to wait before one comes back", "9.2.6"),
    (": …", "a comment: nobody gets it, it keeps a silent link alive", "9.2.7"),
    ("blank line", "the end of the block: what was collected is dispatched", "9.2.6"),
    ("⇒", "what came of it: an event, or nothing without data", "9.2.6"),
    ("Last-Event-ID", "the last id, sent to the server to go on behind it", "9.2.4"),
)
KEYS = (
    ("up, down", "one record; home and end: the oldest, the newest"),
    ("enter", "all of the record, byte by byte; again: one line. Also a click"),
    ("/", "only records with some text"),
    ("d", "only what goes up, or down"),
    ("t", "only data, control, handshake or comments"),
    ("esc", "show all of them again"),
    ("space", "stand still; what passes is counted and kept"),
    ("f, n, N", "find; the next, the one before"),
    ("c, y", "copy the record; what was said with it"),
    ("s", "save all as JSON lines: pushtui replay plays them"),
    ("x", "forget all of them"),
)
_NAME, _SECTION = 15, 8


class Glossary(Widget):
    """Names, where each is written, and what it means; the meaning is wrapped beside its name."""

    DEFAULT_CSS = "Glossary { height: auto; margin-bottom: 1; }"

    def __init__(self, rows: Sequence[tuple[str, str, str]]) -> None:
        super().__init__()
        self._rows = rows
        self._section = _SECTION if any(section for _, _, section in rows) else 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as it takes."""
        return sum(len(self._meaning(text, width)) for _, text, _ in self._rows)

    def render(self) -> RenderResult:
        """Lay it out for the present width."""
        lines = []
        for name, text, section in self._rows:
            first, *rest = self._meaning(text, self.content_size.width)
            where = f"§ {section}" if section else ""
            head = (f"{name:{_NAME}}", "$text-primary")
            lines.append(Content.assemble(head, (f"{where:{self._section}}", "dim"), first))
            lines += [Content(" " * (_NAME + self._section) + more) for more in rest]
        return Content("\n").join(lines)

    def _meaning(self, text: str, width: int) -> list[str]:
        room = max(MINIMUM, width - _NAME - self._section)
        return [text[start:end] for start, end in wrap(text, room)]


class LegendScreen(ModalScreen[None]):
    """One page, scrolled if the terminal is small; any of the usual keys closes it.

    Args:
        flow: what flows.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q,enter", "dismiss(None)", "close")]

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self._flow = flow

    def compose(self) -> ComposeResult:
        """What is seen, and the keys."""
        websocket = self._flow == "websocket"
        title = "⇄ WebSocket · RFC 6455" if websocket else "← Server-Sent Events · WHATWG HTML, section 9.2"
        with VerticalScroll(classes="dialogue", id="legend"):
            yield Static(title, markup=False, classes="title")
            yield Glossary(WEBSOCKET if websocket else SSE)
            yield Glossary([(key, does, "") for key, does in KEYS])
            yield Static(
                "Before the lens is opened nothing but the handshake is kept.\n"
                "Tokens are masked always.   esc closes this.",
                markup=False,
                classes="about",
            )
