"""``pushtui inspect``: what passes between here and any address, in the lens or as lines on standard output."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from pushtui.client.address import AddressRefusedError
from pushtui.client.inspection import Asking, Inspection, NoFlowError, NoServerError, Target
from pushtui.commands import credential, standard_input, terminal
from pushtui.commands.record_lines import Written, printed, written
from pushtui.commands.standard_output import while_read
from pushtui.exits import CommandError, Exit
from pushtui.protocol.text import safe_line
from pushtui.wire import masking
from pushtui.wire.recording import Recorder
from pushtui.wire.records import Beginning, Record
from pushtui.wire.watch import NotSentError

_LONGEST_MESSAGE = 1024 * 1024


def target_of(url: str) -> Target:
    """Read the URL; raises a `CommandError` if it is none."""
    try:
        return Target.parse(url)
    except AddressRefusedError as error:
        raise CommandError(Exit.WRONG_OPTIONS, str(error)) from error


def run(
    target: Target,
    asking: Asking,
    *,
    screen: bool,
    as_json: bool,
    once: bool,
    record: Path | None = None,
    binary: bool = False,
) -> int:
    """Show what passes: an event stream until interrupted, a WebSocket until it closes.

    Args:
        target: the address.
        asking: what to ask with.
        screen: show it in the lens; else as lines, and then what comes on standard input is sent over a WebSocket.
        as_json: lines of JSON instead of text.
        once: end with the first stream.
        record: a file to write all to, which must not exist yet.
        binary: lines of standard input are bytes in hexadecimal, for binary messages.

    Returns:
        The exit code.

    Raises:
        CommandError: nobody is there, or they send nothing of the kind, or the file cannot be written.
        BrokenPipeError: nobody reads any more.
    """
    if asking.token is not None and not target.loopback and not target.encrypted:
        credential.warn(target.authority)
    if asking.insecure and target.encrypted:
        _say(f"warning: nobody checks that {target.authority} is who it says; others can read along")
    beginning = Beginning(
        "websocket" if target.is_websocket else "sse", masking.url(target.url), round(time.time() * 1000)
    )
    with closing(_created(record)) if record is not None else nullcontext() as file:
        recorder = None if file is None else Recorder(file, beginning)
        if screen:
            return _show(target, asking, once, recorder)
        asyncio.run(while_read(_print(target, asking, once, written(beginning, as_json), recorder, binary)))
    return Exit.FINE


def _created(path: Path) -> BinaryIO:
    path = path.expanduser()
    try:
        # What passed may be nobody else's business.
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        raise CommandError(
            Exit.WRONG_OPTIONS, f"{path} exists already; a recording begins with a new file"
        ) from None
    except OSError as error:
        raise CommandError(Exit.CANNOT_START, f"{path} cannot be written: {error.strerror}") from error


def _show(target: Target, asking: Asking, once: bool, recorder: Recorder | None) -> int:
    from tui.lens.app import run as run_lens

    looks = _Looks(target, asking, once, recorder)
    sender = looks.send if target.is_websocket else None
    return terminal.orderly(lambda: run_lens(looks.again, safe_line(masking.url(target.url)), sender))


class _Looks:
    """One look after the other, as often as one wants to begin anew; all in one recording."""

    def __init__(self, target: Target, asking: Asking, once: bool, recorder: Recorder | None) -> None:
        self._new = partial(Inspection, target, asking, once=once)
        self._inspection = self._new()
        self._recorder = recorder
        self._began = time.monotonic()

    def again(self) -> AsyncGenerator[Record, None]:
        """The records of the next one."""
        self._inspection = self._new()
        shift = time.monotonic() - self._began
        return _recorded(self._inspection, self._recorder, shift)

    async def send(self, message: str | bytes, /) -> None:
        """Send over the present one."""
        await self._inspection.send(message)


async def _recorded(
    inspection: Inspection, recorder: Recorder | None, shift: float = 0.0
) -> AsyncGenerator[Record, None]:
    async with aclosing(inspection.records()) as records:
        async for record in records:
            if recorder is not None:
                try:
                    recorder(replace(record, at=record.at + shift))
                except OSError as error:
                    raise CommandError(Exit.CANNOT_START, f"recording has failed: {error.strerror}") from error
            yield record


async def _print(
    target: Target, asking: Asking, once: bool, write: Written, recorder: Recorder | None, binary: bool
) -> None:
    inspection = Inspection(target, asking, once=once)
    sending = asyncio.ensure_future(_send(inspection, binary)) if target.is_websocket else None
    try:
        async with aclosing(_recorded(inspection, recorder)) as records:
            await printed(records, write)
    except NoServerError as error:
        raise CommandError(Exit.NO_SERVER, str(error)) from error
    except NoFlowError as error:
        raise CommandError(Exit.REFUSED, str(error)) from error
    finally:
        if sending is not None:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(inspection: Inspection, binary: bool) -> None:
    """Send what comes on standard input, line by line; its end ends nothing else."""
    try:
        async for line in standard_input.lines(_LONGEST_MESSAGE):
            try:
                await inspection.send(bytes.fromhex(line.decode()) if binary else line.decode())
            except UnicodeDecodeError:
                _say("a line was not sent: it is no UTF-8")
            except ValueError:
                _say("a line was not sent: with --binary it is bytes in hexadecimal, such as 00 ff")
    except standard_input.LineTooLongError:
        _say(f"nothing more is sent: a line has more than {_LONGEST_MESSAGE} bytes")
    except NotSentError as error:
        _say(str(error))


def _say(sentence: str) -> None:
    print(f"pushtui: {safe_line(sentence)}", file=sys.stderr)  # noqa: T201
