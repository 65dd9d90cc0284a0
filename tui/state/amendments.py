"""What was done to messages after they were said: edits, removals, reactions. Pure.

They may come before the message they are about: an edit of today reaches a screen that has not loaded last
week. So they are kept by their target, and the one with the highest seq wins, in whatever order they come.
"""

import msgspec

from pushtui.protocol.bodies import Edit, React, Redact
from tui.state.items import EMOTE, Item, Kind

MOST = 10_000
#: More different emoji on one message are not shown, and more reactions to it not counted.
MOST_EMOJI = 12
MOST_REACTIONS = 1000


class Amendment:
    """All that is known to have been done to one message."""

    def __init__(self) -> None:
        self.edited_at = 0
        self.text = ""
        self.removed_at = 0
        self.removed_by = ""
        self.reactions: dict[tuple[str, str], tuple[int, bool]] = {}

    def react(self, seq: int, who: tuple[str, str], on: bool) -> None:
        """Set or take back one emoji of one person."""
        known = self.reactions.get(who)
        if seq > known[0] if known else len(self.reactions) < MOST_REACTIONS:
            self.reactions[who] = (seq, on)

    def applied(self, item: Item) -> Item:
        """Return ``item`` as it is now."""
        if not item.said:
            return item
        if self.removed_at:
            other = "" if self.removed_by == item.by else self.removed_by
            return msgspec.structs.replace(
                item, text="", removed=True, removed_by=other, edited=False, reactions=()
            )
        kind, text, edited = item.kind, item.text, item.edited
        if self.edited_at:
            kind, text = spoken(self.text)
            edited = True
        counts: dict[str, int] = {}
        for (emoji, _), (_, on) in self.reactions.items():
            counts[emoji] = counts.get(emoji, 0) + on
        reactions = tuple((emoji, count) for emoji, count in counts.items() if count)[:MOST_EMOJI]
        return msgspec.structs.replace(item, kind=kind, text=text, edited=edited, reactions=reactions)


class Amendments:
    """What was done to the messages of one room, by the seq of each; the oldest are forgotten beyond `MOST`."""

    def __init__(self) -> None:
        self._by_target: dict[int, Amendment] = {}

    def add(self, seq: int, by: str, body: Edit | Redact | React) -> int:
        """Take in the event at ``seq``; returns the seq of the message that it is about."""
        amendment = self._by_target.get(body.target)
        if amendment is None:
            if len(self._by_target) >= MOST:
                del self._by_target[next(iter(self._by_target))]
            amendment = self._by_target[body.target] = Amendment()
        if isinstance(body, Redact):
            # Its author may have done so first; a moderator who does it again has done nothing.
            if not amendment.removed_at or seq < amendment.removed_at:
                amendment.removed_at, amendment.removed_by = seq, by
            amendment.text = ""
        elif isinstance(body, Edit):
            if seq > amendment.edited_at and not amendment.removed_at:
                amendment.edited_at, amendment.text = seq, body.text
        else:
            amendment.react(seq, (body.emoji, by), body.on)
        return body.target

    def of(self, seq: int) -> Amendment | None:
        """Return what was done to the message at ``seq``."""
        return self._by_target.get(seq)

    def clear(self) -> None:
        """Forget all."""
        self._by_target.clear()


def spoken(text: str) -> tuple[Kind, str]:
    """Tell a message from an emote (``/me waves``), and return the words to show."""
    if text.startswith(EMOTE) and text[len(EMOTE) :].strip():
        return Kind.EMOTE, text[len(EMOTE) :].strip()
    return Kind.MESSAGE, text
