"""Under which address a client counts, and whose word about it is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.addresses import Addresses, counted, parse_networks

PROXIES = parse_networks("127.0.0.1, 10.0.0.0/8,fd00::/8")


@pytest.mark.parametrize(
    ("address", "under"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_what_an_address_counts_under(address: str, under: str) -> None:
    assert counted(address) == under


@given(st.ip_addresses(v=6))
def test_one_ipv6_network_is_one(address: object) -> None:
    under = counted(str(address))
    assert "/64" in under or under.count(".") == 3
    if "/64" in under:
        assert counted(under.removesuffix("/64")) == under


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy.example", "1.2.3", "127.0.0.1,,x", "::1/200", "*"])
def test_no_network(text: str) -> None:
    with pytest.raises(ValueError, match="is no IP address and no network such as"):
        parse_networks(text)


def test_no_networks_are_fine() -> None:
    assert parse_networks(" , ") == ()
    assert not Addresses().is_proxy("127.0.0.1")


def test_who_is_a_proxy() -> None:
    addresses = Addresses(PROXIES)
    assert all(map(addresses.is_proxy, ("127.0.0.1", "::ffff:127.0.0.1", "10.255.0.1", "fd00::7%eth0")))
    assert not any(map(addresses.is_proxy, ("127.0.0.2", "11.0.0.1", "::1")))


@pytest.mark.parametrize(
    ("forwarded", "behind"),
    [
        ((), "127.0.0.1"),
        (("",), "127.0.0.1"),
        (("192.0.2.7",), "192.0.2.7"),
        (("192.0.2.7:5555",), "192.0.2.7"),
        (("[2001:db8::7]:5555",), "2001:db8::7"),
        (("2001:db8::7",), "2001:db8::7"),
        (("::ffff:192.0.2.7",), "192.0.2.7"),
        # What stands before the entry that a proxy made is the client's own invention.
        (("198.51.100.1, 192.0.2.7",), "192.0.2.7"),
        (("198.51.100.1", "192.0.2.7"), "192.0.2.7"),
        (("127.0.0.1, 192.0.2.7",), "192.0.2.7"),
        # A chain: the nearest one that is no proxy.
        (("198.51.100.1, 192.0.2.7, 10.1.1.1",), "192.0.2.7"),
        (("10.1.1.2, 10.1.1.1",), "10.1.1.2"),
        # No address: whoever handed it on.
        (("unknown",), "127.0.0.1"),
        (("192.0.2.7, _hidden, 10.1.1.1",), "10.1.1.1"),
        (("192.0.2.7, 999.0.0.1",), "127.0.0.1"),
        (("192.0.2.7,",), "127.0.0.1"),
        (("[192.0.2.7",), "192.0.2.7"),
    ],
)
def test_whom_a_proxy_speaks_for(forwarded: tuple[str, ...], behind: str) -> None:
    assert Addresses(PROXIES).behind("127.0.0.1", forwarded) == behind


@given(st.lists(st.text(), max_size=40))
def test_any_header_leads_to_an_address(forwarded: list[str]) -> None:
    counted(Addresses(PROXIES).behind("127.0.0.1", forwarded))
