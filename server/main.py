"""``pushtui serve``: from settings to a running server, and back out on a signal."""

import asyncio
import errno
import logging
import os
import platform
import signal
import socket
import sys
import time

from pushtui.exits import CommandError, Exit
from pushtui.settings import ServeSettings
from server.access.access import Access, tokens_exist
from server.access.file import AccessFile, AccessFileError
from server.application import Server
from server.log.memory import MemoryStore
from server.log.retention import keep_by_kind
from server.log.sqlite import SqliteStore
from server.log.store import Store, StoreUnusableError
from server.sampler import Sampler

logger = logging.getLogger(__name__)

LOG_FILE = "log.sqlite3"
#: Connections that the kernel holds for a server that is busy accepting others.
BACKLOG = 1024


def run(settings: ServeSettings) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code. A second signal cuts the drain short.

    Raises:
        CommandError: the server cannot start, in one sentence.
    """
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    # It tells every malformed request with a traceback; what fails here is logged by `server.errors`.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    listener = bind(settings.host, settings.port)
    with listener:
        try:
            return asyncio.run(_serve(settings, listener))
        except (StoreUnusableError, AccessFileError) as error:
            raise CommandError(Exit.CANNOT_START, str(error)) from error


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on an address.

    Raises:
        CommandError: the address cannot be had, in one sentence.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
    except OSError as error:
        raise CommandError(Exit.CANNOT_START, f"{host} is no address to listen on: {error.strerror}") from error
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


async def _serve(settings: ServeSettings, listener: socket.socket) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    server = Server(
        _store(settings),
        name=platform.node() or "pushtui",
        access=Access(_access_file(settings), clock_ms=_now_ms, open_to_all=settings.open),
        lab=settings.lab,
    )

    def on_signal() -> None:
        if stopping.is_set():
            server.hurry()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    sampler = Sampler()
    sampling: asyncio.Task[None] | None = None
    try:
        await server.start(listener)
        sampling = loop.create_task(sampler.run(server.publish, settings.interval))
        _announce(settings, listener)
        await stopping.wait()
        logger.info("stopping")
    finally:
        # Who is still reading while others are told to go still gets samples.
        await server.stop(drain=settings.drain if stopping.is_set() else 0)
        if sampling is not None:
            sampling.cancel()
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


def _announce(settings: ServeSettings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if listener.family == socket.AF_INET6 else f"http://{host}:{port}"
    where = "in memory only: it ends with the server" if settings.memory else f"in {settings.data}"
    lines = (
        f"pushtui listens on {url}",
        f"join:     pushtui connect {url}",
        f"or watch: curl -N {url}/status",
        f"the log:  {where}",
        "Ctrl-C stops it.",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
