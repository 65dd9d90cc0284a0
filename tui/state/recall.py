"""What was written before, to be had again with the up key. Pure."""

MOST = 200


class Recall:
    """The lines that were sent, newest last, and behind them the one being written.

    What is changed on the way through stays changed until the next line is sent, so no draft is lost by looking.
    """

    def __init__(self) -> None:
        self._sent: list[str] = []
        self._drafts: dict[int, str] = {}
        self._at = 0

    def add(self, text: str) -> None:
        """Remember a line that was sent; the same one twice in a row counts once."""
        if not self._sent or self._sent[-1] != text:
            self._sent.append(text)
            del self._sent[:-MOST]
        self._drafts.clear()
        self._at = len(self._sent)

    def older(self, text: str) -> str | None:
        """Return the line before; None at the first one.

        Args:
            text: what is in the composer now, kept for the way back.
        """
        return self._go(-1, text)

    def newer(self, text: str) -> str | None:
        """Return the line after; None at the one being written. ``text`` as in `older`."""
        return self._go(1, text)

    def _go(self, step: int, text: str) -> str | None:
        to = self._at + step
        if not 0 <= to <= len(self._sent):
            return None
        self._drafts[self._at] = text
        self._at = to
        written = self._sent[to] if to < len(self._sent) else ""
        return self._drafts.get(to, written)
