"""How often one person, or one address, may do what costs everyone: the same for every way in."""

import math
import time

from pushtui.protocol.limits import Protection
from server.access.identity import Identity
from server.access.lookalikes import skeleton
from server.floods import Buckets, Clock
from server.refusal import RefusedError


class Allowances:
    """Token buckets by person and by address.

    Who has a token is counted by it alone. Who has none can be somebody else at any time, so those are counted
    by their nick and by their address.

    Args:
        protection: the rates.
        clock: seconds, monotonic.
    """

    def __init__(self, protection: Protection, clock: Clock = time.monotonic) -> None:
        self._sends: Buckets[tuple[str, str]] = Buckets(protection.sends, clock)
        self._sends_of_address: Buckets[str] = Buckets(protection.sends_per_address, clock)
        self._rooms: Buckets[tuple[str, str]] = Buckets(protection.new_rooms, clock)
        self._failed_logins: Buckets[str] = Buckets(protection.failed_logins, clock)

    def send(self, identity: Identity, nick: str) -> None:
        """One more that is to be stored.

        Raises:
            RefusedError: ``rate_limited``, with the wait.
        """
        wait = self._sends.wait(_person(identity, nick))
        if identity.token is None:
            wait = max(wait, self._sends_of_address.wait(identity.address))
        if wait:
            raise _too_fast("you are sending too fast", wait)
        self._sends.take(_person(identity, nick))
        if identity.token is None:
            self._sends_of_address.take(identity.address)

    def new_room(self, identity: Identity) -> None:
        """One more room that is to be made; counted by address for who has no token.

        Raises:
            RefusedError: ``rate_limited``, with the wait.
        """
        if wait := self._rooms.take(_person(identity, "")):
            raise _too_fast("you are making rooms too fast", wait)

    def wait_for_login(self, address: str) -> float:
        """The seconds until one more wrong token from there is looked at, 0 while there were not too many."""
        return self._failed_logins.wait(address)

    def failed_login(self, address: str) -> None:
        """A wrong token came from there."""
        self._failed_logins.take(address)


def _person(identity: Identity, nick: str) -> tuple[str, str]:
    if identity.name is not None:
        return "", identity.name
    return identity.address, skeleton(nick)


def _too_fast(sentence: str, wait: float) -> RefusedError:
    seconds = math.ceil(wait)
    return RefusedError("rate_limited", f"{sentence}; wait {seconds} s", math.ceil(wait * 1000))
