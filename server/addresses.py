"""The address that a client counts under, also behind a proxy."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

#: One customer of a provider has at least so many bits of IPv6 to themselves: RFC 6177.
_PREFIX = 64
#: Entries of X-Forwarded-For that are looked at, from the right: a chain of proxies is never longer.
_HOPS = 16

Network = IPv4Network | IPv6Network

#: What the sender of a request counts under; every request has it.
ADDRESS = web.RequestKey("address", str)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks with commas between: ``127.0.0.1,10.0.0.0/8``.

    Raises:
        ValueError: one of them is none, in one sentence.
    """
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ip_network(part))
        except ValueError:
            raise ValueError(f"{part!r} is no IP address and no network such as 10.0.0.0/8") from None
    return tuple(found)


def counted(address: str) -> str:
    """What somebody at an address counts under: the IPv4 address, or the IPv6 network of 64 bits.

    IPv4 written as IPv6 (``::ffff:192.0.2.1``) is IPv4.

    Raises:
        ValueError: it is no address.
    """
    known = _plain(address)
    if isinstance(known, IPv4Address):
        return str(known)
    return str(IPv6Network((known.packed, _PREFIX), strict=False))


class Addresses:
    """Knows which clients are proxies, and whom they speak for.

    Args:
        proxies: whose ``X-Forwarded-For`` is believed; nobody else's is.
    """

    def __init__(self, proxies: Sequence[Network] = ()) -> None:
        self._proxies = proxies

    def is_proxy(self, address: str) -> bool:
        """Whether the connections of this address are those of others."""
        return bool(self._proxies) and self._is_proxy(_plain(address))

    def of(self, request: web.BaseRequest) -> str:
        """What the sender of a request counts under.

        Raises:
            ConnectionResetError: the client is gone.
        """
        remote = request.remote
        if remote is None:
            raise ConnectionResetError("the client is gone already")
        if not self.is_proxy(remote):
            return counted(remote)
        return counted(self.behind(remote, request.headers.getall("X-Forwarded-For", ())))

    def behind(self, proxy: str, forwarded: Sequence[str]) -> str:
        """For whom a proxy speaks: the rightmost entry that is no proxy itself.

        What is left of it was written by that client, who can write anything. An entry that is no address ends
        the search as well; then whoever handed it on counts.
        """
        nearest = proxy
        for entry in reversed(",".join(forwarded).split(",")[-_HOPS:]):
            try:
                known = _plain(_without_port(entry.strip()))
            except ValueError:
                break
            nearest = str(known)
            if not self._is_proxy(known):
                break
        return nearest

    def _is_proxy(self, known: IPv4Address | IPv6Address) -> bool:
        return any(known in network for network in self._proxies)


def _plain(address: str) -> IPv4Address | IPv6Address:
    known = ip_address(address.partition("%")[0])
    if isinstance(known, IPv6Address) and known.ipv4_mapped is not None:
        return known.ipv4_mapped
    return known


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry
