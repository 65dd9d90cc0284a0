"""Whom a command speaks to and as whom, read from its options."""

import getpass

from pushtui.client.address import Address, AddressRefusedError
from pushtui.exits import CommandError, Exit
from pushtui.protocol import names


def address_of(url: str) -> Address:
    """Read the server's address; raises a `CommandError` if it is none."""
    try:
        return Address.parse(url)
    except AddressRefusedError as error:
        raise CommandError(Exit.WRONG_OPTIONS, str(error)) from error


def nick(text: str) -> str:
    """Read a nick; raises a `CommandError` if it cannot be one."""
    try:
        return names.nick(text)
    except names.NameRefusedError as error:
        raise CommandError(Exit.WRONG_OPTIONS, str(error)) from error


def room(text: str) -> str:
    """Read a room's name; raises a `CommandError` if it cannot be one."""
    try:
        return names.room(text)
    except names.NameRefusedError as error:
        raise CommandError(Exit.WRONG_OPTIONS, str(error)) from error


def login() -> str:
    """The name of whoever runs this, if it can be a nick, else ``someone``."""
    try:
        return names.nick(getpass.getuser())
    except (names.NameRefusedError, OSError, KeyError):  # no such user in a bare container
        return "someone"
