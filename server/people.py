"""Who is here: one connection for each session, one session for each nick."""

from typing import Generic, Protocol, TypeVar


class Person(Protocol):
    """A connection that said hello."""

    nick: str
    session: str


P = TypeVar("P", bound=Person)


class NickTakenError(Exception):
    """Another session has the nick."""


class People(Generic[P]):
    """Everyone who said hello. Nicks that differ only in case are the same nick."""

    def __init__(self) -> None:
        self._by_session: dict[str, P] = {}
        self._by_nick: dict[str, P] = {}

    def __len__(self) -> int:
        return len(self._by_session)

    def enter(self, person: P) -> P | None:
        """Somebody is here; returns the connection of the same session that this one replaces.

        Raises:
            NickTakenError: the nick belongs to another session; nothing has changed.
        """
        holder = self._by_nick.get(person.nick.casefold())
        if holder is not None and holder.session != person.session:
            raise NickTakenError
        replaced = self._by_session.get(person.session)
        if replaced is not None:
            self.exit(replaced)
        self._by_session[person.session] = person
        self._by_nick[person.nick.casefold()] = person
        return replaced

    def exit(self, person: P) -> None:
        """Somebody is gone. Idempotent; does nothing for a connection that was replaced."""
        if self._by_session.get(person.session) is person:
            del self._by_session[person.session]
        if self._by_nick.get(person.nick.casefold()) is person:
            del self._by_nick[person.nick.casefold()]
