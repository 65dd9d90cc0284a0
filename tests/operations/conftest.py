"""A server behind a reverse proxy, reached by a name and with TLS."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pushtui.client.address import Address
from pushtui.protocol.token import Token
from tests.operations import proxies
from tests.operations.proxies import NAME, Certificate, Proxy
from tests.operations.served import Served

StartProxy = Callable[[Path, Certificate, int], contextlib.AbstractContextManager[Proxy]]


class Front(NamedTuple):
    """A server and the proxy before it, and the tokens of two people."""

    server: Served
    proxy: Proxy
    certificate: Certificate
    ana: Token
    ben: Token


@pytest.fixture(scope="module", params=[proxies.nginx, proxies.caddy], ids=["nginx", "caddy"])
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One for all tests of a file: each takes rooms of its own."""
    start: StartProxy = request.param
    proxies.needs(start.__name__, "openssl")
    folder = tmp_path_factory.mktemp(start.__name__)
    certificate = Certificate.make(folder)
    # As the recipes say.
    server = Served(folder / "data", "--allow-host", NAME, "--trusted-proxy", "127.0.0.1")
    ana, ben = (Token(server.token(name)) for name in ("ana", "ben"))
    server.start()
    try:
        with start(folder, certificate, server.port) as proxy:
            yield Front(server, proxy, certificate, ana, ben)
    finally:
        server.stop()


@pytest.fixture(params=["", "/team"], ids=["root", "path"])
def address(front: Front, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Address:
    """What people would type; the name leads here, and the certificate is trusted."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(front.certificate.certificate))
    look_up = socket.getaddrinfo

    def here(host: Any, *arguments: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host in (NAME, NAME.encode()) else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    return Address.parse(f"https://{NAME}:{front.proxy.port}{request.param}")


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room of this test's own."""
    name: str = request.node.name
    return name[:60].replace("[", ".").replace("]", "")
