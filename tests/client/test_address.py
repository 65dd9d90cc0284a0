import pytest

from pushtui.client.address import Address, AddressRefusedError


@pytest.mark.parametrize(
    ("typed", "http", "ws", "authority"),
    [
        ("127.0.0.1:8765", "http://127.0.0.1:8765", "ws://127.0.0.1:8765", "127.0.0.1:8765"),
        ("room.example", "http://room.example:8765", "ws://room.example:8765", "room.example:8765"),
        ("http://room.example", "http://room.example", "ws://room.example", "room.example"),
        ("https://room.example", "https://room.example", "wss://room.example", "room.example"),
        ("ws://h:1", "http://h:1", "ws://h:1", "h:1"),
        ("WSS://Room.Example/", "https://room.example", "wss://room.example", "room.example"),
        ("https://host/room", "https://host/room", "wss://host/room", "host"),
        ("https://host/a/b//", "https://host/a/b", "wss://host/a/b", "host"),
        ("ws://host:1/chat", "http://host:1", "ws://host:1", "host:1"),
        ("host:1/status/", "http://host:1", "ws://host:1", "host:1"),
        ("https://host/team/chat", "https://host/team", "wss://host/team", "host"),
        ("https://host/status/chat", "https://host", "wss://host", "host"),
        ("https://host/chat/team", "https://host/chat/team", "wss://host/chat/team", "host"),
        ("https://host/webchat", "https://host/webchat", "wss://host/webchat", "host"),
        ("http://host/räume", "http://host/r%C3%A4ume", "ws://host/r%C3%A4ume", "host"),
        ("[::1]:80", "http://[::1]:80", "ws://[::1]:80", "[::1]:80"),
        ("http://[::1]", "http://[::1]", "ws://[::1]", "[::1]"),
        ("  host:1\n", "http://host:1", "ws://host:1", "host:1"),
    ],
)
def test_what_is_an_address(typed: str, http: str, ws: str, authority: str) -> None:
    address = Address.parse(typed)
    assert (address.http, address.ws, address.authority) == (http, ws, authority)
    assert Address.parse(str(address)) == address


def test_the_urls_below_an_address() -> None:
    address = Address.parse("https://host/room")
    assert address.chat == "wss://host/room/chat"
    assert address.status == "https://host/room/status"
    assert address.room("a/b?c") == "https://host/room/rooms/a%2Fb%3Fc"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "cannot be empty"),
        ("   ", "cannot be empty"),
        ("my server", "spaces"),
        ("host\x1b[31m", "invisible"),
        ("host\u202egro", "invisible"),
        ("ftp://host", "begins with http"),
        ("://host", "begins with http"),
        ("javascript://host", "begins with http"),
        ("http://", "names no host"),
        ("http:///status", "names no host"),
        (":8765", "names no host"),
        ("http:/host", "port is 1 to 65535"),
        ("host:", "port is 1 to 65535"),
        ("host:0", "port is 1 to 65535"),
        ("host:65536", "port is 1 to 65535"),
        ("host:http", "port is 1 to 65535"),
        ("mailto:ana", "port is 1 to 65535"),
        ("http://ana:secret@host", "password"),
        ("http://token@host", "password"),
        ("http://host?token=secret", "'?'"),
        ("http://host/#main", "'#'"),
        ("http://[::1", "not an address such as"),
        ("http://[fe80::zz]", "not an address such as"),
        ("http://a..b", "not a host name"),
        ("http://.a", "not a host name"),
        ("http://a,b", "not a host name"),
        (f"http://{'a' * 64}", "not a host name"),
        (f"http://{'a.' * 200}b", "not a host name"),
    ],
)
def test_what_is_none(typed: str, why: str) -> None:
    with pytest.raises(AddressRefusedError) as refusal:
        Address.parse(typed)
    sentence = str(refusal.value)
    assert why in sentence
    assert "secret" not in sentence or "@" not in sentence
    assert sentence.isprintable()
    assert len(sentence) < 200


@pytest.mark.parametrize(
    ("typed", "loopback"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.8.9.10", True),
        ("[::1]", True),
        ("0.0.0.0", True),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("[2001:db8::1]", False),
    ],
)
def test_whether_it_is_this_machine(typed: str, loopback: bool) -> None:
    assert Address.parse(typed).loopback is loopback
