"""The token of whoever calls a command: from a variable, a file, or the prompt; and never from a flag."""

import getpass
import os
import stat
import sys
from pathlib import Path

from pushtui.client.address import Address
from pushtui.client.endings import wants_token
from pushtui.configuration import TOKEN_VARIABLE
from pushtui.exits import CommandError, Exit
from pushtui.protocol.token import Token, TokenRefusedError

_LARGEST_FILE = 1024


class TokenWantedError(CommandError):
    """The server refused because there is no token, or it does not hold."""


def given(file: Path | None) -> Token | None:
    """The token that was given; None if there is none.

    Args:
        file: the file that counts, as `pushtui.configuration.apply` leaves it: before the variable.

    Raises:
        CommandError: it cannot be read, others can read it, or it is no token. Nothing is sent without it then.
    """
    if file is not None:
        return of_file(file)
    text = os.environ.get(TOKEN_VARIABLE)
    return None if text is None else _token(text, TOKEN_VARIABLE)


def of_file(path: Path) -> Token:
    """The token in a file.

    Raises:
        CommandError: it cannot be read, others can read it, or it is no token.
    """
    path = path.expanduser()
    try:
        with path.open("rb") as file:
            _refuse_shared(os.fstat(file.fileno()), path)
            text = file.read(_LARGEST_FILE).decode(errors="replace")
    except OSError as error:
        raise CommandError(
            Exit.WRONG_OPTIONS, f"the token file {path} cannot be read: {error.strerror}"
        ) from error
    return _token(text, f"the token file {path}")


def ask(address: Address) -> Token | None:
    """Ask for a token on the terminal; None when there is no terminal, or nothing was typed.

    Raises:
        CommandError: what was typed is no token.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    try:
        text = getpass.getpass(f"token for {address.authority}: ")
    except EOFError:
        return None
    return _token(text, "what was typed") if text.strip() else None


def refusal(sentence: str, code: int | None, *, had_token: bool) -> CommandError:
    """The error for what a server refused, with advice if it wants a token and got none.

    Args:
        sentence: what the server said.
        code: its close code or HTTP status.
        had_token: whether it got a token.
    """
    if not wants_token(code):
        return CommandError(Exit.REFUSED, sentence)
    advice = "" if had_token else f" (give it by {TOKEN_VARIABLE} or --token-file)"
    return TokenWantedError(Exit.REFUSED, sentence + advice)


def warn(authority: str) -> None:
    """Say that everybody on the way can read the token."""
    print(  # noqa: T201
        f"pushtui: warning: your token travels to {authority} unencrypted; use https:// if the server has it",
        file=sys.stderr,
    )


def _token(text: str, source: str) -> Token:
    try:
        return Token(text)
    except TokenRefusedError as error:
        raise CommandError(Exit.WRONG_OPTIONS, f"{source}: {error}") from None


def _refuse_shared(found: os.stat_result, path: Path) -> None:
    if not hasattr(os, "geteuid"):  # Windows has other ways to say who may read a file
        return
    if found.st_uid != os.geteuid():
        raise CommandError(
            Exit.WRONG_OPTIONS, f"the token file {path} belongs to somebody else; make a copy that is yours"
        )
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CommandError(
            Exit.WRONG_OPTIONS,
            f"the token file {path} is open to others ({stat.filemode(found.st_mode)}); do: chmod 600 {path}",
        )
