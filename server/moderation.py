"""What moderators do about people: who is kept out, and who may not write."""

import logging
from typing import NamedTuple

from pushtui.durations import duration
from pushtui.protocol.close import CloseCode
from pushtui.protocol.messages import Done, Moderate
from pushtui.protocol.roles import Right, Role
from pushtui.protocol.text import safe_line
from server.access.file import AccessFile
from server.access.identity import Author, Identity
from server.access.lookalikes import skeleton
from server.access.records import Sanction, SanctionKind
from server.access.rules import Ending
from server.access.sanctions import in_force, moment
from server.addresses import counted
from server.membership import Membership, open_room
from server.refusal import RefusedError
from server.service import Service
from server.writing import checked_nick

logger = logging.getLogger(__name__)

#: What is meant for longer is meant for ever.
_MOST_SECONDS = 10 * 366 * 86_400
#: Of a list that is longer, the newest are told: it is one frame.
_MOST_LISTED = 100


class Whom(NamedTuple):
    """Somebody an act is about.

    Attributes:
        name: their token's name; for somebody without one the nick they have now.
        address: where somebody without a token is, else empty.
        role: what they are here as; of several tokens the most.
    """

    name: str
    address: str
    role: Role


class Moderation:
    """One person's acts of moderation. Each is on disk and holds when it returns.

    Args:
        service: the server.
        author: who acts.
    """

    def __init__(self, service: Service, author: Author) -> None:
        self._service = service
        self._author = author
        self._identity = author.identity

    async def act(self, said: Moderate) -> Done:
        """Do what is asked for.

        Raises:
            RefusedError: it is not done.
        """
        self._service.allowances.send(self._identity, self._author.nick)
        match said.action:
            case "remove":
                message = await self._remove(said)
            case "mute":
                message = await self._mute(said)
            case "ban":
                message = await self._ban(said)
            case "unmute" | "unban":
                message = await self._lift(said)
            case "list":
                return Done(said.key, self._list())
            case _:
                message = await Membership(self._service, self._author).act(said)
        await self._service.writing.settled()
        logger.info("%s (%s): %s", safe_line(self._author.nick), self._identity.role, message)
        return Done(said.key, message)

    # People

    async def _remove(self, said: Moderate) -> str:
        self._identity.require(Right.MODERATE)
        whom = self._whom(said)
        if said.seconds is None:
            reason = self._reason(said)
            ending = Ending(CloseCode.REMOVED, f"{self._author.nick} removed you{_because(reason)}")
            self._service.connections.dismiss(lambda identity, nick: ending if _is(whom, identity, nick) else None)
            return f"{whom.name} is removed, and may come back{_because(reason)}"
        about = self._about(whom)
        return f"{_told(about)} is removed{await self._sanction('remove', said, [about])}"

    async def _mute(self, said: Moderate) -> str:
        self._identity.require(Right.MODERATE)
        whom = self._whom(said)
        if not whom.role.may(Right.SPEAK):
            raise RefusedError("not_allowed", f"{whom.name} has the role {whom.role} and says nothing anyway")
        room = "" if said.room is None else open_room(said)
        message = await self._sanction("mute", said, [(whom.name, "")], room)
        return f"{whom.name} is muted{f' in {room}' if room else ''}{message}"

    async def _ban(self, said: Moderate) -> str:
        self._identity.require(Right.ADMINISTER)
        about = []
        if said.nick is not None or said.address is None:
            about.append(self._about(self._whom(said)))
        if said.address is not None:
            address = _address(said.address)
            if address == self._identity.address:
                raise RefusedError("not_allowed", f"{address} is your own address")
            about.append(("", address))
        verb = "is" if len(about) == 1 else "are"
        return f"{' and '.join(map(_told, about))} {verb} banned{await self._sanction('ban', said, about)}"

    async def _lift(self, said: Moderate) -> str:
        self._identity.require(Right.MODERATE)
        if said.nick is None and said.address is None:
            raise RefusedError("malformed", f"{said.action} whom? name a nick or an address")
        name = None if said.nick is None else skeleton(checked_nick(said.nick))
        address = None if said.address is None else _address(said.address)
        if name == skeleton(self._author.nick):
            raise _about_oneself()
        kinds = ("mute",) if said.action == "unmute" else ("remove", "ban")
        found = [
            one
            for one in self._sanctions()
            if one.kind in kinds
            and (skeleton(one.name) == name or (address is not None and one.address == address))
            and said.room in (None, one.room)
        ]
        who = safe_line(" and ".join(filter(None, (said.nick, address))))[:200]
        if not found:
            raise RefusedError("no_such_target", f"nothing to lift: {who} is not {_DONE[said.action]}")
        if any(one.kind == "ban" for one in found):
            self._identity.require(Right.ADMINISTER)
        await self._service.rules.change(lambda file: file.lift([one.id for one in found]))
        return f"{who} is {_DONE[said.action]} no longer"

    # What there is

    def _list(self) -> str:
        self._identity.require(Right.MODERATE)
        rules = self._service.access.holdings.rules
        lines = [f"{room} is read-only" for room, rule in sorted(rules.items()) if rule.read_only]
        lines += [
            f"{room} is private: {', '.join(sorted(rule.members)) or 'nobody'}"
            for room, rule in sorted(rules.items())
            if rule.private and not rule.direct
        ]
        lines += [_line(one) for one in self._sanctions()]
        left_out = len(lines) - _MOST_LISTED
        if left_out > 0:
            lines = [f"{left_out} more are not shown", *lines[-_MOST_LISTED:]]
        return "\n".join(line[:300] for line in lines) or "nobody is kept out or muted, and every room is open"

    def _sanctions(self) -> list[Sanction]:
        now = self._service.access.now()
        return [one for one in self._service.access.holdings.sanctions if in_force(one, now)]

    # How it is done

    def _whom(self, said: Moderate) -> Whom:
        """Whom a nick means: a token's name before somebody who is here without one.

        Raises:
            RefusedError: nobody, oneself, or somebody of a higher role.
        """
        if said.nick is None:
            raise RefusedError("malformed", f"{said.action} whom? name a nick")
        nick = checked_nick(said.nick)
        access = self._service.access
        name = access.reserved(nick)
        if name is not None:
            whom = Whom(name, "", access.role(name) or Role.MEMBER)
        elif present := self._service.people.named(nick):
            whom = Whom(present[0].nick, present[0].identity.address, present[0].identity.role)
        else:
            raise RefusedError("no_such_target", f"nobody has a token with the name {nick}, or is here as that")
        if skeleton(whom.name) == skeleton(self._author.nick):
            raise _about_oneself()
        if _rank(whom.role) > _rank(self._identity.role):
            raise RefusedError("not_allowed", f"{whom.name} is {whom.role}, and you are not")
        return whom

    def _about(self, whom: Whom) -> tuple[str, str]:
        """The name and the address to write down for somebody; never the address that one has oneself."""
        return whom.name, "" if whom.address == self._identity.address else whom.address

    def _reason(self, said: Moderate) -> str:
        most = self._service.limits.topic_characters
        reason = safe_line((said.reason or "")[: 8 * most]).strip()
        if len(reason) > most:
            raise RefusedError("too_long", f"a reason has at most {most} characters")
        return reason

    async def _sanction(
        self, kind: SanctionKind, said: Moderate, about: list[tuple[str, str]], room: str = ""
    ) -> str:
        """Write it down; returns how long it holds and why, to be put behind a sentence."""
        reason = self._reason(said)
        if said.seconds is not None and not 0 < said.seconds <= _MOST_SECONDS:
            raise RefusedError(
                "malformed", "seconds are at least 1, and at most ten years; leave them out for ever"
            )
        now = self._service.access.now()
        until = None if said.seconds is None else now + said.seconds * 1000
        superseded = [
            one.id
            for one in self._service.access.holdings.sanctions
            if not in_force(one, now)
            or (one.kind == kind and one.room == room and (one.name, one.address) in about)
        ]

        def write(file: AccessFile) -> None:
            file.lift(superseded)
            for name, address in about:
                file.sanction(
                    kind,
                    name=name,
                    address=address,
                    room=room,
                    until=until,
                    by=self._author.nick,
                    reason=reason,
                    at=now,
                )

        await self._service.rules.change(write)
        return f"{'' if said.seconds is None else f' for {duration(said.seconds * 1000)}'}{_because(reason)}"


_DONE = {"unmute": "muted", "unban": "kept out"}


def _is(whom: Whom, identity: Identity, nick: str | None) -> bool:
    """Whether a connection is theirs."""
    if identity.name is not None or not whom.address:
        return identity.name == whom.name
    return nick == whom.name


def _rank(role: Role) -> int:
    return role.may(Right.MODERATE) + role.may(Right.ADMINISTER)


def _told(about: tuple[str, str]) -> str:
    name, address = about
    return f"{name} (and who else has no token at {address})" if name and address else name or address


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _about_oneself() -> RefusedError:
    return RefusedError("not_allowed", "one does not moderate oneself")


def _address(text: str) -> str:
    try:
        # A network of 64 bits is how an IPv6 address is told.
        return counted(text.strip().removesuffix("/64"))
    except ValueError:
        raise RefusedError("malformed", f"{safe_line(text[:64])} is no IP address") from None


def _line(sanction: Sanction) -> str:
    whom = " and ".join(filter(None, (sanction.name, sanction.address)))
    where = f" in {sanction.room}" if sanction.room else ""
    until = "" if sanction.until is None else f" until {moment(sanction.until)}"
    return f"{_KINDS[sanction.kind]}: {whom}{where}{until}, by {sanction.by}{_because(sanction.reason)}"


_KINDS: dict[SanctionKind, str] = {"remove": "removed", "mute": "muted", "ban": "banned"}
