"""Where one stream stands for a client, and whether what it missed has been replayed."""

from typing import NamedTuple

from pushtui.client.happenings import CaughtUp, StatusResume
from pushtui.protocol.messages import Resume
from pushtui.protocol.positions import Position


class Taken(NamedTuple):
    """One event against the stream's position.

    Attributes:
        new: it was not seen before; one that was is to be dropped.
        replayed: it is one of those that came to pass before the resume.
        before: the end of the replay, if this event shows that it came before it.
        after: the end of the replay, if this event was its last.
    """

    new: bool
    replayed: bool = False
    before: CaughtUp | None = None
    after: CaughtUp | None = None


class Replay:
    """One stream, across links.

    Args:
        room: the room whose log it is, None for the status stream.
        position: the last position seen before, None to start afresh.
    """

    def __init__(self, room: str | None = None, position: Position | None = None) -> None:
        self._room = room
        self.position = position
        self._resume: Resume | StatusResume | None = None
        self._replayed = 0
        self._over = True

    @property
    def resumed(self) -> bool:
        """Whether the server has said on this link how the stream goes on."""
        return self._resume is not None

    def link_lost(self) -> None:
        """Events only count again after the next resume; the position stays."""
        self._resume = None
        self._over = True

    def resume(self, resume: Resume | StatusResume) -> CaughtUp | None:
        """The server says how the stream goes on; returns the end of the replay if there is none.

        After a ``reset`` or ``fresh`` what was held before means nothing, so the position is the server's.
        """
        self.position = Position(resume.epoch, resume.after)
        self._resume = resume
        self._replayed = 0
        self._over = False
        return self.finished() if resume.after >= resume.head else None

    def take(self, seq: int) -> Taken:
        """Count one event; not new are those at or before the position, and those before any resume."""
        if self._resume is None or self.position is None or seq <= self.position.seq:
            return Taken(new=False)
        self.position = Position(self.position.epoch, seq)
        head = self._resume.head
        if seq > head:
            return Taken(new=True, before=self.finished())
        self._replayed += 1
        return Taken(new=True, replayed=True, after=self.finished() if seq == head else None)

    def finished(self) -> CaughtUp | None:
        """What to tell about the end of the replay; None when that was told, or before any resume."""
        if self._over or self._resume is None:
            return None
        self._over = True
        return CaughtUp(self._room, self._resume.outcome, self._replayed, self._resume.lost)
