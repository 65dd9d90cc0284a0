"""One room as it is held for the screen: its items in order, and who is there. Pure.

What the log says goes in by its seq, wherever it comes from (live, replay, an older page), so nothing is shown
twice or out of order. Whoever paints the items asks what has changed since it last looked, and pays for that only.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

import msgspec

from pushtui.protocol.messages import Member
from tui.state.amendments import Amendments
from tui.state.items import Item, Kind, Place, State
from tui.state.presence import Comings
from tui.state.rules import RoomRules

#: Settled items kept while the reader follows; what is older can be loaded again.
HELD = 20_000
#: … and at most, while somebody reads further up.
MOST = 100_000
#: They are dropped so many at once, because each time costs a walk over all.
AT_ONCE = 2_000
TYPING_MS = 6_000
_UNSETTLED = 2**62
_CHANGES = 4_096


class Older(StrEnum):
    """What is known about messages older than those held."""

    MORE = "more"
    LOADING = "loading"
    FAILED = "failed"
    BEGINNING = "beginning"


class Splice(NamedTuple):
    """A change of `RoomView.items`: from ``start`` on, ``removed`` were taken out and ``inserted`` put in."""

    start: int
    removed: int
    inserted: int


class RoomView:
    """One room.

    Attributes:
        name: the room's name.
        items: first those that have their place, in its order; then own messages that have none yet.
        topic: what it is about.
        members: who is here or away, by nick; some of them in a crowd.
        crowd: how many are here, when they are too many to know each; else None.
        unread: messages of others since `seen`.
        arrived: messages that came live or in a replay, ever; only grows.
        older: what is known about older messages.
        live: whether the link is up, so that older ones can be asked for.
        catching_up: whether a replay is under way.
        following: set by who shows the room: whether its reader is at the end.
        rules: what holds here.
        beckons: whether somebody opened it for us, so that the first look at it is news too.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.items: list[Item] = []
        self.topic = ""
        self.members: dict[str, Member] = {}
        self.crowd: int | None = None
        self.unread = 0
        self.arrived = 0
        self.older = Older.MORE
        self.live = False
        self.catching_up = False
        self.following = True
        self.rules = RoomRules()
        self.beckons = False
        self.amendments = Amendments()
        self._settled = 0
        self._oldest: int | None = None
        self._newest = 0
        self._after = 0
        self._splices: deque[Splice] = deque(maxlen=_CHANGES)
        self._revision = 0
        self._typing: dict[str, int] = {}
        self._comings: Comings | None = None
        self._failed: dict[str, Place] = {}

    @property
    def unnamed(self) -> int:
        """How many more there are than `members` has."""
        return max(0, (self.crowd or 0) - len(self.members))

    # What the timeline asks

    @property
    def revision(self) -> int:
        """Grows with every change of the items."""
        return self._revision

    @property
    def oldest(self) -> int | None:
        """The seq before which nothing is held, None before the room was entered."""
        return self._oldest

    @property
    def newest(self) -> int:
        """The highest seq seen, 0 for none."""
        return self._newest

    @property
    def waiting(self) -> int:
        """How many own messages are to be stored yet; what failed does not wait."""
        return len(self.unstored)

    @property
    def unstored(self) -> list[Item]:
        """Those, in their order."""
        return [item for item in self.items[self._settled :] if item.state is not State.FAILED]

    @property
    def queued(self) -> list[Item]:
        """Those of them that are not on their way."""
        return [item for item in self.unstored if item.state is State.QUEUED]

    @property
    def failed(self) -> list[Item]:
        """Own messages that no log will have unless they are retried, in the order in which they failed."""
        lines = (self._held(place) for place in self._failed.values())
        ending = (item for item in self.items[self._settled :] if item.state is State.FAILED)
        return [*filter(None, lines), *ending]

    def changes_since(self, revision: int) -> list[Splice] | None:
        """Return what was done to the items since ``revision``, in order; None when that is too long ago."""
        count = self._revision - revision
        if not 0 <= count <= len(self._splices):
            return None
        return [self._splices[index] for index in range(len(self._splices) - count, len(self._splices))]

    def claim_older(self, *, again: bool = False) -> int | None:
        """Take it upon oneself to ask for older messages: the seq to ask before, or None when there is no need.

        Args:
            again: also after a failure; set when a person asks for it.
        """
        wanted = self.older is Older.MORE or (again and self.older is Older.FAILED)
        if not wanted or not self.live or self.catching_up or self._oldest is None:
            return None
        self.older = Older.LOADING
        return self._oldest

    def typing(self, now_ms: int) -> list[str]:
        """Return who is typing, in the order in which they began."""
        return [nick for nick, until in self._typing.items() if until > now_ms]

    def find(self, seq: int) -> Item | None:
        """Return the item of the event ``seq``, if it is held."""
        return self._held(Place(seq))

    def own(self, key: str) -> Item | None:
        """Return the own message with ``key``, waiting or failed."""
        if (place := self._failed.get(key)) is not None:
            return self._held(place)
        return next((item for item in self.items[self._settled :] if item.key == key), None)

    # What the reducer does

    def settle(self, item: Item) -> bool:
        """Put an item in its place; False when that one is held already."""
        index = self._index(item.place)
        if self._at(index, item.place):
            return False
        self._splice(index, 0, (item,))
        self._trim()
        return True

    def line(self, item: Item) -> Place:
        """Put an item of this screen's own after the newest event; returns the place it got."""
        self._after += 1
        place = Place(self._newest, self._after)
        self._splice(self._settled, 0, (msgspec.structs.replace(item, place=place),))
        self._trim()
        return place

    def replace(self, place: Place, **changes: object) -> None:
        """Change the item at ``place``, if it is held."""
        index = self._index(place)
        if self._at(index, place):
            self._splice(index, 1, (msgspec.structs.replace(self.items[index], **changes),))

    def amend(self, target: int) -> None:
        """Bring the message at ``target`` up to what was done to it, if it is held."""
        amendment = self.amendments.of(target)
        index = self._index(Place(target))
        if amendment is not None and self._at(index, Place(target)):
            self._splice(index, 1, (amendment.applied(self.items[index]),))

    def saw(self, seq: int) -> None:
        """The log has got as far as ``seq``, whether or not there was something to show."""
        self._newest = max(self._newest, seq)

    def begin(self, after: int, *, more: bool) -> None:
        """Everything after ``after`` is going to be held, and ``more`` may be older."""
        self._oldest = after + 1
        self.older = Older.MORE if more else Older.BEGINNING

    def prepend(self, items: Iterable[Item], oldest: int | None, *, more: bool) -> None:
        """Put an older page in front; what is held already is left out.

        Args:
            items: the page, oldest first.
            oldest: the lowest seq on the page, shown or not; None when it is empty.
            more: whether still older ones can be had.
        """
        page = list(items)
        first = self.items[0].place if self._settled else Place(_UNSETTLED)
        if page and page[-1].place < first and all(a.place < b.place for a, b in pairwise(page)):
            self._splice(0, 0, page)
        else:
            for item in page:
                self.settle(item)
        if oldest is not None:
            self._oldest = oldest if self._oldest is None else min(self._oldest, oldest)
        self.older = Older.MORE if more and oldest is not None else Older.BEGINNING

    def queue(self, item: Item) -> None:
        """Show an own message at the end, where it stays until the log has it or `place_failed` is called."""
        self._after += 1
        place = Place(_UNSETTLED, self._after)
        self._splice(len(self.items), 0, (msgspec.structs.replace(item, place=place),))

    def change_unsettled(self, key: str, state: State) -> None:
        """An own message got a little further."""
        for index in range(self._settled, len(self.items)):
            if self.items[index].key == key:
                self._splice(index, 1, (msgspec.structs.replace(self.items[index], state=state),))
                return

    def take_unsettled(self, key: str) -> Item | None:
        """Take out the own message with ``key``, waiting or failed, because it gets its place."""
        if (place := self._failed.pop(key, None)) is not None:
            index = self._index(place)
            if self._at(index, place):
                return self._splice(index, 1, ())
        for index in range(self._settled, len(self.items)):
            if self.items[index].key == key:
                return self._splice(index, 1, ())
        return None

    def fail(self, key: str, reason: str) -> bool:
        """An own message will not be stored: it stays where it is now, with the reason."""
        if key in self._failed:
            if reason:
                self.replace(self._failed[key], reason=reason)
            return True
        item = self.take_unsettled(key)
        if item is None:
            return False
        self._failed[key] = self.line(msgspec.structs.replace(item, state=State.FAILED, reason=reason))
        return True

    def requeue(self, key: str, at: int) -> None:
        """What failed is to be sent after all, as the last of what waits, as if it were said at ``at``."""
        item = self.take_unsettled(key)
        if item is not None:
            self.queue(msgspec.structs.replace(item, at=at, state=State.QUEUED, reason=""))

    def place_failed(self) -> None:
        """What failed and stands at the end stays where that is now, because what comes will be newer."""
        for item in [item for item in self.items[self._settled :] if item.state is State.FAILED]:
            self.fail(item.key or "", item.reason)

    def come_and_go(self, item: Item, member: Member) -> None:
        """Somebody's presence changed: say so, in the line before if that one is about such things too."""
        known = self.members.get(member.nick)
        before = known.state if known else "gone"
        if member.state == "gone":
            self.members.pop(member.nick, None)
            self._typing.pop(member.nick, None)
        else:
            self.members[member.nick] = member
        if item.own or (before == member.state and (known is None or known.text == member.text)):
            return
        last = self.items[self._settled - 1] if self._settled else None
        joined = last is not None and last.kind is Kind.PRESENCE and self._comings and not self._comings.full
        if not joined or self._comings is None:
            self._comings = Comings()
        self._comings.add(member.nick, before, member.state, member.text)
        sign, text = self._comings.line()
        if joined and last is not None:
            self.replace(last.place, sign=sign, text=text)
        else:
            self.line(msgspec.structs.replace(item, sign=sign, text=text))

    def gather(self, members: Iterable[Member], crowd: int | None = None) -> None:
        """These are here; of a ``crowd`` of so many, only some."""
        self.members = {member.nick: member for member in members}
        self.crowd = crowd

    def types(self, nick: str, until_ms: int | None) -> None:
        """Somebody types until then, or stopped."""
        self._typing.pop(nick, None)
        if until_ms is not None:
            self._typing[nick] = until_ms

    def expire(self, now_ms: int) -> bool:
        """Forget who has stopped typing; True when somebody has."""
        over = [nick for nick, until in self._typing.items() if until <= now_ms]
        for nick in over:
            del self._typing[nick]
        return bool(over)

    def shut(self, reason: str) -> None:
        """We are here no longer: what was seen stays, who is here is not known any more."""
        self.rules = self.rules._replace(shut=reason)
        self.gather(())
        self._typing.clear()
        self.catching_up = self.live = False

    def seen(self) -> None:
        """Its reader has seen everything."""
        self.unread = 0

    def clear(self) -> None:
        """Drop everything that the log had; own messages that it did not have stay at the end."""
        failed = [item for place in self._failed.values() if (item := self._held(place))]
        self._failed.clear()
        self._splice(0, self._settled, ())
        for item in failed:
            self.queue(item)
        self.amendments.clear()
        self._comings = None
        self._newest = 0
        self._oldest = None

    def _index(self, place: Place) -> int:
        if self._settled and place > self.items[self._settled - 1].place:
            return self._settled
        return bisect_left(self.items, place, 0, self._settled, key=lambda item: item.place)

    def _held(self, place: Place) -> Item | None:
        index = self._index(place)
        return self.items[index] if self._at(index, place) else None

    def _at(self, index: int, place: Place) -> bool:
        return index < self._settled and self.items[index].place == place

    def _splice(self, index: int, removed: int, inserted: list[Item] | tuple[Item, ...]) -> Item | None:
        out = self.items[index] if removed else None
        if index < self._settled or (index == self._settled and inserted and inserted[0].place.seq < _UNSETTLED):
            self._settled += len(inserted) - removed
        self.items[index : index + removed] = inserted
        self._splices.append(Splice(index, removed, len(inserted)))
        self._revision += 1
        return out

    def _trim(self) -> None:
        limit = HELD if self.following else MOST - AT_ONCE
        if self._settled <= limit + AT_ONCE or self.older is Older.LOADING:
            return
        self._splice(0, self._settled - limit, ())
        self._oldest = self.items[0].place.seq + (self.items[0].place.after > 0)
        self.older = Older.MORE
