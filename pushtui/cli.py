"""The ``pushtui`` command: whatever happens becomes one sentence and an exit code."""

import gc
import os
import sys
from collections.abc import Sequence

from pushtui import __version__

#: Importing makes thousands of objects that stay, and painting as many that go. To look for cycles at every 700 of
#: them, as Python does by itself, costs a tenth of the start and a third of painting.
_GARBAGE = 50_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the command line without the program's name, by default this process's.

    Returns:
        One of `pushtui.exits.Exit`.
    """
    line = list(sys.argv[1:] if arguments is None else arguments)
    if line == ["--version"]:  # before anything is imported: scripts and completions ask often
        print(__version__)  # noqa: T201
        return 0
    try:
        return _run(line)
    except BrokenPipeError:
        _let_go_of_standard_output()
        return 0
    except KeyboardInterrupt:
        return 130


def _run(line: list[str]) -> int:
    gc.set_threshold(_GARBAGE, *gc.get_threshold()[1:])
    from cyclopts import CycloptsError

    from pushtui import logs
    from pushtui.commands.line import app
    from pushtui.exits import CommandError, Exit

    try:
        result = app(line)
        sys.stdout.flush()
    except CycloptsError as error:
        error.verbose = False
        sentence = str(error)
        return _say(sentence[:1].lower() + sentence[1:], Exit.WRONG_OPTIONS)
    except CommandError as error:
        return _say(str(error), error.code)
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:
        if logs.tracebacks_wanted():
            import traceback

            from pushtui.protocol.token import masked

            sys.stderr.write(masked(traceback.format_exc()))
        return _say(
            f"unexpected {type(error).__name__}: {error} (--log-level debug shows the traceback)", Exit.UNEXPECTED
        )
    return result if isinstance(result, int) else Exit.FINE


def _say(sentence: str, code: int) -> int:
    from pushtui.protocol.text import safe_line
    from pushtui.protocol.token import masked

    print(f"pushtui: {safe_line(masked(' '.join(sentence.split())))}", file=sys.stderr)  # noqa: T201
    return int(code)


def _let_go_of_standard_output() -> None:
    """Whoever read has gone: nothing more goes there, neither now nor when Python flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
