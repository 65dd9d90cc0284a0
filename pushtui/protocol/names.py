"""Names of people, rooms and hosts: what they may be, and a sentence for those they may not."""

import re
import unicodedata

from pushtui.protocol.limits import LIMITS
from pushtui.protocol.text import has_invisible, safe_line

_ROOM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FORBIDDEN_IN_NICK = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})
#: A pattern of raised dots with no dot raised: it looks like a space.
_BLANK = "\N{BRAILLE PATTERN BLANK}"
#: No character is composed of more than so many (UAX #15). What is longer than they can be is not composed: that,
#: for thousands of marks in a bad order, takes seconds.
_PARTS = 4
#: Alphabets with letters that look like those of another one. Names of letters begin with them.
_ALIKE = frozenset({"LATIN", "GREEK", "CYRILLIC", "COPTIC", "ARMENIAN", "CHEROKEE", "LISU", "DESERET"})


class NameRefusedError(ValueError):
    """A name cannot be used; the message says why, in one sentence."""


def nick(text: str) -> str:
    """Return the nick in NFC.

    Letters of every script may be in it. What may not be mixed are alphabets that look like each other, such as
    Latin and Cyrillic: between "moderately" and "highly restrictive" of UTS #39, section 5.2, which both refuse
    that. Whether it looks like the name of somebody else is for the server to say, who knows them.

    Raises:
        NameRefusedError: empty, too long, with spaces or invisible characters, without a letter or digit, with
            marks that stand on nothing or on top of each other, or of alphabets that look alike.
    """
    name = unicodedata.normalize("NFC", text) if len(text) <= _PARTS * LIMITS.nick_characters else text
    if not name:
        raise NameRefusedError("a nick cannot be empty")
    if len(name) > LIMITS.nick_characters:
        raise NameRefusedError(f"a nick has at most {LIMITS.nick_characters} characters, this one has {len(name)}")
    if name.isascii() and name.isalnum():
        return name
    categories = [unicodedata.category(character) for character in name]
    if not _FORBIDDEN_IN_NICK.isdisjoint(categories) or has_invisible(name) or _BLANK in name:
        raise NameRefusedError("a nick has no spaces and no invisible or control characters")
    if not any(character.isalnum() for character in name):
        raise NameRefusedError("a nick has at least one letter or digit")
    if categories[0].startswith("M") or safe_line(name) != name:
        raise NameRefusedError(
            "a nick has no marks that stand on nothing, and no more of them on a letter than languages use"
        )
    alphabets = sorted(_ALIKE.intersection(map(_alphabet, name)))
    if len(alphabets) > 1:
        mixed = " and ".join(alphabet.capitalize() for alphabet in alphabets)
        raise NameRefusedError(f"a nick does not mix letters that look alike: this one has {mixed} ones")
    return name


def _alphabet(character: str) -> str:
    compatible = unicodedata.normalize("NFKC", character)[0]
    return unicodedata.name(compatible, "").partition(" ")[0] if compatible.isalpha() else ""


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
