"""The options of the command line: their types, what they mean, and their environment variables.

An option that several commands know means the same in each: it has one variable (``PUSHTUI_NICK``) and stands at
the top of the configuration file. An option of one command carries its name (``PUSHTUI_SERVE_PORT``) and stands
in the command's table. An option that says what one single call is to do has neither.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from pushtui.client.address import DEFAULT_ADDRESS
from pushtui.duel.terms import LONGEST, SHORTEST
from pushtui.durations import parse_duration
from pushtui.retention import parse_retention
from pushtui.settings import Durability, LogLevel


def _retention(_: object, text: str) -> None:
    parse_retention(text)


def _duration(_: object, text: str | None) -> None:
    if text is not None:
        parse_duration(text)


DEFAULT_URL = DEFAULT_ADDRESS
DEFAULT_ROOM = "main"
DEFAULT_KEEP_CHAT = "all"
DEFAULT_KEEP_STATUS = "24h,100000"

Flow = Annotated[Literal["chat", "status"], Parameter(help="Which flow to print.")]

Url = Annotated[
    str, Parameter(env_var="PUSHTUI_URL", help="The server: http://, https://, ws://, wss:// or host:port.")
]
OptionalUrl = Annotated[
    str | None,
    Parameter(env_var="PUSHTUI_URL", help="The server; without one, a screen asks for it."),
]
Nick = Annotated[str | None, Parameter(env_var="PUSHTUI_NICK", help="Your name in the room.")]
Room = Annotated[str, Parameter(env_var="PUSHTUI_ROOM", help="The room.")]
TokenFile = Annotated[
    Path | None,
    Parameter(
        env_var="PUSHTUI_TOKEN_FILE",
        help="The file with your token, which only you may read; or set PUSHTUI_TOKEN to the token.",
    ),
]

ServeHost = Annotated[str, Parameter(env_var="PUSHTUI_SERVE_HOST", help="The address to listen on.")]
ServePort = Annotated[
    int,
    Parameter(
        env_var="PUSHTUI_SERVE_PORT",
        validator=Number(gte=0, lte=65535),
        help="The port to listen on; 0 lets the system choose.",
    ),
]
ServeData = Annotated[
    Path | None,
    Parameter(env_var="PUSHTUI_SERVE_DATA", help="The folder for the log; by default the user's data folder."),
]
ServeMemory = Annotated[
    bool, Parameter(env_var="PUSHTUI_SERVE_MEMORY", negative="", help="Keep the log in memory only.")
]
ServeDurability = Annotated[
    Durability,
    Parameter(
        env_var="PUSHTUI_SERVE_DURABILITY",
        help="When a message is acknowledged: when it is on the disk, or, faster, before.",
    ),
]
ServeKeepChat = Annotated[
    str,
    Parameter(
        env_var="PUSHTUI_SERVE_KEEP_CHAT",
        validator=_retention,
        help="What each room keeps: an age, a number of events, a size, or several: 30d,1000000,2GiB; or all.",
    ),
]
ServeKeepStatus = Annotated[
    str,
    Parameter(
        env_var="PUSHTUI_SERVE_KEEP_STATUS",
        validator=_retention,
        help="What the status stream keeps; in the same way.",
    ),
]
ServeInterval = Annotated[
    float,
    Parameter(
        env_var="PUSHTUI_SERVE_INTERVAL",
        validator=Number(gte=0.1, lte=3600),
        help="Seconds between two samples of this machine.",
    ),
]
ServeDrain = Annotated[
    float,
    Parameter(
        env_var="PUSHTUI_SERVE_DRAIN",
        validator=Number(gte=0, lte=3600),
        help="Seconds over which a server that stops tells its clients; a second Ctrl-C tells the rest at once.",
    ),
]
ServeOpen = Annotated[
    bool,
    Parameter(
        env_var="PUSHTUI_SERVE_OPEN",
        negative="",
        help="Let people without a token in, wherever they are, also when tokens exist.",
    ),
]
ServeTlsCert = Annotated[
    Path | None,
    Parameter(
        env_var="PUSHTUI_SERVE_TLS_CERT", help="The certificate chain (PEM); connections are encrypted then."
    ),
]
ServeTlsKey = Annotated[
    Path | None, Parameter(env_var="PUSHTUI_SERVE_TLS_KEY", help="The private key of the certificate (PEM).")
]
ServeAllowHost = Annotated[
    str,
    Parameter(
        env_var="PUSHTUI_SERVE_ALLOW_HOST",
        help="Further names that this server is reached by, with commas between: chat.example.",
    ),
]
ServeAllowOrigin = Annotated[
    str,
    Parameter(
        env_var="PUSHTUI_SERVE_ALLOW_ORIGIN",
        help="Web pages of other sites that may use this server, with commas between: https://wiki.example.",
    ),
]
ServeTrustedProxy = Annotated[
    str,
    Parameter(
        env_var="PUSHTUI_SERVE_TRUSTED_PROXY",
        help="Proxies whose X-Forwarded-For is believed, with commas between: 127.0.0.1,10.0.0.0/8.",
    ),
]
ServeMaxConnections = Annotated[
    int | None,
    Parameter(
        env_var="PUSHTUI_SERVE_MAX_CONNECTIONS",
        validator=Number(gte=1),
        help="Connections that are open at the same time, at most.",
    ),
]
ServeMaxConnectionsPerAddress = Annotated[
    int | None,
    Parameter(
        env_var="PUSHTUI_SERVE_MAX_CONNECTIONS_PER_ADDRESS",
        validator=Number(gte=1),
        help="Those of one IPv4 address, or of one IPv6 network of 64 bits.",
    ),
]
ServeSendRate = Annotated[
    float | None,
    Parameter(
        env_var="PUSHTUI_SERVE_SEND_RATE",
        validator=Number(gte=0),
        help="Messages per second that one person may send, five times as many at once; 0 for no limit.",
    ),
]
ServeLab = Annotated[
    bool,
    Parameter(
        env_var="PUSHTUI_SERVE_LAB",
        negative="",
        help="Also serve /lab/echo, for test suites of WebSocket; nothing for a server that people use.",
    ),
]

SendLines = Annotated[
    bool,
    Parameter(env_var="PUSHTUI_SEND_LINES", negative="", help="Post each line of standard input as it comes."),
]

TailJson = Annotated[
    bool, Parameter(env_var="PUSHTUI_TAIL_JSON", negative="", help="One JSON object on each line.")
]
TailReplay = Annotated[
    int,
    Parameter(
        env_var="PUSHTUI_TAIL_REPLAY",
        validator=Number(gte=0, lte=1000),
        help="How many older events to begin with.",
    ),
]
TailWait = Annotated[
    bool,
    Parameter(env_var="PUSHTUI_TAIL_WAIT", negative="", help="Wait for a server that is not there yet."),
]

InspectUrl = Annotated[
    str, Parameter(help="http:// or https:// for server-sent events, ws:// or wss:// for a WebSocket.")
]
InspectJson = Annotated[
    bool, Parameter(env_var="PUSHTUI_INSPECT_JSON", negative="", help="One JSON object on each line.")
]
InspectLines = Annotated[
    bool,
    Parameter(env_var="PUSHTUI_INSPECT_LINES", negative="", help="Lines of text, also where a screen could be."),
]
InspectOnce = Annotated[
    bool, Parameter(env_var="PUSHTUI_INSPECT_ONCE", negative="", help="End with the first event stream.")
]
InspectTokenFile = Annotated[
    Path | None,
    Parameter(help="The file with a token, which is sent to the URL's host."),
]
InspectHeader = Annotated[
    list[str] | None,
    Parameter(name=("--header", "-H"), negative="", help="A header to ask with: 'Name: value'; several times."),
]
InspectOrigin = Annotated[
    str | None, Parameter(help="The web page to ask for, as its server is to believe: https://wiki.example.")
]
InspectSubprotocol = Annotated[
    list[str] | None,
    Parameter(negative="", help="What a WebSocket offers, with commas between, the most wanted first."),
]
InspectLastEventId = Annotated[str | None, Parameter(help="Where an event stream is to go on from.")]
InspectInsecure = Annotated[bool, Parameter(negative="", help="Take any certificate.")]
InspectRecord = Annotated[Path | None, Parameter(help="A new file, to which all that passes is written.")]
InspectBinary = Annotated[
    bool, Parameter(negative="", help="Lines of standard input are bytes in hexadecimal, for binary messages.")
]

ReplayFile = Annotated[Path, Parameter(help="What inspect --record, or --json, has written.")]
ReplaySpeed = Annotated[float, Parameter(validator=Number(gt=0), help="How many times as fast as it happened.")]
ReplayJson = Annotated[bool, Parameter(negative="", help="One JSON object on each line.")]
ReplayLines = Annotated[bool, Parameter(negative="", help="Lines of text, also where a screen could be.")]

DoctorUrl = Annotated[
    str, Parameter(help="ws:// or wss:// for a WebSocket, http:// or https:// for an event stream.")
]
DoctorJson = Annotated[
    bool, Parameter(env_var="PUSHTUI_DOCTOR_JSON", negative="", help="One JSON object on each line.")
]
DoctorPatience = Annotated[
    float,
    Parameter(
        env_var="PUSHTUI_DOCTOR_PATIENCE",
        validator=Number(gte=0.1, lte=600),
        help="Seconds to wait for what comes by itself: heartbeats, pings, the end of idle connections.",
    ),
]
DoctorOversize = Annotated[
    int,
    Parameter(
        env_var="PUSHTUI_DOCTOR_OVERSIZE",
        validator=Number(gte=1, lte=1024),
        help="MiB of a message that a WebSocket should refuse.",
    ),
]
DoctorSend = Annotated[
    str | None, Parameter(help="A text that the WebSocket answers, to see how it puts fragments together.")
]
DoctorPost = Annotated[
    str | None, Parameter(help="The URL where a text is posted that comes out of the event stream; two are.")
]

TokenName = Annotated[str, Parameter(help="The nick of whoever will use it.")]
TokenRole = Annotated[
    Literal["reader", "agent", "member", "moderator", "admin"],
    Parameter(
        help="What they may do: a reader listens only, an agent posts samples and notices only, a moderator may"
        " also take back what others said and remove them."
    ),
]
TokenExpires = Annotated[
    str | None, Parameter(validator=_duration, help="For how long it holds, such as 12h or 30d; else for ever.")
]
TokenNameOrId = Annotated[str, Parameter(help="A token's id, or the name of whoever has it.")]
TokenJson = Annotated[bool, Parameter(negative="", help="One JSON object on each line.")]
TokenData = Annotated[
    Path | None,
    Parameter(
        env_var="PUSHTUI_SERVE_DATA",
        help="The data folder of the server, as for serve; by default the user's data folder.",
    ),
]

DemoSeconds = Annotated[
    float | None,
    Parameter(
        env_var="PUSHTUI_DEMO_SECONDS",
        validator=Number(gt=0, lte=86400),
        help="Print the conversation for so many seconds instead of opening the screen.",
    ),
]

DuelUrl = Annotated[str | None, Parameter(help="The server; without one, the duel brings its own.")]
DuelMessages = Annotated[
    int,
    Parameter(
        env_var="PUSHTUI_DUEL_MESSAGES", validator=Number(gte=10, lte=100_000), help="How many messages to say."
    ),
]
DuelRate = Annotated[
    float,
    Parameter(
        env_var="PUSHTUI_DUEL_RATE",
        validator=Number(gte=0.1, lte=1000),
        help="How many in a second; a server takes 20 from one person.",
    ),
]
DuelBytes = Annotated[
    int,
    Parameter(
        env_var="PUSHTUI_DUEL_BYTES",
        validator=Number(gte=SHORTEST, lte=LONGEST),
        help="How long each is.",
    ),
]
DuelCut = Annotated[
    bool,
    Parameter(env_var="PUSHTUI_DUEL_CUT", help="Cut the three links when half of it was said; or do not."),
]
DuelLines = Annotated[
    bool,
    Parameter(env_var="PUSHTUI_DUEL_LINES", negative="", help="Print the table in the end, and open no screen."),
]
DuelJson = Annotated[
    bool, Parameter(env_var="PUSHTUI_DUEL_JSON", negative="", help="Print it as one JSON object instead.")
]


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """What every command knows."""

    config: Annotated[
        Path | None,
        Parameter(env_var="PUSHTUI_CONFIG", help="The configuration file; by default in the user's own folder."),
    ] = None
    log_level: Annotated[
        LogLevel | None,
        Parameter(env_var="PUSHTUI_LOG_LEVEL", help="What to log on standard error; debug shows tracebacks."),
    ] = None
