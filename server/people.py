"""Who is here: one connection for each session, one person for each nick."""

from typing import Generic, Protocol, TypeVar

from server.access.identity import Identity
from server.access.lookalikes import skeleton


class Person(Protocol):
    """A connection that said hello."""

    nick: str
    session: str
    identity: Identity


P = TypeVar("P", bound=Person)


class NickTakenError(Exception):
    """Somebody else has the nick, or one that looks like it; the message says so."""


class TooManySessionsError(Exception):
    """One person has as many sessions as they may; the message says so."""


class People(Generic[P]):
    """Everyone who said hello. Nicks that look alike are the same nick.

    Who has a token may be here several times: a laptop, a phone, a bot. Without tokens nobody knows whether two
    sessions are one person, so there a nick has one session.

    Args:
        sessions: how many one person may have.
    """

    def __init__(self, sessions: int) -> None:
        self._sessions = sessions
        self._by_session: dict[str, P] = {}
        self._by_nick: dict[str, set[P]] = {}

    def __len__(self) -> int:
        return len(self._by_session)

    def enter(self, person: P) -> P | None:
        """Somebody is here; returns the connection of the same session that this one replaces.

        Raises:
            NickTakenError: the nick belongs to somebody else; nothing has changed.
            TooManySessionsError: likewise.
        """
        replaced = self._by_session.get(person.session)
        if replaced is not None and replaced.identity.name != person.identity.name:
            raise NickTakenError("the session is somebody else's")
        others = [other for other in self.named(person.nick) if other.session != person.session]
        for other in others:
            if other.identity.name is None or other.identity.name != person.identity.name:
                alike = "" if other.nick.casefold() == person.nick.casefold() else f": it looks like {other.nick}"
                raise NickTakenError(f"the nick {person.nick} is taken{alike}")
        if len(others) >= self._sessions:
            raise TooManySessionsError(f"{person.nick} is connected {len(others)} times already")
        if replaced is not None:
            self.exit(replaced)
        self._by_session[person.session] = person
        self._by_nick.setdefault(skeleton(person.nick), set()).add(person)
        return replaced

    def exit(self, person: P) -> None:
        """Somebody is gone. Idempotent; does nothing for a connection that was replaced."""
        if self._by_session.get(person.session) is person:
            del self._by_session[person.session]
        key = skeleton(person.nick)
        if person in (here := self._by_nick.get(key, set())):
            here.discard(person)
            if not here:
                del self._by_nick[key]

    def named(self, nick: str) -> list[P]:
        """Every connection of that nick, or of one that looks like it."""
        return list(self._by_nick.get(skeleton(nick), ()))
