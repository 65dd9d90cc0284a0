"""Roles, and what each one may do."""

from enum import Enum, StrEnum, auto


class Right(Enum):
    """One thing that a role may do."""

    LISTEN = auto()
    SPEAK = auto()
    NOTIFY = auto()
    REPORT = auto()
    MODERATE = auto()
    ADMINISTER = auto()


class Role(StrEnum):
    """What somebody is here as; `Role.may` tells what that allows."""

    READER = "reader"
    AGENT = "agent"
    MEMBER = "member"
    MODERATOR = "moderator"
    ADMIN = "admin"

    def may(self, right: Right) -> bool:
        """Whether the role has the right."""
        return right in _RIGHTS[self]


_MEMBER = frozenset({Right.LISTEN, Right.SPEAK, Right.NOTIFY, Right.REPORT})
_MODERATOR = _MEMBER | {Right.MODERATE}
_RIGHTS: dict[Role, frozenset[Right]] = {
    Role.READER: frozenset({Right.LISTEN}),
    Role.AGENT: frozenset({Right.NOTIFY, Right.REPORT}),
    Role.MEMBER: _MEMBER,
    Role.MODERATOR: _MODERATOR,
    Role.ADMIN: _MODERATOR | {Right.ADMINISTER},
}
