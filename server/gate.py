"""The gate: accepts connections, and counts them before anything is read, decrypted or answered."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable

from server.addresses import Addresses, counted
from server.dismissal import LINGER, last_answer
from server.seats import FullError, Seat, Seats

logger = logging.getLogger(__name__)

#: Connections that the kernel holds for a server that is busy accepting others.
BACKLOG = 4096
#: Connections accepted before others have their turn.
_BATCH = 256
#: Before accepting is tried again after it failed.
_PAUSE = 1.0
#: Who is turned away and has yet to read why; with more of them the oldest are dropped.
MOST_DISMISSED = 64
_RETRY_AFTER = 10
#: For the last bytes and the farewell of TLS, which a client that is gone or stuck does not return.
_FAREWELL_SECONDS = 5.0

#: Makes the protocol of one connection; it calls what it is given when the connection is over.
MakeProtocol = Callable[[Callable[[], None]], asyncio.Protocol]


class Gate:
    """Accepts on one listening socket.

    asyncio's own server accepts whoever comes; this one knows how many there are, and from where.

    Args:
        listener: a bound socket; closed by `close`.
        make: see `MakeProtocol`.
        seats: how many may come in.
        addresses: what they count under.
        tls: for connections that are encrypted.
        handshake: seconds for the handshake of TLS.
    """

    def __init__(
        self,
        listener: socket.socket,
        make: MakeProtocol,
        *,
        seats: Seats,
        addresses: Addresses,
        handshake: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._listener = listener
        self._make = make
        self._seats = seats
        self._addresses = addresses
        self._tls = tls
        self._handshake = handshake
        self._loop = asyncio.get_running_loop()
        self._coming: set[asyncio.Task[None]] = set()
        self._dismissed: OrderedDict[socket.socket, asyncio.TimerHandle] = OrderedDict()
        self._again: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Begin to accept."""
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        self._loop.add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Accept nobody any more, and drop those who have not come in yet. Who is in stays. Idempotent."""
        if self._listener.fileno() < 0:
            return
        self._loop.remove_reader(self._listener)
        self._listener.close()
        if self._again is not None:
            self._again.cancel()
        for task in self._coming:
            task.cancel()
        for peer in list(self._dismissed):
            self._drop(peer)

    def _accept(self) -> None:
        for _ in range(_BATCH):
            try:
                peer, address = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue  # it was gone before its turn came
            except OSError as error:
                # Most often there are no descriptors left. That passes, and asking again at once would not help.
                logger.warning("no connection can be accepted for a moment: %s", error.strerror)
                self._loop.remove_reader(self._listener)
                self._again = self._loop.call_later(_PAUSE, self.open)
                return
            peer.setblocking(False)
            self._receive(peer, address[0])

    def _receive(self, peer: socket.socket, address: str) -> None:
        try:
            seat = self._seats.take(None if self._addresses.is_proxy(address) else counted(address))
        except FullError as full:
            logger.debug("%s is turned away: %s", address, full)
            self._dismiss(peer, full)
            return
        task = self._loop.create_task(self._let_in(peer, seat))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _let_in(self, peer: socket.socket, seat: Seat) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._make(seat.leave),
                peer,
                ssl=self._tls,
                ssl_handshake_timeout=self._handshake if self._tls else None,
                ssl_shutdown_timeout=_FAREWELL_SECONDS if self._tls else None,
            )
        except OSError as error:
            # Also what a handshake of TLS may end with: whoever speaks plain HTTP, or trusts another authority.
            seat.leave()
            logger.debug("a connection came to nothing: %s", error)
        except BaseException:
            seat.leave()
            raise

    def _dismiss(self, peer: socket.socket, full: FullError) -> None:
        if self._tls is not None:
            peer.close()  # a sentence that can be read would take the handshake that is to be spared
            return
        try:
            peer.send(last_answer(full.status, full.code, full.message, _RETRY_AFTER))
            peer.shutdown(socket.SHUT_WR)
        except OSError:
            peer.close()
            return
        if len(self._dismissed) >= MOST_DISMISSED:
            self._drop(next(iter(self._dismissed)))
        self._dismissed[peer] = self._loop.call_later(LINGER, self._drop, peer)
        self._loop.add_reader(peer, self._disregard, peer)

    def _disregard(self, peer: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, InterruptedError):
            try:
                said = peer.recv(65536)
            except ConnectionError:
                said = b""
            if not said:
                self._drop(peer)

    def _drop(self, peer: socket.socket) -> None:
        self._dismissed.pop(peer).cancel()
        self._loop.remove_reader(peer)
        peer.close()
