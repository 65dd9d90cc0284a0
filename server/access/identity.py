"""Who somebody is to the server."""

from dataclasses import dataclass
from typing import NamedTuple

from pushtui.protocol.roles import Right, Role
from server.refusal import RefusedError

_REFUSALS = {
    Right.LISTEN: "listen",
    Right.SPEAK: "say anything",
    Right.NOTIFY: "post notices",
    Right.REPORT: "post samples",
    Right.MODERATE: "moderate",
    Right.ADMINISTER: "administer",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """One client, as far as its token tells.

    Attributes:
        address: the address it counts under: IPv4, or the IPv6 network of 64 bits.
        role: what it may do.
        token: the id of its token, None without one.
        name: the name of its token, which is its nick; None without one: then it takes a nick of its own.
    """

    address: str
    role: Role = Role.MEMBER
    token: str | None = None
    name: str | None = None

    def require(self, right: Right) -> None:
        """Raise `RefusedError` (``not_allowed``) unless the role has the right."""
        if not self.role.may(right):
            raise RefusedError("not_allowed", f"the role {self.role} may not {_REFUSALS[right]}")


class Author(NamedTuple):
    """Somebody who writes: the nick that everyone sees, and who that is."""

    nick: str
    identity: Identity
