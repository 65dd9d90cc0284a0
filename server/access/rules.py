"""Who may come into which room, and who may write there."""

import logging
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from pushtui.protocol.close import CloseCode
from pushtui.protocol.roles import Right
from server.access.access import Access
from server.access.direct import is_direct
from server.access.file import AccessFile, AccessFileError
from server.access.identity import Author, Identity
from server.access.records import Holdings, Rule, Sanction
from server.access.sanctions import Sanctions, sentence
from server.refusal import RefusedError

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FREE = Rule()


class Ending(NamedTuple):
    """How and why a connection ends."""

    code: CloseCode
    reason: str
    retry_ms: int | None = None


class News(NamedTuple):
    """What has changed.

    Attributes:
        people: somebody may have to go.
        rooms: where something else holds.
    """

    people: bool
    rooms: frozenset[str]


class Rules:
    """What holds now, as `Access` says: asked before each coming in and each writing.

    Args:
        access: what the access file says.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._of = Holdings()
        self._sanctions = Sanctions(())
        self._rooms: dict[str, list[str]] = {}
        self._told = access.holdings

    def of(self, room: str) -> Rule:
        """What holds in a room."""
        return self._access.holdings.rules.get(room, _FREE)

    # Coming in

    def ending(self, identity: Identity, nick: str | None = None) -> Ending | None:
        """Why somebody cannot be here, None if they can: their token has ended, or they are kept out."""
        if (lapsed := self._access.lapsed(identity)) is not None:
            return Ending(CloseCode.BAD_TOKEN, lapsed)
        kept_out = self._keeping_out(identity, nick)
        return None if kept_out is None else Ending(CloseCode.REMOVED, sentence(kept_out), self._wait_ms(kept_out))

    def check_in(self, identity: Identity, nick: str | None = None) -> None:
        """Raise `RefusedError` (``not_allowed``), with the time to wait if there is one, for who is kept out."""
        if (kept_out := self._keeping_out(identity, nick)) is not None:
            raise RefusedError("not_allowed", sentence(kept_out), self._wait_ms(kept_out))

    def _keeping_out(self, identity: Identity, nick: str | None) -> Sanction | None:
        self._learn()
        return self._sanctions.keeping_out(identity, nick, self._access.now())

    def _wait_ms(self, sanction: Sanction) -> int | None:
        return None if sanction.until is None else max(0, sanction.until - self._access.now())

    def shut(self, identity: Identity, room: str) -> str | None:
        """Why somebody may not be in a room, None if they may.

        A name that is kept for rooms of two is shut in the same words whether there is the room or not: nobody
        learns who talks with whom by trying names.
        """
        rule = self.of(room)
        if rule.private:
            if identity.name is not None and identity.name in rule.members:
                return None
        elif not is_direct(room):
            return None
        return _shut(room)

    def check_enter(self, identity: Identity, room: str) -> None:
        """Raise `RefusedError` (``not_allowed``) for who may not be in the room."""
        if (reason := self.shut(identity, room)) is not None:
            raise RefusedError("not_allowed", reason)

    def rooms_of(self, identity: Identity) -> list[str]:
        """The private rooms and rooms of two that somebody may be in."""
        self._learn()
        return [] if identity.name is None else self._rooms.get(identity.name, [])

    # Writing

    def check_token(self, identity: Identity) -> None:
        """Raise `RefusedError` (``unauthorized``) for whose token has ended since they were let in."""
        if (lapsed := self._access.lapsed(identity)) is not None:
            raise RefusedError("unauthorized", lapsed)

    def check_write(self, author: Author, room: str | None) -> None:
        """Raise `RefusedError` (``not_allowed``) for who may not write there now.

        Args:
            author: who it is.
            room: where; None for what is written into no room.
        """
        identity = author.identity
        self.check_in(identity, author.nick)
        muted = self._sanctions.muting(identity, author.nick, room, self._access.now())
        if muted is not None:
            raise RefusedError("not_allowed", sentence(muted))
        if room is not None:
            self.check_enter(identity, room)
            if self.of(room).read_only and not identity.role.may(Right.MODERATE):
                raise RefusedError("not_allowed", f"{room} is read-only: only moderators write there")

    def may_write(self, author: Author, room: str | None) -> bool:
        """Whether `check_write` has nothing against it."""
        try:
            self.check_write(author, room)
        except RefusedError:
            return False
        return True

    # What holds changes

    def news(self) -> News:
        """What is another than when this was asked the last time."""
        before, now = self._told, self._access.holdings
        self._told = now
        if now is before:
            # Nothing was written: something ended by itself.
            return News(people=True, rooms=frozenset())
        rooms = before.rules.keys() | now.rules.keys()
        changed = frozenset(room for room in rooms if before.rules.get(room) != now.rules.get(room))
        people = (before.tokens, before.sanctions) != (now.tokens, now.sanctions)
        return News(people, changed)

    async def change(self, change: Callable[[AccessFile], T]) -> T:
        """Change the access file; what it says holds when this returns.

        Raises:
            RefusedError: it cannot be changed now; or ``change`` raised it.
        """
        try:
            return await self._access.change(change)
        except AccessFileError as error:
            logger.warning("%s", error)
            raise RefusedError("busy", "the server cannot write this down; its log says why") from error

    async def change_rule(self, room: str, change: Callable[[Rule], Rule]) -> None:
        """Change what holds in a room, from what holds at that moment; errors as for `change`."""

        def write(file: AccessFile) -> None:
            file.rule(room, change(file.load().rules.get(room, _FREE)))

        await self.change(write)

    def _learn(self) -> None:
        holdings = self._access.holdings
        if holdings is self._of:
            return
        self._of = holdings
        self._sanctions = Sanctions(holdings.sanctions)
        self._rooms = {}
        for room, rule in sorted(holdings.rules.items()):
            for name in rule.members if rule.private else ():
                self._rooms.setdefault(name, []).append(room)


def _shut(room: str) -> str:
    if is_direct(room):
        return f"{room} is kept for two people; ask for a room of two by name"
    return f"{room} is private: somebody who is in it has to admit you"
