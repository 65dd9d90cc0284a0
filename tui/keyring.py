"""The tokens of this run, each for one server; in memory only."""

from pushtui.client.address import Address
from pushtui.protocol.token import Token


class Keyring:
    """Which token is for which server.

    Args:
        given: the one that whoever started this gave. It is for the first server that is asked about: who then
            goes somewhere else by hand does not take it along.
    """

    def __init__(self, given: Token | None = None) -> None:
        self._given = given
        self._tokens: dict[str, Token] = {}

    @property
    def given(self) -> bool:
        """Whether there is one that waits for its server."""
        return self._given is not None

    def of(self, address: Address) -> Token | None:
        """The token for a server."""
        if self._given is not None:
            self._tokens.setdefault(address.http, self._given)
            self._given = None
        return self._tokens.get(address.http)

    def put(self, address: Address, token: Token) -> None:
        """From now on this is the one for that server."""
        self._given = None
        self._tokens[address.http] = token
