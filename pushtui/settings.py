"""What a server is started with. The command line fills it in; a test or another program may as well."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import platformdirs

from pushtui.retention import ALL, Retention

Durability = Literal["full", "relaxed"]
LogLevel = Literal["debug", "info", "warning", "error"]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765
DEFAULT_INTERVAL = 1.0
#: A day of one host's samples at one a second, and room for some more.
DEFAULT_KEEP_STATUS = Retention(age_ms=24 * 3_600_000, entries=100_000)


def default_data() -> Path:
    """The folder where a server keeps its log when nobody says otherwise; it need not exist."""
    return platformdirs.user_data_path("pushtui", appauthor=False)


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """How one server runs.

    Attributes:
        host: the address to listen on.
        port: 0-65535; with 0 the system chooses one.
        data: the folder of the log and of the tokens. With ``memory`` set it is not made, and only the
            tokens that are there are looked at.
        memory: keep the log in memory only, so that nothing outlives the server.
        durability: whether a message is acknowledged when it is on the disk ("full"), or before ("relaxed").
        keep_chat: what each room keeps.
        keep_status: what the status stream keeps.
        log_level: what is said on standard error, from this level up.
        interval: seconds between two samples of this machine, above 0.
        drain: seconds over which clients are told that the server stops.
        open: who has no token comes in too, as a member.
        tls_cert: the certificate chain, a PEM file; connections are encrypted if there is one.
        tls_key: its private key, a PEM file.
        allow_host: further names of the server, with commas between.
        allow_origin: origins of web pages that may use it, with commas between.
        trusted_proxy: addresses and networks of proxies, with commas between.
        max_connections: open at the same time; None for the server's own limit.
        max_connections_per_address: likewise, from one address.
        send_rate: messages per second of one person, 0 for no limit; None for the server's own.
        lab: serve what test suites of the protocols need as well.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    data: Path = field(default_factory=default_data)
    memory: bool = False
    durability: Durability = "full"
    keep_chat: Retention = ALL
    keep_status: Retention = DEFAULT_KEEP_STATUS
    log_level: LogLevel = "info"
    interval: float = DEFAULT_INTERVAL
    drain: float = 0
    open: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    allow_host: str = ""
    allow_origin: str = ""
    trusted_proxy: str = ""
    max_connections: int | None = None
    max_connections_per_address: int | None = None
    send_rate: float | None = None
    lab: bool = False
