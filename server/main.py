"""``pushtui serve``: from settings to a running server, and back out on a signal."""

import asyncio
import contextlib
import errno
import logging
import math
import os
import platform
import signal
import socket
import sys
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import TypeVar

from msgspec.structs import replace

from pushtui import logs
from pushtui.exits import CommandError, Exit
from pushtui.protocol.limits import PROTECTION, Protection, Rate
from pushtui.protocol.text import safe_line
from pushtui.settings import ServeSettings
from server.access.access import Access, tokens_exist
from server.access.file import AccessFile, AccessFileError
from server.addresses import Addresses, parse_networks
from server.application import Server
from server.browsers import Browsers, own_names, parse_hosts, parse_origins
from server.descriptors import affordable
from server.garbage import Garbage
from server.gate import BACKLOG
from server.log.memory import MemoryStore
from server.log.retention import keep_by_kind
from server.log.sqlite import SqliteStore
from server.log.store import Store, StoreUnusableError
from server.sampler import Sampler
from server.tls import Certificate, certificate

logger = logging.getLogger(__name__)

Parsed = TypeVar("Parsed")

LOG_FILE = "log.sqlite3"


def run(settings: ServeSettings) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code. A second signal cuts the drain short.

    Raises:
        CommandError: the server cannot start, in one sentence.
    """
    logs.set_up(settings.log_level)
    # It tells every malformed request with a traceback; what fails here is logged by `server.errors`.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    encryption = certificate(settings.tls_cert, settings.tls_key)
    try:
        with bind(settings, encrypted=encryption is not None) as listener:
            return asyncio.run(_serve(settings, listener, encryption))
    except (StoreUnusableError, AccessFileError) as error:
        raise CommandError(Exit.CANNOT_START, str(error)) from error


def bind(settings: ServeSettings, *, encrypted: bool) -> socket.socket:
    """A socket that listens where the settings say.

    Raises:
        CommandError: the address cannot be had, or others could come in there unasked, in one sentence.
        AccessFileError: it cannot be found out whether there are tokens.
    """
    host, port = settings.host, settings.port
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:  # a name that cannot be encoded as one of a host is no name either
        why = error.strerror if isinstance(error, OSError) else "it is no name of a host"
        raise CommandError(Exit.CANNOT_START, f"{host} is no address to listen on: {why}") from error
    loopback = ip_address(str(address[0]).partition("%")[0]).is_loopback
    if _parsed("--trusted-proxy", parse_networks, settings.trusted_proxy) or not loopback:
        _beyond_this_machine(settings, encrypted=encrypted or loopback)
    listener = socket.socket(family, kind, proto)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            sentence = f"port {port} on {host} is in use; stop who uses it, or choose another with --port"
        else:
            sentence = f"cannot listen on {host} port {port}: {error.strerror}"
        raise CommandError(Exit.CANNOT_START, sentence) from error
    return listener


def _beyond_this_machine(settings: ServeSettings, *, encrypted: bool) -> None:
    """See that who can reach the server from elsewhere has to have a token, or is meant to need none."""
    tokens = tokens_exist(settings.data)
    way = "by the proxy" if settings.trusted_proxy else f"at {settings.host}"
    if not tokens and not settings.open:
        raise CommandError(
            Exit.CANNOT_START,
            f"others could come in {way} unasked: make tokens for those who may (pushtui token create"
            " NAME), or say --open to let in everyone",
        )
    if tokens and not encrypted:
        logger.warning(
            "beyond this machine tokens travel unencrypted; use --tls-cert and --tls-key, or a proxy that has TLS"
        )


async def _serve(settings: ServeSettings, listener: socket.socket, encryption: Certificate | None) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    access = Access(_access_file(settings), clock_ms=_now_ms, open_to_all=settings.open)
    server = Server(
        _store(settings),
        name=platform.node() or "pushtui",
        protection=_protection(settings),
        browsers=_browsers(settings, encrypted=encryption is not None),
        addresses=Addresses(_parsed("--trusted-proxy", parse_networks, settings.trusted_proxy)),
        tls=encryption.context if encryption else None,
        access=access,
        lab=settings.lab,
    )

    def on_signal() -> None:
        if stopping.is_set():
            server.hurry()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    if encryption is not None:
        loop.add_signal_handler(signal.SIGHUP, encryption.reload)
    sampler = Sampler()
    tasks = [loop.create_task(Garbage().run())]
    try:
        await server.start(listener)
        tasks.append(loop.create_task(sampler.run(server.publish, settings.interval)))
        _announce(settings, listener, "https" if encryption else "http", access.wants_tokens)
        await stopping.wait()
        logger.info("stopping")
    finally:
        # Who is still reading while others are told to go still gets samples.
        await server.stop(drain=settings.drain if stopping.is_set() else 0)
        for task in tasks:
            task.cancel()
    return Exit.FINE


def _store(settings: ServeSettings) -> Store:
    keep = keep_by_kind(settings.keep_chat, settings.keep_status)
    if settings.memory:
        return MemoryStore(clock_ms=_now_ms, keep=keep)
    return SqliteStore(settings.data / LOG_FILE, clock_ms=_now_ms, durability=settings.durability, keep=keep)


def _access_file(settings: ServeSettings) -> AccessFile | None:
    # A server that leaves nothing behind still lets in only those who have a token, if there are any.
    if settings.memory and not tokens_exist(settings.data):
        return None
    return AccessFile.open(settings.data)


def _protection(settings: ServeSettings) -> Protection:
    protection = PROTECTION
    if settings.max_connections is not None:
        protection = replace(protection, connections=settings.max_connections)
    if settings.max_connections_per_address is not None:
        protection = replace(protection, connections_per_address=settings.max_connections_per_address)
    if (rate := settings.send_rate) is not None:
        # Who may send less than one message a second may still send one.
        sends, together = (Rate(each, max(1, math.ceil(5 * each))) for each in (rate, 10 * rate))
        # Whatever one may send has to come through; who may send without a limit may say anything without one.
        frames = Rate(max(2 * rate, protection.frames.per_second) if rate else 0, protection.frames.burst)
        rooms = protection.new_rooms if rate else Rate(0, 0)
        protection = replace(protection, sends=sends, sends_per_address=together, frames=frames, new_rooms=rooms)
    return replace(protection, connections=affordable(protection.connections))


def _browsers(settings: ServeSettings, *, encrypted: bool) -> Browsers:
    hosts = own_names() | _parsed("--allow-host", parse_hosts, settings.allow_host)
    with contextlib.suppress(ValueError):
        hosts |= parse_hosts(settings.host)
    origins = _parsed("--allow-origin", parse_origins, settings.allow_origin)
    return Browsers(hosts=hosts, origins=origins, encrypted=encrypted)


def _parsed(option: str, parse: Callable[[str], Parsed], text: str) -> Parsed:
    try:
        return parse(text)
    except ValueError as error:
        raise CommandError(Exit.WRONG_OPTIONS, f"{option}: {error}") from error


def _announce(settings: ServeSettings, listener: socket.socket, scheme: str, wants_tokens: bool) -> None:
    host, port = listener.getsockname()[:2]
    url = f"{scheme}://[{host}]:{port}" if listener.family == socket.AF_INET6 else f"{scheme}://{host}:{port}"
    # Nobody reaches "any address"; this machine's name leads here from elsewhere as well.
    reach = f"{scheme}://{platform.node()}:{port}" if ip_address(host.partition("%")[0]).is_unspecified else url
    token = "-H 'Authorization: Bearer TOKEN' " if wants_tokens else ""
    where = "in memory only: it ends with the server" if settings.memory else f"in {settings.data}"
    lines = (
        f"pushtui listens on {url}",
        f"join:     pushtui connect {reach}",
        f"or watch: curl -N {token}{reach}/status",
        f"the log:  {where}",
        "Ctrl-C stops it.",
    )
    sys.stdout.write("".join(f"{safe_line(line)}\n" for line in lines))
    sys.stdout.flush()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
