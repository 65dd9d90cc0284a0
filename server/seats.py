"""How many are connected, in total and from each address."""

from collections import Counter


class FullError(Exception):
    """There is no seat; the message is one sentence for who wanted it.

    Attributes:
        status: of the HTTP answer.
        code: of the HTTP answer.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Seat:
    """One connection's place."""

    __slots__ = ("_address", "_seats", "_whole")

    def __init__(self, seats: "Seats", address: str | None, whole: bool) -> None:
        self._seats: Seats | None = seats
        self._address = address
        self._whole = whole

    def leave(self) -> None:
        """Give it back. Idempotent."""
        if self._seats is not None:
            self._seats.give_back(self._address, self._whole)
            self._seats = None


class Seats:
    """Counts who is there.

    Args:
        most: connections at the same time.
        most_per_address: those of one address.

    Attributes:
        taken: connections that are open now.
    """

    def __init__(self, most: int, most_per_address: int) -> None:
        self.taken = 0
        self._most = most
        self._most_per_address = most_per_address
        self._by_address: Counter[str] = Counter()

    def take(self, address: str | None) -> Seat:
        """A seat for a connection.

        Args:
            address: what it counts under; None for a proxy, which has many clients.

        Raises:
            FullError: there are too many, of all or of this address.
        """
        if self.taken >= self._most:
            raise FullError(503, "busy", "this server has as many connections as it can hold")
        self._count(address)
        self.taken += 1
        return Seat(self, address, True)

    def share(self, address: str) -> Seat:
        """A seat for one client of a proxy, whose connection has been counted.

        Raises:
            FullError: there are too many of this address.
        """
        self._count(address)
        return Seat(self, address, False)

    def give_back(self, address: str | None, whole: bool) -> None:
        """See `Seat.leave`."""
        if whole:
            self.taken -= 1
        if address is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def _count(self, address: str | None) -> None:
        if address is None:
            return
        if self._by_address[address] >= self._most_per_address:
            raise FullError(429, "rate_limited", f"there are too many connections from {address}")
        self._by_address[address] += 1
