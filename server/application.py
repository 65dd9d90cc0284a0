"""Puts the server together: one store, one fan-out, the conversations, one port."""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable

from aiohttp import web

from pushtui.protocol.close import CloseCode
from pushtui.protocol.limits import LIMITS, PROTECTION, Limits, Protection
from pushtui.protocol.samples import Sample
from server import chat, information, lab, posting, reading
from server.access.access import Access
from server.access.allowances import Allowances
from server.access.door import door
from server.access.rules import Rules
from server.addresses import Addresses
from server.arrivals import known_addresses, whole_bodies
from server.browsers import Browsers
from server.connections import Connections
from server.dismissal import LINGER
from server.errors import errors
from server.gate import Gate
from server.log.fanout import Fanout
from server.log.store import Store
from server.log.streams import STATUS, room_stream
from server.people import People
from server.rooms import Rooms
from server.seats import Seats
from server.service import SERVICE, Service
from server.timing import Timing
from server.visitor import Heads, Visitor
from server.writing import Writing

logger = logging.getLogger(__name__)

DEFAULT_ROOM = "main"


class Server:
    """One running server.

    Args:
        store: the log; opened by `start`, closed by `stop`.
        name: what the server calls itself.
        timing: how long it waits for what.
        limits: what one connection may ask for.
        protection: what one client, one address or everyone together may take.
        access: who may come in, everyone by default; opened by `start`, closed by `stop`.
        browsers: whose pages may speak to it, and under which names.
        addresses: what clients count under.
        tls: for connections that are encrypted.
        lab: serve the echo for test suites too.
    """

    def __init__(
        self,
        store: Store,
        *,
        name: str = "pushtui",
        timing: Timing | None = None,
        limits: Limits = LIMITS,
        protection: Protection = PROTECTION,
        access: Access | None = None,
        browsers: Browsers | None = None,
        addresses: Addresses | None = None,
        tls: ssl.SSLContext | None = None,
        lab: bool = False,
    ) -> None:
        self._store = store
        self._timing = timing or Timing()
        self._limits = limits
        self._protection = protection
        self._access = access or Access(None, clock_ms=lambda: time.time_ns() // 1_000_000)
        self._browsers = browsers or Browsers()
        self._addresses = addresses or Addresses()
        self._seats = Seats(protection.connections, protection.connections_per_address)
        self._tls = tls
        self._lab = lab
        self._name = name
        self._hurry = asyncio.Event()
        self._heads: Heads | None = None
        self._gate: Gate | None = None
        self._runner: web.AppRunner | None = None
        self._service: Service | None = None

    async def start(self, listener: socket.socket) -> None:
        """Open the log and serve on a bound socket.

        Raises:
            StoreUnusableError: the log cannot be opened, with the reason.
            AccessFileError: nor can the access file.
        """
        await self._store.open()
        await self._access.open()
        service = self._service = self._make_service()
        for stream in (STATUS, room_stream(DEFAULT_ROOM)):
            await service.fanout.open(stream)
        service.connections.start()
        self._access.follow(lambda: service.connections.review(service.rules))
        self._runner = web.AppRunner(
            self._routes(service), handler_cancellation=True, access_log=None, shutdown_timeout=0.5
        )
        await self._runner.setup()
        self._heads = Heads(self._protection)
        self._heads.start(self._timing.tick)
        self._gate = Gate(
            listener,
            self._visitor,
            seats=self._seats,
            addresses=self._addresses,
            handshake=self._protection.request_seconds,
            tls=self._tls,
        )
        self._gate.open()

    async def publish(self, sample: Sample) -> None:
        """Store a look at this machine; everyone who reads the status stream gets it.

        Raises:
            RefusedError: it could not be stored.
        """
        if self._service is not None:
            await self._service.writing.sample(sample)

    async def stop(self, reason: str = "the server stops", *, drain: float = 0) -> None:
        """Tell every client, give them a moment, end; within 3 s and the drain, whatever they do. Idempotent.

        Args:
            reason: what clients are told.
            drain: seconds over which they are told; see `hurry`.
        """
        if self._gate is not None:
            self._gate.close()
        if self._service is not None:
            await self._service.connections.end_all(CloseCode.RESTART, reason, drain, self._hurry)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._heads is not None:
            self._heads.stop()
        if self._service is not None:
            self._service.fanout.close()
            self._service.rooms.close()
            self._service = None
        await self._access.close()
        await self._store.close()

    def hurry(self) -> None:
        """Drain no longer: tell the rest of the clients now."""
        self._hurry.set()

    def _make_service(self) -> Service:
        allowances, rules = Allowances(self._protection), Rules(self._access)
        return Service(
            name=self._name,
            store=self._store,
            fanout=Fanout(self._store, self._protection.tails_bytes),
            writing=Writing(self._store, self._limits, self._protection, rules, allowances),
            connections=Connections(self._timing, self._protection),
            people=People(self._protection.sessions_per_person),
            rooms=Rooms(self._timing, self._limits.members),
            access=self._access,
            rules=rules,
            allowances=allowances,
            limits=self._limits,
            protection=self._protection,
            timing=self._timing,
        )

    def _visitor(self, gone: Callable[[], None]) -> Visitor:
        if self._runner is None or self._runner.server is None or self._heads is None:
            raise ConnectionAbortedError("the server has stopped")
        protection = self._protection
        return Visitor(
            self._runner.server,
            self._heads,
            gone,
            access_log=None,
            # What a stranger sends is not worth unpacking: 1 MB of gzip costs seconds of everyone's time.
            auto_decompress=False,
            keepalive_timeout=protection.idle_seconds,
            lingering_time=LINGER,
            max_line_size=protection.header_bytes,
            max_field_size=protection.header_bytes,
            max_headers=protection.headers,
        )

    def _routes(self, service: Service) -> web.Application:
        app = web.Application(
            middlewares=[
                errors,
                known_addresses(self._addresses, self._seats),
                self._browsers.check,
                door,
                whole_bodies(self._protection.body_seconds),
            ],
            client_max_size=self._limits.frame_bytes,
        )
        self._browsers.attach(app)
        app[SERVICE] = service
        app[information.FIGURES] = information.Figures(service)
        app.on_response_prepare.append(_sign)
        app.add_routes(
            [
                web.get("/", information.index),
                web.get("/healthz", information.healthz),
                web.get("/metrics", information.metrics),
                web.get("/chat", chat.chat, allow_head=False),
                web.get("/status", reading.status, allow_head=False),
                # Any path, so that a name with a slash is refused as a name and not as an address.
                web.get("/rooms/{room:.*}", reading.room, allow_head=False),
                web.post("/rooms/{room:.*}", posting.message),
                web.post("/notices", posting.notice),
                web.post("/hosts/{host}/samples", posting.sample),
            ]
        )
        if self._lab:
            app.router.add_get("/lab/echo", lab.echo, allow_head=False)
        return app


async def _sign(_: web.Request, response: web.StreamResponse) -> None:
    """Say what this is; which versions it is made of is nobody's business."""
    response.headers["Server"] = "pushtui"
