"""Where one writes: several lines, what was written before, completion; and nothing written is ever lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import TextArea

from pushtui.protocol.limits import LIMITS
from pushtui.protocol.text import safe_text
from tui.commands import Completion
from tui.state.recall import Recall
from tui.widgets.wrapping import clean

if TYPE_CHECKING:
    from textual import events
    from textual.document._document import Location
    from textual.timer import Timer

#: Of the text before the cursor: how it can go on.
Completer = Callable[[str], Completion]

#: Without a key for so long, one is no longer typing. The room itself forgets after 6 s.
QUIET_SECONDS = 4.0
#: While one types on, the room is told again after so long.
TELL_AGAIN_SECONDS = 3.0
#: More than so many times the limit is not even taken in from the clipboard.
_PASTE_FACTOR = 16
_SHOW_COUNTER_FROM = 0.9
_INVITATION = "say something"
#: ctrl+j works in every terminal. The others need one that tells keys apart, by the kitty protocol or xterm's
#: modifyOtherKeys, whose enter Textual calls by its character.
_NEWLINE_KEYS = ("ctrl+j", "alt+enter", "shift+enter", "alt+\r", "shift+\r")
_TAKEN_AWAY = {"f6", "f7", "pageup", "pagedown"}  # they belong to the screen around


def _kept(binding: BindingType) -> bool:
    return not (isinstance(binding, Binding) and binding.key in _TAKEN_AWAY)


class Composer(TextArea, inherit_bindings=False):
    """The line to write in; it grows to six.

    Enter sends; ctrl+j, alt+enter and shift+enter begin a new line; up and down on the first and last row bring
    back what was sent before; tab completes. What is sent stays until `accept` takes it away.

    Args:
        completer: how the text before the cursor can go on; None for no completion.
        most_bytes: the limit of a message, in bytes of UTF-8.
        quiet_seconds: how long after the last key one is still typing.
        steady: seconds of a clock that never jumps.
        id: as of every widget.
    """

    BINDINGS: ClassVar[list[BindingType]] = [binding for binding in TextArea.BINDINGS if _kept(binding)]
    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 3;
        max-height: 8;
        padding: 0 1;
        background: $background;
        color: $foreground;
        border: round $foreground 25%;
        border-title-align: right;
        border-title-color: $foreground 60%;
        border-title-background: $background;
        border-subtitle-align: left;
        border-subtitle-color: $foreground 60%;
        border-subtitle-background: $background;
        scrollbar-size-vertical: 1;
        &:focus { border: round $foreground 45%; }
        &.-refused, &.-refused:focus {
            border: round $error;
            border-subtitle-color: $text-error;
        }
        &.-over { border-title-color: $text-error; }
        .text-area--placeholder { color: $foreground 45%; }
        &:ansi {
            border: round ansi_bright_black;
            border-title-color: ansi_default;
            border-subtitle-color: ansi_default;
            &:focus { border: round ansi_default; }
            &.-refused, &.-refused:focus { border: round $error; border-subtitle-color: $error; }
            .text-area--placeholder { color: ansi_default; text-style: dim; }
        }
    }
    """

    class Submitted(Message):
        """This is to be sent. Answer with `Composer.accept` or `Composer.refuse`.

        Attributes:
            text: what was written.
        """

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class TypingChanged(Message):
        """Somebody began to write (and again from time to time while it goes on), or stopped.

        Attributes:
            on: whether something is being written.
        """

        def __init__(self, on: bool) -> None:
            super().__init__()
            self.on = on

    def __init__(
        self,
        completer: Completer | None = None,
        *,
        most_bytes: int = LIMITS.text_bytes,
        quiet_seconds: float = QUIET_SECONDS,
        steady: Callable[[], float] = time.monotonic,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id, placeholder=Content(_INVITATION), highlight_cursor_line=False)
        self.cursor_blink = False
        self.match_cursor_bracket = False
        self.completer = completer
        self._most_bytes = most_bytes
        self._quiet_seconds = quiet_seconds
        self._recall = Recall()
        self._submitted: str | None = None
        self._ends: list[int] = []
        self._typing = False
        self._told = 0.0
        self._steady = steady
        self._quiet: Timer | None = None
        self._cycle: _Cycle | None = None

    def accept(self) -> None:
        """What was submitted is in good hands: take it away, but not what was written since."""
        sent, self._submitted = self._submitted, None
        if sent is None:
            return
        self._recall.add(sent)
        if not self.text.startswith(sent):
            return
        rest = self.text[len(sent) :].lstrip("\n")
        ends, self._ends = [end - len(self.text) + len(rest) for end in self._ends], []
        self._put(rest)
        if ends:
            self._submit(rest[: ends[0]])
            self._ends = ends[1:]

    def refuse(self, reason: str) -> None:
        """What was submitted cannot be sent: keep it, and say why.

        Args:
            reason: one sentence.
        """
        self._submitted = None
        self._ends.clear()
        self.add_class("-refused")
        self.border_subtitle = Content(clean(reason))

    def silence(self, reason: str) -> None:
        """Say in the empty line why nothing can be said here, or invite to; what is written stays."""
        if str(self.placeholder) != (words := clean(reason) or _INVITATION):
            self.placeholder = Content(words)
            self.remove_class("-refused")
            self._suggest([])

    def restore(self, text: str) -> None:
        """Put back what was sent in vain, before whatever has been written since."""
        written = self.text
        if written != text:
            self._put(f"{text}\n{written}" if written.strip() else text)

    def action_cursor_line_end(self, select: bool = False) -> None:
        """At the very end there is nowhere to go: the key is left to the screen around."""
        if self.cursor_at_end_of_text and not select:
            raise SkipAction
        super().action_cursor_line_end(select)

    def on_key(self, event: events.Key) -> None:
        """Take the keys that mean something else than in an editor."""
        if self._took(event.key):
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Take in the lines as they are, without what would drive a terminal."""
        event.stop()
        event.prevent_default()
        text = safe_text(event.text).removesuffix("\n")
        size = _size(text)
        if size > self._most_bytes * _PASTE_FACTOR:
            self.refuse(f"that is too much to paste: {size} bytes, and a message has at most {self._most_bytes}")
            return
        self._insert(text)

    def on_text_area_changed(self) -> None:
        """Tell that one is typing, how much room is left, and how a command can go on."""
        text = self.text
        if self._submitted is not None and not text.startswith(self._submitted):
            self._submitted = None
            self._ends.clear()
        self.remove_class("-refused")
        self._count(text)
        if self._cycle is None or not self._cycle.stands(self):
            self._cycle = None
            self._suggest(self._completion().candidates if text.startswith("/") else [])
        self._note_typing(text)

    def on_blur(self) -> None:
        """Whoever looks elsewhere is not typing."""
        self._stop_typing()

    def _took(self, key: str) -> bool:
        if key == "enter":
            self._enter()
        elif key in _NEWLINE_KEYS:
            self._insert("\n")
        elif key == "tab":
            return self._complete(1)
        elif key == "shift+tab":
            return self._cycle is not None and self._complete(-1)
        elif key == "up" and self._on_edge(self.navigator.is_first_wrapped_line(self.cursor_location)):
            self._bring(self._recall.older(self.text))
        elif key == "down" and self._on_edge(self.navigator.is_last_wrapped_line(self.cursor_location)):
            self._bring(self._recall.newer(self.text))
        elif key == "escape" and (self._cycle is not None or self.has_class("-refused")):
            self._cycle = None
            self.remove_class("-refused")
            self._suggest([])
        else:
            return False
        return True

    def _enter(self) -> None:
        """Keys can come faster than what was submitted is taken: what follows waits for its turn."""
        if self._submitted is None:
            self._submit(self.text)
        elif len(self.text) > max([len(self._submitted), *self._ends]):
            self._ends.append(len(self.text))

    def _submit(self, text: str) -> None:
        if not text.strip():
            return
        size = _size(text)
        if size > self._most_bytes:
            self.refuse(f"a message has at most {self._most_bytes} bytes, this one has {size}")
            return
        self._submitted = text
        self._stop_typing()
        self.post_message(self.Submitted(text))

    def _on_edge(self, edge: bool) -> bool:
        return edge and self.selection.is_empty

    def _bring(self, text: str | None) -> None:
        if text is not None:
            self._put(text)

    def _put(self, text: str) -> None:
        """Replace everything; undo brings it back."""
        self.replace(text, (0, 0), self.document.end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def _insert(self, text: str) -> None:
        start, end = self.selection
        result = self.replace(text, start, end, maintain_selection_offset=False)
        self.move_cursor(result.end_location)

    def _count(self, text: str) -> None:
        left = self._most_bytes - _size(text)
        self.set_class(left < 0, "-over")
        if left < 0:
            self.border_title = f"{-left} bytes too many"
        else:
            near = left < self._most_bytes * (1 - _SHOW_COUNTER_FROM)
            self.border_title = f"{left} bytes left" if near else None

    def _note_typing(self, text: str) -> None:
        silent = text.startswith("/") and not text.startswith(("/me ", "//"))
        if not text.strip() or silent or not self.has_focus or text == self._submitted:
            self._stop_typing()
            return
        if self._quiet is not None:
            self._quiet.stop()
        self._quiet = self.set_timer(self._quiet_seconds, self._stop_typing)
        now = self._steady()
        if not self._typing or now - self._told >= TELL_AGAIN_SECONDS:
            self._typing = True
            self._told = now
            self.post_message(self.TypingChanged(True))

    def _stop_typing(self) -> None:
        if self._quiet is not None:
            self._quiet.stop()
            self._quiet = None
        if self._typing:
            self._typing = False
            self.post_message(self.TypingChanged(False))

    def _completion(self) -> Completion:
        before = self.get_text_range((0, 0), self.cursor_location)
        return self.completer(before) if self.completer else Completion(len(before), [])

    def _complete(self, step: int) -> bool:
        """Put in the next candidate; False when tab shall go to the next widget."""
        cycle = self._cycle
        if cycle is None or not cycle.stands(self):
            before = self.get_text_range((0, 0), self.cursor_location)
            completion = self._completion()
            if not completion.candidates:
                return bool(before)
            cycle = self._cycle = _Cycle(completion.candidates, _location(before, completion.start))
        cycle.put(self, step)
        self._suggest(cycle.candidates, cycle.at)
        if len(cycle.candidates) == 1:
            self._cycle = None
        return True

    def _suggest(self, candidates: list[str], chosen: int | None = None) -> None:
        if self.has_class("-refused"):
            return
        names = [candidate.rstrip() for candidate in candidates]
        first = 0 if chosen is None else max(0, chosen - 2)
        parts = [
            Content.styled(name, "reverse") if number == chosen else Content(name)
            for number, name in enumerate(names[first:], first)
        ]
        shown = Content("  ").join(parts) if len(names) > 1 or (names and chosen is None) else None
        self.border_subtitle = shown


class _Cycle:
    """Tab after tab: the candidates for one word, and which of them stands there now."""

    def __init__(self, candidates: list[str], start: Location) -> None:
        self.candidates = candidates
        self.at = -1
        self._start = start
        self._end: Location | None = None

    def stands(self, composer: Composer) -> bool:
        """Whether the cursor is still where the last candidate ended, and the text is that one."""
        if self._end is None or composer.cursor_location != self._end:
            return False
        return composer.get_text_range(self._start, self._end) == self.candidates[self.at]

    def put(self, composer: Composer, step: int) -> None:
        """Put in the next candidate, or the one before."""
        self.at = (self.at + step) % len(self.candidates) if self.at >= 0 else 0
        end = composer.cursor_location if self._end is None else self._end
        result = composer.replace(self.candidates[self.at], self._start, end, maintain_selection_offset=False)
        self._end = result.end_location
        composer.move_cursor(self._end)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _location(text: str, index: int) -> Location:
    row = text.count("\n", 0, index)
    return row, index - (text.rfind("\n", 0, index) + 1)
