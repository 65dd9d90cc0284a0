"""What people do about rooms: whose they are, who comes in, who writes there; and rooms of two."""

from msgspec.structs import replace

from pushtui.protocol.messages import Direct, Done, Moderate
from pushtui.protocol.roles import Right
from server.access.direct import direct_room, is_direct
from server.access.identity import Author
from server.access.lookalikes import skeleton
from server.access.records import Rule
from server.log.store import StoreBusyError
from server.log.streams import room_stream
from server.refusal import RefusedError
from server.service import Service
from server.writing import checked_nick, checked_room


class Membership:
    """One person's acts about rooms. Each is on disk and holds when it returns.

    Args:
        service: the server.
        author: who acts.
    """

    def __init__(self, service: Service, author: Author) -> None:
        self._service = service
        self._author = author
        self._identity = author.identity
        self._moderates = author.identity.role.may(Right.MODERATE)

    async def act(self, said: Moderate) -> str:
        """Do what is asked for; returns a sentence that says what was done.

        Raises:
            RefusedError: it is not done.
        """
        room = open_room(said)
        match said.action:
            case "read_only":
                return await self._read_only(room, said.on)
            case "private":
                return await (self._close(room) if said.on else self._open(room))
            case "admit":
                return await self._admit(room, said.nick)
            case "expel":
                return await self._expel(room, said.nick)
        raise RefusedError("malformed", f"{said.action} is nothing to do with a room")

    async def direct(self, said: Direct) -> Done:
        """The room of two with somebody; the other is told unless they are in it.

        Raises:
            RefusedError: there can be none.
        """
        self._identity.require(Right.SPEAK)
        name = self._own_name()
        other = self._name_of(said.nick)
        if other == name:
            raise RefusedError("not_allowed", "a room of two is for two people, and that is you")
        # Who may not write may not ring either.
        self._service.rules.check_write(self._author, None)
        self._service.allowances.send(self._identity, name)
        room = direct_room(name, other)
        if not self._service.rules.of(room).direct:
            await self._make(room)
            pair = Rule(private=True, direct=True, members=frozenset({name, other}))
            await self._service.rules.change_rule(room, lambda _: pair)
        for person in self._service.people.named(other):
            person.invite(room, name)
        return Done(said.key, f"this room is for {name} and {other} alone", room)

    async def _read_only(self, room: str, on: bool) -> str:
        self._identity.require(Right.MODERATE)
        if on:
            await self._make(room)
        await self._service.rules.change_rule(room, lambda rule: replace(rule, read_only=on))
        return f"{room} is read-only now" if on else f"whoever is in {room} may write there again"

    async def _close(self, room: str) -> str:
        self._identity.require(Right.SPEAK)
        name = self._own_name()
        if not self._service.rules.of(room).private:
            state = self._service.store.state(room_stream(room))
            if not self._moderates and state is not None and state.head:
                raise RefusedError("not_allowed", f"{room} has been written to: a moderator can make it private")
            await self._make(room)

        def close(rule: Rule) -> Rule:
            if rule.private:
                raise RefusedError("not_allowed", f"{room} is private already")
            return replace(rule, private=True, members=frozenset({name}))

        await self._service.rules.change_rule(room, close)
        return f"{room} is private now, and {name} is in it; admit others by name"

    async def _open(self, room: str) -> str:
        self._identity.require(Right.MODERATE)
        await self._service.rules.change_rule(room, lambda rule: replace(rule, private=False, members=frozenset()))
        return f"{room} is open to everyone"

    async def _admit(self, room: str, nick: str | None) -> str:
        if not self._moderates and self._identity.name not in self._service.rules.of(room).members:
            raise RefusedError(
                "not_allowed", f"only who is in the private room {room}, or a moderator, admits others"
            )
        name = self._name_of(nick)

        def admit(rule: Rule) -> Rule:
            if not rule.private:
                raise RefusedError("not_allowed", f"{room} is open to everyone")
            return replace(rule, members=rule.members | {name})

        await self._service.rules.change_rule(room, admit)
        for person in self._service.people.named(name):
            person.invite(room, self._author.nick)
        return f"{name} may come into {room}"

    async def _expel(self, room: str, nick: str | None) -> str:
        if nick is None:
            raise RefusedError("malformed", "expel whom? name a nick")
        # By what is written there: a token may be gone.
        nick = checked_nick(nick)
        members, looks = self._service.rules.of(room).members, skeleton(nick)
        name = next((member for member in members if skeleton(member) == looks), None)
        # Everyone may go for good: one is admitted without being asked.
        if name is None or name != self._identity.name:
            self._identity.require(Right.MODERATE)
        if name is None:
            raise RefusedError("no_such_target", f"{nick} is no member of {room}")
        await self._service.rules.change_rule(room, lambda rule: replace(rule, members=rule.members - {name}))
        return f"{name} is no member of {room} any more"

    async def _make(self, room: str) -> None:
        """See that there is the room: those that somebody made count, and rules for others would not."""
        self._service.writing.check_room(self._identity, room)
        try:
            await self._service.fanout.open(room_stream(room))
        except StoreBusyError as error:
            raise RefusedError("busy", str(error)) from error

    def _own_name(self) -> str:
        if self._identity.name is None:
            raise RefusedError(
                "not_allowed", "only who has a token has a name of their own, and with it rooms of their own"
            )
        return self._identity.name

    def _name_of(self, nick: str | None) -> str:
        """The name of somebody with a token that holds, who may listen."""
        if nick is None:
            raise RefusedError("malformed", "whom? name a nick")
        nick = checked_nick(nick)
        name = self._service.access.reserved(nick)
        role = None if name is None else self._service.access.role(name)
        if name is None or role is None:
            raise RefusedError("no_such_target", f"nobody has a token with the name {nick}")
        if not role.may(Right.LISTEN):
            raise RefusedError("not_allowed", f"{name} has the role {role} and listens to nothing")
        return name


def open_room(said: Moderate) -> str:
    """The room that an act is about, which is none of two people's.

    Raises:
        RefusedError: it names none, or one of two.
    """
    if said.room is None:
        raise RefusedError("malformed", f"{said.action} where? name a room")
    room = checked_room(said.room)
    if is_direct(room):
        raise RefusedError("not_allowed", f"{room} is kept for two people, and stays as it is")
    return room
