"""All peers, pushtui first."""

from collections.abc import Sequence

from bench.peers.centrifuge import Centrifuge
from bench.peers.nchan import Nchan
from bench.peers.peer import Peer
from bench.peers.plain import NodeWs, Starlette, Websockets
from bench.peers.pushtui import Pushtui

PEERS: Sequence[Peer] = (Pushtui(), Nchan(), Centrifuge(), NodeWs(), Websockets(), Starlette())
