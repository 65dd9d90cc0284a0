"""What holds in a room, and whether one may write there. Pure."""

from typing import NamedTuple

from pushtui.protocol.roles import Right, Role


class RoomRules(NamedTuple):
    """What the server said last about a room.

    Attributes:
        read_only: only moderators write there.
        private: only who was admitted is there.
        direct: whom one shares a room of two with, empty for every other room.
        shut: why one is not in it any longer, empty while one is.
    """

    read_only: bool = False
    private: bool = False
    direct: str = ""
    shut: str = ""

    def label(self, room: str) -> str:
        """Return how a room of that name is called on the screen: ``@bob`` for two, ``*ops`` when private."""
        if self.direct:
            return f"@{self.direct}"
        return f"*{room}" if self.private else room


def role_of(name: str) -> Role:
    """Return the role of that name. One that this version does not know is a member's: the server knows better."""
    try:
        return Role(name)
    except ValueError:
        return Role.MEMBER


def silence(rules: RoomRules, role: Role) -> str:
    """Return why one cannot write in a room, in one sentence; empty if one can."""
    if rules.shut:
        return rules.shut
    if not role.may(Right.SPEAK):
        return "you may only listen"
    if rules.read_only and not role.may(Right.MODERATE):
        return "only moderators write here"
    return ""
