"""A client stopped for a reason that nobody foresaw: that is told, not hidden, and the screen stays."""

from textual.message import Message

from pushtui.protocol.text import safe_line


class ClientFailed(Message):
    """What to tell, in one sentence."""

    def __init__(self, said: str) -> None:
        self.said = said
        super().__init__()


def sentence(error: Exception) -> str:
    """Return an error as one safe line, by its kind if it says nothing itself."""
    said = safe_line(str(error).partition("\n")[0])[:200]
    return f"{said} ({type(error).__name__})" if said else type(error).__name__
