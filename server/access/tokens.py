"""Makes tokens, tells of them, and takes them back: for the commands, whether a server runs or not."""

import difflib
from typing import Literal

from pushtui.protocol.roles import Role
from server.access.file import AccessFile
from server.access.lookalikes import skeleton
from server.access.records import TokenRecord
from server.access.secret import Secret

State = Literal["valid", "expired", "revoked"]


class TokenRefusedError(Exception):
    """What was asked for cannot be done with tokens as they are; the message is one sentence."""


def create(file: AccessFile, name: str, role: Role, *, now: int, lasts: int | None = None) -> Secret:
    """Let somebody in. A name may have several tokens, so that one can take the place of another.

    Args:
        file: where tokens are.
        name: the nick of whoever will come with it, already checked.
        role: what they may do.
        now: the time in ms since the epoch.
        lasts: for how many ms it holds, None for ever.

    Returns:
        The only copy of it in clear.

    Raises:
        TokenRefusedError: the name could be taken for the name of another token.
        AccessFileError: the file cannot be used.
    """
    for known in file.load().tokens.values():
        if known.name != name and skeleton(known.name) == skeleton(name):
            raise TokenRefusedError(f"{name} looks like {known.name}, who has a token already; take another name")
    secret = Secret.draw()
    expires = None if lasts is None else now + lasts
    file.add_token(TokenRecord(secret.id, name, role, secret.digest(), now, expires))
    return secret


def revoke(file: AccessFile, name_or_id: str, *, now: int) -> list[TokenRecord]:
    """Take back one token by its id or itself, or all of a name. They stay in the list: the door stays closed.

    Returns:
        Those that hold no longer.

    Raises:
        TokenRefusedError: nothing is called that, or all of it was revoked before.
        AccessFileError: the file cannot be used.
    """
    tokens = file.load().tokens
    if (whole := Secret.parse(name_or_id)) is not None:
        name_or_id = whole.id
    if name_or_id in tokens:
        meant = [tokens[name_or_id]]
    else:
        meant = [token for token in tokens.values() if token.name == name_or_id]
    if not meant:
        raise TokenRefusedError(f"there is no token {name_or_id}{_suggestion(name_or_id, list(tokens.values()))}")
    holding = [token for token in meant if token.revoked is None]
    if not holding:
        whose = "the token" if len(meant) == 1 else "every token"
        raise TokenRefusedError(f"{whose} {name_or_id} was revoked already")
    file.revoke([token.id for token in holding], now)
    return holding


def state(token: TokenRecord, now: int) -> State:
    """Whether it lets somebody in now."""
    if token.revoked is not None:
        return "revoked"
    return "expired" if token.expires is not None and token.expires <= now else "valid"


def _suggestion(word: str, tokens: list[TokenRecord]) -> str:
    words = {token.name for token in tokens} | {token.id for token in tokens}
    near = difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return "; pushtui token list shows them" if tokens else "; none was ever made"
