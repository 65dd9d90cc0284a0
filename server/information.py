"""``GET /``, ``/healthz``, ``/metrics``: what this server is and how it is doing."""

import math
import time
from collections.abc import Callable, Iterator

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from pushtui import __version__
from pushtui.protocol.messages import SUBPROTOCOLS
from pushtui.protocol.roles import Right
from server.access.door import IDENTITY
from server.log.streams import room_stream
from server.service import SERVICE, Service

#: Figures that took so many seconds to make are given again, for so many times as long.
_LONG = 0.02
_REST = 10

PATHS = {
    "GET /": "this",
    "GET /chat": "WebSocket: the chat",
    "GET /status": "event stream: samples, alerts, notices, marks",
    "GET /rooms/{room}": "event stream: one room, to read along",
    "GET /rooms/{room}?after=POSITION&wait=25": "long polling: the next events of a room",
    "POST /rooms/{room}": "one message into a room",
    "POST /notices": "a push notification",
    "POST /hosts/{host}/samples": "one sample of another host",
    "GET /healthz": "200 while the log accepts writes",
    "GET /metrics": "Prometheus text",
}


async def index(request: web.Request) -> web.Response:
    """Name, version, paths, subprotocols, limits."""
    service = request.app[SERVICE]
    return web.json_response(
        {
            "name": service.name,
            "version": __version__,
            "paths": PATHS,
            "subprotocols": SUBPROTOCOLS,
            "limits": msgspec.to_builtins(service.limits),
        }
    )


async def healthz(request: web.Request) -> web.Response:
    """200 while the log accepts writes, else 503 with the reason."""
    trouble = request.app[SERVICE].store.trouble()
    if trouble is None:
        return web.json_response({"status": "ok"})
    return web.json_response({"status": "unavailable", "reason": trouble}, status=503)


async def metrics(request: web.Request) -> web.Response:
    """Prometheus text; to who may listen."""
    request[IDENTITY].require(Right.LISTEN)
    return web.Response(body=request.app[FIGURES].text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Figures:
    """What ``/metrics`` answers. With thousands of rooms it takes long, so it is not made for everyone who asks.

    Args:
        service: what is told of.
        clock: seconds, never going back.
    """

    def __init__(self, service: Service, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_ServiceCollector(service))
        ProcessCollector(registry=self._registry)
        self._clock = clock
        self._text = b""
        self._good_until = -math.inf

    def text(self) -> bytes:
        """All of it as Prometheus text; what took long to make is given again for a while."""
        begin = self._clock()
        if begin >= self._good_until:
            self._text = generate_latest(self._registry)
            end = self._clock()
            took = end - begin
            self._good_until = end + (_REST * took if took >= _LONG else 0)
        return self._text


FIGURES = web.AppKey("figures", Figures)


class _ServiceCollector(Collector):
    """Reads the service when it is asked; nothing is counted twice, and nothing while nobody looks."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        service = self._service
        connections = GaugeMetricFamily("pushtui_connections", "Clients connected now", labels=["transport"])
        for kind, count in {"websocket": 0, "sse": 0, "polling": 0, **service.connections.count()}.items():
            connections.add_metric([kind], count)
        yield connections
        yield GaugeMetricFamily("pushtui_people", "People in the chat now", value=len(service.people))
        yield GaugeMetricFamily("pushtui_rooms", "Rooms with somebody in them", value=len(service.rooms))
        yield CounterMetricFamily(
            "pushtui_deliveries", "Events handed to clients, each client counted", value=service.fanout.delivered()
        )
        rules = service.access.holdings.rules
        private = {room_stream(room) for room, rule in rules.items() if rule.private}
        yield GaugeMetricFamily("pushtui_private_rooms", "Rooms that only members enter", value=len(private))
        heads = GaugeMetricFamily(
            "pushtui_log_head", "Highest seq of each stream that is not private", labels=["stream"]
        )
        for stream in service.store.streams():
            if stream in private:
                continue
            state = service.store.state(stream)
            heads.add_metric([stream], state.head if state else 0)
        yield heads
        healthy = 0 if service.store.trouble() else 1
        yield GaugeMetricFamily("pushtui_log_writable", "1 while the log accepts writes", value=healthy)
