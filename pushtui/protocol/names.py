"""Names of people, rooms and hosts: what they may be, and a sentence for those they may not."""

import re
import unicodedata

from pushtui.protocol.limits import LIMITS

_ROOM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FORBIDDEN_IN_NICK = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})


class NameRefusedError(ValueError):
    """A name cannot be used; the message says why, in one sentence."""


def nick(text: str) -> str:
    """Return the nick in NFC.

    Raises:
        NameRefusedError: empty, too long, with spaces or invisible characters, or without a letter or digit.
    """
    name = unicodedata.normalize("NFC", text)
    if not name:
        raise NameRefusedError("a nick cannot be empty")
    if len(name) > LIMITS.nick_characters:
        raise NameRefusedError(f"a nick has at most {LIMITS.nick_characters} characters, this one has {len(name)}")
    if any(unicodedata.category(character) in _FORBIDDEN_IN_NICK for character in name):
        raise NameRefusedError("a nick has no spaces and no invisible or control characters")
    if not any(character.isalnum() for character in name):
        raise NameRefusedError("a nick has at least one letter or digit")
    return name


def room(text: str) -> str:
    """Return the room's name as it is.

    Raises:
        NameRefusedError: empty, too long, or not of ASCII letters, digits, ``.``, ``_`` and ``-``.
    """
    return _plain_name("a room name", text, LIMITS.room_characters)


def host(text: str) -> str:
    """Return a host's name as it is; the rules are those of a room.

    Raises:
        NameRefusedError: as for a room.
    """
    return _plain_name("a host name", text, 253)


def _plain_name(what: str, text: str, most: int) -> str:
    if not text:
        raise NameRefusedError(f"{what} cannot be empty")
    if len(text) > most:
        raise NameRefusedError(f"{what} has at most {most} characters, this one has {len(text)}")
    if not _ROOM.fullmatch(text):
        raise NameRefusedError(
            f"{what} has letters, digits, '.', '_' and '-' only and begins with a letter or digit"
        )
    return text
