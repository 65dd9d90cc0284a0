"""What the access file holds: one struct for each kind of row. All times in ms since the epoch."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from pushtui.protocol.roles import Role

SanctionKind = Literal["remove", "mute", "ban"]


class TokenRecord(Struct, frozen=True):
    """A token that was made. Its name is the nick of whoever comes with it; a name may have several.

    Attributes:
        digest: see `server.access.secret.Secret.digest`.
        expires: from when on it does not hold any more, None for never.
        revoked: when it was taken back.
        used: when somebody last came with it.
    """

    id: str
    name: str
    role: Role
    digest: bytes
    created: int
    expires: int | None = None
    revoked: int | None = None
    used: int | None = None


class Sanction(Struct, frozen=True):
    """What somebody may not do for a while.

    Attributes:
        kind: ``remove`` and ``ban`` keep somebody out, ``mute`` lets them listen only.
        name: of whoever it is about; for a person without a token its nick.
        address: the address it is about, empty for none.
        room: where a ``mute`` holds, empty for everywhere.
        until: when it ends, None for never.
        by: who decided it.
        reason: why, in their words.
    """

    id: int
    kind: SanctionKind
    name: str
    address: str
    room: str
    until: int | None
    by: str
    reason: str
    at: int


class Rule(Struct, frozen=True):
    """What holds in one room.

    Attributes:
        read_only: only moderators write.
        private: only members come in.
        direct: it is the room of two people, and stays it.
        members: the names of those who may come in.
    """

    read_only: bool = False
    private: bool = False
    direct: bool = False
    members: frozenset[str] = frozenset()

    @property
    def holds(self) -> tuple[bool, bool]:
        """What everyone who is there is told: whether it is read-only, and private."""
        return self.read_only, self.private

    def other(self, name: str) -> str | None:
        """With whom somebody shares a room of two; None for any other room."""
        return next(iter(self.members - {name}), None) if self.direct else None


class Holdings(Struct, frozen=True):
    """All of the file at one moment."""

    tokens: Mapping[str, TokenRecord] = field(default_factory=dict)
    sanctions: tuple[Sanction, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
