"""The command line. Each function reads one command's options, then imports its side and hands over to it."""

import sys
from pathlib import Path

from cyclopts import App

from pushtui import __version__, configuration, logs
from pushtui.commands import options
from pushtui.commands.options import Common
from pushtui.duel.terms import Terms
from pushtui.exits import MEANINGS
from pushtui.retention import parse_retention
from pushtui.settings import DEFAULT_HOST, DEFAULT_INTERVAL, DEFAULT_PORT, ServeSettings, default_data

COMMON = Common()
TERMS = Terms()

_EPILOGUE = "\n".join(
    (
        "Exit codes:",
        *(f"  {code.value:<4} {meaning}" for code, meaning in MEANINGS.items()),
        "",
        "Options can also be set by their variables, or in the configuration file:",
        f"  {configuration.default_path()}",
    )
)

app = App(
    name="pushtui",
    help="A team room in a terminal: chat over WebSocket, machine status over Server-Sent Events, side by side.",
    help_epilogue=_EPILOGUE,
    help_format="plaintext",
    help_formatter="default" if sys.stdout.isatty() else "plain",
    version=__version__,
    config=configuration.apply,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
    print_error=False,
    exit_on_error=False,
)


@app.command
def serve(
    *,
    host: options.ServeHost = DEFAULT_HOST,
    port: options.ServePort = DEFAULT_PORT,
    data: options.ServeData = None,
    memory: options.ServeMemory = False,
    durability: options.ServeDurability = "full",
    keep_chat: options.ServeKeepChat = options.DEFAULT_KEEP_CHAT,
    keep_status: options.ServeKeepStatus = options.DEFAULT_KEEP_STATUS,
    interval: options.ServeInterval = DEFAULT_INTERVAL,
    drain: options.ServeDrain = 0,
    open: options.ServeOpen = False,  # noqa: A002 (the name of the option)
    tls_cert: options.ServeTlsCert = None,
    tls_key: options.ServeTlsKey = None,
    allow_host: options.ServeAllowHost = "",
    allow_origin: options.ServeAllowOrigin = "",
    trusted_proxy: options.ServeTrustedProxy = "",
    max_connections: options.ServeMaxConnections = None,
    max_connections_per_address: options.ServeMaxConnectionsPerAddress = None,
    send_rate: options.ServeSendRate = None,
    lab: options.ServeLab = False,
    common: Common = COMMON,
) -> int:
    """Run the server: the rooms, and the status of this machine."""
    from server.main import run

    return run(
        ServeSettings(
            host=host,
            port=port,
            data=_folder(data),
            memory=memory,
            durability=durability,
            keep_chat=parse_retention(keep_chat),
            keep_status=parse_retention(keep_status),
            log_level=common.log_level or "info",
            interval=interval,
            drain=drain,
            open=open,
            tls_cert=tls_cert.expanduser() if tls_cert else None,
            tls_key=tls_key.expanduser() if tls_key else None,
            allow_host=allow_host,
            allow_origin=allow_origin,
            trusted_proxy=trusted_proxy,
            max_connections=max_connections,
            max_connections_per_address=max_connections_per_address,
            send_rate=send_rate,
            lab=lab,
        )
    )


@app.command
def connect(
    url: options.OptionalUrl = None,
    *,
    nick: options.Nick = None,
    room: options.Room = options.DEFAULT_ROOM,
    token_file: options.TokenFile = None,
    common: Common = COMMON,
) -> int:
    """Open the screen: the chat at the left, the status at the right."""
    logs.keep_off_the_screen(common.log_level or "warning")
    from pushtui.commands.connect import run

    return run(url, nick=nick, room=room, token_file=token_file)


@app.command
def send(
    *text: str,
    room: options.Room = options.DEFAULT_ROOM,
    nick: options.Nick = None,
    url: options.Url = options.DEFAULT_URL,
    lines: options.SendLines = False,
    token_file: options.TokenFile = None,
    common: Common = COMMON,
) -> int:
    """Post a message: TEXT, or else the whole of standard input."""
    logs.set_up(common.log_level or "warning")
    from pushtui.commands.send import run

    return run(" ".join(text) if text else None, url=url, room=room, nick=nick, lines=lines, token_file=token_file)


@app.command
def tail(
    flow: options.Flow = "chat",
    /,
    *,
    json: options.TailJson = False,
    room: options.Room = options.DEFAULT_ROOM,
    replay: options.TailReplay = 10,
    wait: options.TailWait = False,
    nick: options.Nick = None,
    url: options.Url = options.DEFAULT_URL,
    token_file: options.TokenFile = None,
    common: Common = COMMON,
) -> int:
    """Print a flow as lines, for a pipe or a screen reader."""
    logs.set_up(common.log_level or "warning")
    from pushtui.commands.tail import run

    return run(flow, url=url, room=room, nick=nick, replay=replay, wait=wait, as_json=json, token_file=token_file)


@app.command
def inspect(
    url: options.InspectUrl,
    /,
    *,
    json: options.InspectJson = False,
    lines: options.InspectLines = False,
    once: options.InspectOnce = False,
    header: options.InspectHeader = None,
    origin: options.InspectOrigin = None,
    subprotocol: options.InspectSubprotocol = None,
    last_event_id: options.InspectLastEventId = None,
    token_file: options.InspectTokenFile = None,
    insecure: options.InspectInsecure = False,
    binary: options.InspectBinary = False,
    record: options.InspectRecord = None,
    common: Common = COMMON,
) -> int:
    """Show what passes between here and any address, by server-sent events or a WebSocket, to the byte."""
    screen = _has_screen(json or lines, common)
    from pushtui.commands import asking
    from pushtui.commands.inspect import run, target_of

    target = target_of(url)
    wished = asking.read(
        target,
        token_file=token_file,
        headers=header or (),
        origin=origin,
        subprotocols=subprotocol or (),
        last_event_id=last_event_id,
        insecure=insecure,
    )
    return run(target, wished, screen=screen, as_json=json, once=once, record=record, binary=binary)


@app.command
def replay(
    file: options.ReplayFile,
    /,
    *,
    speed: options.ReplaySpeed = 1.0,
    json: options.ReplayJson = False,
    lines: options.ReplayLines = False,
    common: Common = COMMON,
) -> int:
    """Show again what inspect has recorded."""
    screen = _has_screen(json or lines, common)
    from pushtui.commands.replay import run

    return run(file, speed=speed, screen=screen, as_json=json)


@app.command
def doctor(
    url: options.DoctorUrl,
    /,
    *,
    json: options.DoctorJson = False,
    patience: options.DoctorPatience = 20,
    oversize: options.DoctorOversize = 17,
    header: options.InspectHeader = None,
    origin: options.InspectOrigin = None,
    subprotocol: options.InspectSubprotocol = None,
    send: options.DoctorSend = None,
    post: options.DoctorPost = None,
    insecure: options.InspectInsecure = False,
    token_file: options.InspectTokenFile = None,
    common: Common = COMMON,
) -> int:
    """Try any WebSocket or event stream, and say what is wrong with it."""
    logs.set_up(common.log_level or "warning")
    from pushtui.commands.doctor import run

    return run(
        url,
        as_json=json,
        patience=patience,
        oversize=oversize,
        headers=header or (),
        origin=origin,
        subprotocols=subprotocol or (),
        text=send,
        post=post,
        insecure=insecure,
        token_file=token_file,
    )


@app.command
def demo(*, seconds: options.DemoSeconds = None, common: Common = COMMON) -> int:
    """Show a room in which a conversation plays; leaving it stops and removes everything."""
    logs.keep_off_the_screen(common.log_level or "warning")
    from pushtui.demo.show import run

    return run(seconds)


@app.command
def duel(
    url: options.DuelUrl = None,
    /,
    *,
    messages: options.DuelMessages = TERMS.messages,
    rate: options.DuelRate = TERMS.rate,
    bytes: options.DuelBytes = TERMS.size,  # noqa: A002 (the name of the option)
    cut: options.DuelCut = TERMS.cut,
    lines: options.DuelLines = False,
    json: options.DuelJson = False,
    token_file: options.TokenFile = None,
    common: Common = COMMON,
) -> int:
    """Compare WebSocket, SSE and long polling: the same messages over all three, side by side."""
    logs.keep_off_the_screen(common.log_level or "warning")
    from pushtui.commands.duel import run

    terms = Terms(messages, rate, bytes, cut)
    return run(url, terms, as_lines=lines, as_json=json, token_file=token_file)


tokens = App(name="token", help="Say who may come in: make tokens, list them, take them back.")
app.command(tokens)


@tokens.command(name="create")
def create_token(
    name: options.TokenName,
    /,
    *,
    role: options.TokenRole = "member",
    expires: options.TokenExpires = None,
    data: options.TokenData = None,
    common: Common = COMMON,
) -> int:
    """Make a token, and print it this once."""
    logs.set_up(common.log_level or "warning")
    from pushtui.commands.token import create

    return create(name, role=role, expires=expires, data=_folder(data))


@tokens.command(name="list")
def list_tokens(
    *, json: options.TokenJson = False, data: options.TokenData = None, common: Common = COMMON
) -> int:
    """Print all tokens that were made, without what they are."""
    logs.set_up(common.log_level or "warning")
    from pushtui.commands.token import list_all

    return list_all(as_json=json, data=_folder(data))


@tokens.command(name="revoke")
def revoke_token(
    name_or_id: options.TokenNameOrId, /, *, data: options.TokenData = None, common: Common = COMMON
) -> int:
    """Take tokens back; open connections end."""
    logs.set_up(common.log_level or "warning")
    from pushtui.commands.token import revoke

    return revoke(name_or_id, data=_folder(data))


def _has_screen(lines_wanted: bool, common: Common) -> bool:
    """Whether the lens can be shown, and lines are not wanted; logs go where they do no harm."""
    shown = not lines_wanted and sys.stdin.isatty() and sys.stdout.isatty()
    (logs.keep_off_the_screen if shown else logs.set_up)(common.log_level or "warning")
    return shown


def _folder(data: Path | None) -> Path:
    return data.expanduser() if data else default_data()
