"""What lets somebody in: its look, and that it is never shown."""

import re

#: ``ptk_<id>_<secret>``. The id may be known to everyone.
_TOKEN = re.compile(r"ptk_([0-9A-Za-z]{1,32})_[0-9A-Za-z]{16,128}")
_WITHIN = re.compile(r"(ptk_[0-9A-Za-z]{1,32}_)[0-9A-Za-z]+")


class TokenRefusedError(ValueError):
    """A text is no token; the message says so without the text."""


class Token:
    """A token in clear. Printed, logged or in a traceback it shows its id only; whoever sends it asks `header`."""

    __slots__ = ("_text", "id")

    def __init__(self, text: str) -> None:
        """Read what somebody gave.

        Raises:
            TokenRefusedError: it does not look like a token, so it may be another secret, and is not sent.
        """
        found = _TOKEN.fullmatch(text.strip())
        if found is None:
            raise TokenRefusedError("this is no token: one begins with ptk_, as pushtui token create printed it")
        self.id = found[1]
        self._text = found[0]

    @property
    def header(self) -> str:
        """The value of ``Authorization``: RFC 6750, section 2.1."""
        return f"Bearer {self._text}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Token(ptk_{self.id}_…)"


def masked(text: str) -> str:
    """The text with the secret of every token in it left out."""
    return _WITHIN.sub(r"\1…", text)
