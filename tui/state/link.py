"""How a link stands, in a sign, a word and a colour; pure, with the clock given in."""

import math
from typing import NamedTuple

from pushtui.client.happenings import Link, LinkState

#: A sign for each state, so that none is told by its colour alone.
SIGNS: dict[LinkState, str] = {
    LinkState.CONNECTING: "◌",
    LinkState.LIVE: "◉",
    LinkState.LOST: "○",
    LinkState.REFUSED: "✕",
    LinkState.CLOSED: "■",
}
#: Names of theme colours.
COLOURS: dict[LinkState, str] = {
    LinkState.CONNECTING: "$text-warning",
    LinkState.LIVE: "$text-success",
    LinkState.LOST: "$text-error",
    LinkState.REFUSED: "$text-error",
    LinkState.CLOSED: "$text-error",
}


class Standing(NamedTuple):
    """What a pane says about its link: ``◉ live``, ``○ lost · retry in 4 s``, ``✕ refused · nick taken``."""

    sign: str
    word: str
    detail: str
    colour: str


class LinkView:
    """The last word on a link, and when the next try is due.

    A client tells once that it will retry in so many seconds; this counts them down.

    Attributes:
        link: what the client told last.
    """

    def __init__(self) -> None:
        self.link = Link(LinkState.CONNECTING)
        self._retry_at: float | None = None

    def apply(self, link: Link, now: float) -> None:
        """Take over what the client tells; ``now`` in seconds of a clock that never jumps."""
        self.link = link
        self._retry_at = None if link.retry_in is None else now + link.retry_in

    @property
    def down(self) -> bool:
        """Whether nothing comes through at the moment."""
        return self.link.state is not LinkState.LIVE

    def standing(self, now: float) -> Standing:
        """Return what there is to say at ``now``."""
        state = self.link.state
        return Standing(SIGNS[state], state.value, self._detail(now), COLOURS[state])

    def _detail(self, now: float) -> str:
        match self.link.state:
            case LinkState.LIVE:
                return ""
            case LinkState.CONNECTING:
                return f"try {self.link.attempt}" if self.link.attempt > 1 else ""
            case LinkState.LOST if self._retry_at is not None:
                left = math.ceil(self._retry_at - now)
                return f"retry in {left} s" if left > 0 else "retrying"
            case _:
                return self.link.reason
