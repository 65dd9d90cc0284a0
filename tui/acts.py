"""What the commands of a moderator ask the server for. Pure."""

import ipaddress
import re
from typing import NamedTuple

from pushtui.durations import parse_duration
from pushtui.protocol import names
from pushtui.protocol.messages import Action

_ACTIONS: dict[str, Action] = {
    "remove": "remove",
    "mute": "mute",
    "unmute": "unmute",
    "ban": "ban",
    "unban": "unban",
    "bans": "list",
    "readonly": "read_only",
    "private": "private",
    "invite": "admit",
    "expel": "expel",
}
#: Those that are about the room that is shown.
_HERE = {"mute", "readonly", "private", "invite", "expel"}
#: Those that can be undone, and the command that does so.
_UNDONE_BY = {"remove": "unban", "mute": "unmute", "ban": "unban", "invite": "expel", "expel": "invite"}
#: A word that is to be a length of time, or a mistaken one.
_TIME = re.compile(r"[0-9]+[a-z]*", re.IGNORECASE)


class Act(NamedTuple):
    """An act of moderation, as `pushtui.protocol.messages.Moderate` has it.

    Attributes:
        action: what to do.
        nick: whom it is about.
        address: or where they are.
        seconds: how long it holds, None for no end.
        reason: why.
        on: whether it is to hold from now on, or no longer.
        here: whether it is about the room that is shown.
        undo: the line that takes it back, empty if none does.
    """

    action: Action
    nick: str | None = None
    address: str | None = None
    seconds: int | None = None
    reason: str | None = None
    on: bool = True
    here: bool = False
    undo: str = ""


def act(command: str, argument: str) -> Act | None:
    """Return what a command with this argument asks for, None for a command that is none of these.

    Raises:
        ValueError: the argument is none for it, in one sentence.
    """
    action = _ACTIONS.get(command)
    if action is None:
        return None
    asked = Act(action, here=command in _HERE)
    match command:
        case "bans":
            return asked
        case "readonly" | "private":
            on = _switch(argument)
            return asked._replace(on=on, undo="/readonly off" if on and command == "readonly" else "")
        case "remove" | "mute" | "ban":
            whom, *more = argument.split(None, 2)
            seconds = None
            if more and _TIME.fullmatch(more[0]):
                seconds = parse_duration(more.pop(0)) // 1000
            asked = asked._replace(seconds=seconds, reason=" ".join(more) or None)
        case _:
            whom = argument
    if command in ("ban", "unban") and (address := _address(whom)):
        asked = asked._replace(address=address)
    else:
        whom = names.nick(whom.removeprefix("@"))
        asked = asked._replace(nick=whom)
    # Without a time somebody is sent away and may come back at once.
    undone_by = None if command == "remove" and asked.seconds is None else _UNDONE_BY.get(command)
    return asked._replace(undo=f"/{undone_by} {whom}") if undone_by else asked


def _switch(argument: str) -> bool:
    if argument.lower() not in ("on", "off"):
        raise ValueError("write on or off after it")
    return argument.lower() == "on"


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.removesuffix("/64")))
    except ValueError:
        return None
