"""Where a server may listen, and what the options of its gate mean."""

import contextlib
import socket
from pathlib import Path

import pytest

from pushtui.exits import CommandError, Exit
from pushtui.protocol.limits import PROTECTION, Rate
from pushtui.protocol.roles import Role
from pushtui.settings import ServeSettings
from server.access.file import AccessFile
from server.access.tokens import create
from server.main import _browsers, _protection, bind, run
from tests.server.certificates import Files, issued

EVERYWHERE = ["0.0.0.0", "::"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one token."""
    with contextlib.closing(AccessFile.open(tmp_path)) as file:
        create(file, "ana", Role.MEMBER, now=0)
    return tmp_path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return issued(tmp_path)


class TestBeyondThisMachine:
    @pytest.mark.parametrize("host", EVERYWHERE)
    @pytest.mark.parametrize("encrypted", [False, True])
    def test_without_tokens_it_does_not_listen(self, tmp_path: Path, host: str, encrypted: bool) -> None:
        with pytest.raises(CommandError) as refused:
            bind(ServeSettings(host=host, port=0, data=tmp_path / "none"), encrypted=encrypted)
        assert refused.value.code is Exit.CANNOT_START
        sentence = str(refused.value)
        assert "\n" not in sentence
        assert "pushtui token create NAME" in sentence
        assert "--open" in sentence
        assert not (tmp_path / "none").exists()

    def test_the_command_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError) as refused:
            run(ServeSettings(host="0.0.0.0", port=0, data=tmp_path))
        assert "others could come in at 0.0.0.0 unasked" in str(refused.value)

    def test_a_proxy_brings_others_in(self, tmp_path: Path, data: Path, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(CommandError) as refused:
            bind(ServeSettings(port=0, data=tmp_path / "none", trusted_proxy="127.0.0.1"), encrypted=False)
        assert "others could come in by the proxy unasked" in str(refused.value)
        bind(ServeSettings(port=0, data=data, trusted_proxy="127.0.0.1"), encrypted=False).close()
        assert not caplog.records  # it stays on this machine up to the proxy

    def test_open_is_meant(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        bind(ServeSettings(host="0.0.0.0", port=0, data=tmp_path, open=True), encrypted=False).close()
        assert not caplog.records

    def test_tokens_without_tls_are_warned_about(self, data: Path, caplog: pytest.LogCaptureFixture) -> None:
        bind(ServeSettings(host="0.0.0.0", port=0, data=data), encrypted=True).close()
        assert not caplog.records
        bind(ServeSettings(host="0.0.0.0", port=0, data=data), encrypted=False).close()
        assert "tokens travel unencrypted" in caplog.text

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
    def test_this_machine_alone_is_free(self, host: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        if host == "::1" and not socket.has_ipv6:
            pytest.skip("no IPv6 here")
        bind(ServeSettings(host=host, port=0, data=tmp_path), encrypted=False).close()
        assert not caplog.records


class TestOptions:
    def test_rates(self) -> None:
        assert _protection(ServeSettings()).sends == PROTECTION.sends == Rate(20, 100)
        assert PROTECTION.sends_per_address == Rate(200, 1000)
        changed = _protection(ServeSettings(send_rate=2))
        assert (changed.sends, changed.sends_per_address) == (Rate(2, 10), Rate(20, 100))
        slow = _protection(ServeSettings(send_rate=0.1))
        assert (slow.sends, slow.sends_per_address) == (Rate(0.1, 1), Rate(1, 5))

    def test_no_rate(self) -> None:
        changed = _protection(ServeSettings(send_rate=0))
        assert changed.sends.per_second == changed.sends_per_address.per_second == 0

    def test_connections(self) -> None:
        changed = _protection(ServeSettings(max_connections=7, max_connections_per_address=3))
        assert (changed.connections, changed.connections_per_address) == (7, 3)

    def test_the_name_that_it_listens_on_is_its_own(self) -> None:
        assert "chat.example" in _browsers(ServeSettings(host="Chat.Example."), encrypted=False)._hosts
        both = _browsers(ServeSettings(host="::1", allow_host="a.example,b.example"), encrypted=False)._hosts
        assert {"a.example", "b.example"} < both

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            (ServeSettings(allow_host="a b"), "--allow-host: 'a b' is no host name"),
            (ServeSettings(allow_origin="a"), "--allow-origin: 'a' is no origin"),
            (ServeSettings(trusted_proxy="a"), "--trusted-proxy: 'a' is no IP address"),
            (ServeSettings(tls_cert=Path("a")), "--tls-key is missing"),
        ],
    )
    def test_what_cannot_be_is_named(self, settings: ServeSettings, words: str) -> None:
        with pytest.raises(CommandError) as refused:
            run(settings)
        assert refused.value.code is Exit.WRONG_OPTIONS
        assert words in str(refused.value)
