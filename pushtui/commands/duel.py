"""``pushtui duel``: the same messages over three transports, on a screen or as a table."""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from pushtui.client.address import Address
from pushtui.commands import credential, target, terminal
from pushtui.commands.standard_output import while_read
from pushtui.duel.contender import DuelError
from pushtui.duel.duel import Duel
from pushtui.duel.stage import own_server
from pushtui.duel.standing import Standing
from pushtui.duel.table import lines
from pushtui.duel.terms import Terms
from pushtui.exits import CommandError, Exit
from pushtui.protocol.token import Token


def run(url: str | None, terms: Terms, *, as_lines: bool, as_json: bool, token_file: Path | None = None) -> int:
    """Let a duel take place; without an address on a server of its own, which ends with it.

    Args:
        url: the server.
        terms: what is said, and how.
        as_lines: print the table in the end, and open no screen; so it is without a terminal.
        as_json: print one JSON object in the end instead.
        token_file: the file with the token, if not PUSHTUI_TOKEN has it.

    Raises:
        CommandError: there is no server, or it refused.
        BrokenPipeError: nobody reads the table.
    """
    address = None if url is None else target.address_of(url)
    # What is meant for some server is not shown to the duel's own.
    token = None if address is None else credential.given(token_file)
    if address is not None and token is not None and not address.private:
        credential.warn(address.authority)
    try:
        if as_lines or as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
            asyncio.run(while_read(_print(address, terms, token, as_json=as_json)))
            return Exit.FINE
        from tui.duel.app import run as run_screen

        return terminal.orderly(lambda: run_screen(address, terms, token))
    except DuelError as error:
        if error.code is None:
            raise CommandError(Exit.NO_SERVER, str(error)) from error
        raise credential.refusal(str(error), error.code, had_token=token is not None) from error


async def _print(address: Address | None, terms: Terms, token: Token | None, *, as_json: bool) -> None:
    async with AsyncExitStack() as stack:
        if address is None:
            address = await (await stack.enter_async_context(own_server()))()
        standing = await Duel(address, terms, token=token).run()
    for line in (_record(standing),) if as_json else lines(standing):
        print(line, flush=True)  # noqa: T201


def _record(standing: Standing) -> str:
    record = msgspec.to_builtins(standing)
    for lane in record["lanes"]:
        del lane["latencies_ms"]  # only to be drawn
    return msgspec.json.encode(record).decode()
