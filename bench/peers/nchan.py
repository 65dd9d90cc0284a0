"""Nchan: the push module of nginx, in C, as Debian ships it; one worker."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.load.opening import Opening, get, post, text_frame, upgrade
from bench.load.speaker import HTTP_LANES, Way
from bench.peers.peer import Entrance, Peer, Wire

_MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
_CONFIGURATION = """
load_module {module};
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 16000; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  tcp_nodelay on;
  nchan_shared_memory_size 512M;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location ~ ^/publish/(.+)$ {{
      nchan_publisher http websocket;
      nchan_channel_id $1;
      nchan_message_buffer_length 20000;
      nchan_message_timeout 10m;
    }}
    location ~ ^/rooms/(.+)$ {{
      nchan_subscriber websocket eventsource;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"""


class Nchan(Peer):
    """nginx with Nchan."""

    name = "nchan"
    title = "Nchan (nginx, C)"
    stores = "in memory"
    routes = (("ws", "ws"), ("post", "ws"), ("post", "sse"))

    def missing(self) -> str | None:
        """Debian's packages."""
        if shutil.which("nginx") is None or not _MODULE.exists():
            return "apt-get install nginx libnginx-mod-nchan"
        return None

    def command(self, port: int, folder: Path) -> Sequence[str]:
        """A configuration of its own; nothing of the system's is read."""
        user = "user root;" if os.geteuid() == 0 else ""
        path = folder / "nginx.conf"
        path.write_text(_CONFIGURATION.format(module=_MODULE, user=user, folder=folder, port=port))
        return ["nginx", "-p", str(folder), "-c", str(path)]

    def listen(self, wire: Wire, room: str, number: int) -> Opening:
        """A subscriber of the newest."""
        if wire == "sse":
            return Opening((get(f"/rooms/{room}", b"\r\n\r\n"),))
        return Opening((upgrade(f"/rooms/{room}"),))

    def speak(self, entrance: Entrance, rooms: Sequence[str]) -> Way:
        """Each message is answered, either way."""
        if entrance == "ws":
            return Way(
                Opening((upgrade(f"/publish/{rooms[0]}"),)), lambda text, _: text_frame(text), b"queued messages"
            )
        return Way(
            Opening(()),
            lambda text, number: post(f"/publish/{rooms[number % len(rooms)]}", text),
            b"HTTP/1.1 20",
            HTTP_LANES,
        )
