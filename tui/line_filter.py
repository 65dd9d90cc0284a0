"""The last guard before the terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color

# What drives a terminal, what no terminal can be sent, and what turns the order of a line around.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]")


class ControlGuard(LineFilter):
    """Replaces C0, C1 and bidirectional controls and lone surrogates in whatever is about to be painted.

    Text is made safe where it is decoded (`pushtui.protocol.text`). Should one way be forgotten, an escape
    sequence in it still cannot reach the terminal, because nearly every widget passes it on as it is.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without control characters; Textual's own control segments stay."""
        for text, _, control in segments:
            if not text.isprintable() and not control and _CONTROL.search(text):
                break
        else:
            return segments
        return [
            segment
            if segment.control
            else Segment(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", segment.text), segment.style)
            for segment in segments
        ]
