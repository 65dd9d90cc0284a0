"""Who is kept out or may not write, for how long, and in which words they are told."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from pushtui.protocol.roles import Right
from server.access.identity import Identity
from server.access.lookalikes import skeleton
from server.access.records import Sanction


def in_force(sanction: Sanction, now: int) -> bool:
    """Whether it holds at ``now`` (ms since the epoch)."""
    return sanction.until is None or now < sanction.until


class Sanctions:
    """Decisions about people, found by whom they are about.

    A sanction with a name alone is about whoever has that name. One with a name and an address is about a person
    without a token: whoever has none and comes under either of the two, since a nick is changed in a moment. One
    with an address alone is about everyone there, but administrators: they could not lift it otherwise.
    """

    def __init__(self, sanctions: Iterable[Sanction]) -> None:
        self._by_name: dict[str, list[Sanction]] = {}
        self._by_address: dict[str, list[Sanction]] = {}
        for sanction in sanctions:
            if sanction.name:
                self._by_name.setdefault(skeleton(sanction.name), []).append(sanction)
            if sanction.address:
                self._by_address.setdefault(sanction.address, []).append(sanction)

    def keeping_out(self, identity: Identity, nick: str | None, now: int) -> Sanction | None:
        """Why somebody does not come in, None if nothing speaks against it; of several the one that lasts longest.

        Args:
            identity: who it is.
            nick: the name they took; None when it is not known yet.
            now: ms since the epoch.
        """
        return _longest(one for one in self._about(identity, nick, now) if one.kind != "mute")

    def muting(self, identity: Identity, nick: str, room: str | None, now: int) -> Sanction | None:
        """Why somebody may not write in a room, None if they may.

        Args:
            identity: who it is.
            nick: the name they took.
            room: where; None for what is written into no room, such as notices.
            now: ms since the epoch.
        """
        return _longest(one for one in self._about(identity, nick, now) if _mutes(one, room))

    def _about(self, identity: Identity, nick: str | None, now: int) -> Iterator[Sanction]:
        # Asked for each message: nearly always there are none.
        if not self._by_name and not self._by_address:
            return
        name = identity.name or nick
        for sanction in self._by_name.get(skeleton(name), ()) if name else ():
            if (identity.token is None or not sanction.address) and in_force(sanction, now):
                yield sanction
        for sanction in self._by_address.get(identity.address, ()):
            spared = identity.token is not None if sanction.name else identity.role.may(Right.ADMINISTER)
            if not spared and in_force(sanction, now):
                yield sanction


def sentence(sanction: Sanction) -> str:
    """What whoever it is about is told."""
    reason = f": {sanction.reason}" if sanction.reason else ""
    until = f" until {moment(sanction.until)}" if sanction.until is not None else ""
    match sanction.kind:
        case "remove":
            return f"{sanction.by} removed you{until}{reason}"
        case "ban":
            return f"you are banned{until}{reason}"
        case "mute":
            where = f" in {sanction.room}" if sanction.room else ""
            return f"{sanction.by} muted you{where}{until}; you can read along{reason}"


def moment(at: int) -> str:
    """A time in ms since the epoch as people write it, in UTC: whoever reads it may be anywhere."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _mutes(sanction: Sanction, room: str | None) -> bool:
    return sanction.kind == "mute" and sanction.room in ("", room)


def _longest(sanctions: Iterable[Sanction]) -> Sanction | None:
    return max(sanctions, key=lambda one: float("inf") if one.until is None else one.until, default=None)
