"""``pushtui connect``: the screen."""

from pathlib import Path

from pushtui.commands import credential, terminal
from pushtui.commands.target import address_of
from pushtui.commands.target import nick as checked_nick
from pushtui.commands.target import room as checked_room


def run(url: str | None, *, nick: str | None, room: str, token_file: Path | None = None) -> int:
    """Open the screen on a server; without an address it asks for one.

    Returns:
        The exit code.

    Raises:
        CommandError: the address or a name is none, the token cannot be had, or there is no terminal.
    """
    address = None if url is None else address_of(url)
    name = None if nick is None else checked_nick(nick)
    room = checked_room(room)
    token = credential.given(token_file)
    terminal.require("connect", "pushtui tail prints what it shows")
    from tui.app import run as run_screen

    return terminal.orderly(lambda: run_screen(address, name, room, token=token))
