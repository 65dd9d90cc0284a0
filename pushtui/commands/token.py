"""``pushtui token``: who may come in."""

import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pushtui.commands import target
from pushtui.durations import parse_duration
from pushtui.exits import CommandError, Exit
from pushtui.protocol.roles import Role
from pushtui.protocol.text import safe_line
from server.access import tokens
from server.access.file import NAME, AccessFile, AccessFileError
from server.access.records import TokenRecord

#: The name comes last: it may be of characters that are two columns wide.
_COLUMNS = ("id", "role", "state", "created", "expires", "last used", "name")


def create(name: str, *, role: str, expires: str | None, data: Path) -> int:
    """Make a token and print it, and nothing else, on standard output.

    Args:
        name: the nick of whoever will use it.
        role: what they may do.
        expires: for how long it holds, such as ``30d``; None for ever.
        data: the server's data folder; made if there is none.

    Raises:
        CommandError: nobody can be called that, somebody nearly is, or the file cannot be used.
    """
    name = target.nick(name)
    lasts = None if expires is None else parse_duration(expires)
    now = _now_ms()
    with _opened(data) as file:
        secret = tokens.create(file, name, Role(role), now=now, lasts=lasts)
    sys.stdout.write(f"{secret}\n")
    sys.stdout.flush()
    end = "it is revoked" if lasts is None else _minute(now + lasts)
    _say(
        f"This is the token of {name}, {role}. It holds until {end}, and is shown this once.",
        f"Take it back with: pushtui token revoke {secret.id}",
        "Use it: PUSHTUI_TOKEN=… pushtui connect URL",
        "or keep it in a file that only you can read: --token-file FILE",
    )
    if mode := _readable_by_others():
        _say(f"Others can read the file that it was written to ({mode}): chmod 600 it.")
    return Exit.FINE


def list_all(*, as_json: bool, data: Path) -> int:
    """Print every token that was made, but not its secret, which nobody has.

    Args:
        as_json: one JSON object on each line; times in ms since the epoch.
        data: the server's data folder.

    Raises:
        CommandError: the file cannot be used.
    """
    held: list[TokenRecord] = []
    if (data / NAME).exists():  # to look makes nothing
        with _opened(data) as file:
            held = list(file.load().tokens.values())
    now = _now_ms()
    if as_json:
        for token in held:
            sys.stdout.write(json.dumps(_record(token, now)) + "\n")
    elif held:
        rows = [_COLUMNS, *(_row(token, now) for token in held)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
        for row in rows:
            sys.stdout.write("  ".join(map(str.ljust, row, widths)).rstrip() + "\n")
    else:
        _say(f"no token was ever made for the server of {data}")
    return Exit.FINE


def revoke(name_or_id: str, *, data: Path) -> int:
    """Take back one token by its id, or all of a name; a server that runs closes their connections in a second.

    Raises:
        CommandError: there is none, or it was revoked already, or the file cannot be used.
    """
    if not (data / NAME).exists():
        raise CommandError(Exit.REFUSED, f"no token was ever made for the server of {data}")
    with _opened(data) as file:
        revoked = tokens.revoke(file, name_or_id, now=_now_ms())
    for token in revoked:
        sys.stdout.write(safe_line(f"revoked {token.id} of {token.name}, {token.role}") + "\n")
    return Exit.FINE


@contextmanager
def _opened(data: Path) -> Iterator[AccessFile]:
    try:
        file = AccessFile.open(data)
        try:
            yield file
        finally:
            file.close()
    except AccessFileError as error:
        raise CommandError(Exit.CANNOT_START, str(error)) from error
    except tokens.TokenRefusedError as error:
        raise CommandError(Exit.REFUSED, str(error)) from error


def _row(token: TokenRecord, now: int) -> tuple[str, ...]:
    return (
        token.id,
        str(token.role),
        tokens.state(token, now),
        _minute(token.created),
        "never" if token.expires is None else _minute(token.expires),
        "never" if token.used is None else _minute(token.used),
        safe_line(token.name),
    )


def _record(token: TokenRecord, now: int) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "role": str(token.role),
        "created": token.created,
        "expires": token.expires,
        "used": token.used,
        "revoked": token.revoked,
        "state": tokens.state(token, now),
    }


def _minute(at: int) -> str:
    return datetime.fromtimestamp(at / 1000).astimezone().strftime("%Y-%m-%d %H:%M")


def _readable_by_others() -> str:
    """The mode of the file that standard output goes to, if others may read it; else empty."""
    try:
        found = os.fstat(sys.stdout.fileno())
    except OSError:  # it goes to no file
        return ""
    others = found.st_mode & (stat.S_IRGRP | stat.S_IROTH)
    return stat.filemode(found.st_mode) if stat.S_ISREG(found.st_mode) and others else ""


def _say(*lines: str) -> None:
    for line in lines:
        print(safe_line(line), file=sys.stderr)  # noqa: T201


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
