"""What a token looks like, and how the server knows one again without keeping it."""

import hashlib
import hmac
import secrets
from typing import NamedTuple, Self

PREFIX = "ptk_"
_ID_BYTES = 6
_SECRET_BYTES = 32


class Secret(NamedTuple):
    """A token in clear: ``ptk_<id>_<secret>``. The id says which one it is, the secret that it is the one.

    It is drawn at random (256 bits), so that one round of SHA-256 keeps it: nobody can go through all of them, as
    one could with passwords.
    """

    id: str
    secret: str

    @classmethod
    def draw(cls) -> Self:
        """A new one."""
        return cls(secrets.token_hex(_ID_BYTES), secrets.token_hex(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what a client sent; None when it is nothing like a token."""
        prefix, _, rest = text.partition("_")
        name, _, secret = rest.partition("_")
        hexadecimal = frozenset("0123456789abcdef")
        if f"{prefix}_" != PREFIX or not hexadecimal.issuperset(name + secret):
            return None
        return cls(name, secret) if (len(name), len(secret)) == (2 * _ID_BYTES, 2 * _SECRET_BYTES) else None

    def __str__(self) -> str:
        return f"{PREFIX}{self.id}_{self.secret}"

    def __repr__(self) -> str:
        return f"Secret({self.id!r}, …)"

    def digest(self) -> bytes:
        """What is stored of it."""
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, digest: bytes) -> bool:
        """Whether this is the token of that digest; takes the same time however much of it is right."""
        return hmac.compare_digest(self.digest(), digest)
