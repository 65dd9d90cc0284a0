"""Exit codes of the ``pushtui`` command: what a script may rely on."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    FINE = 0
    UNEXPECTED = 1
    WRONG_OPTIONS = 2
    CANNOT_START = 3
    NO_SERVER = 4
    REFUSED = 5
    WARNED = 6
    FAULTY = 7
    INTERRUPTED = 130


#: What each code means, in the words of ``--help`` and of the documentation.
MEANINGS: dict[Exit, str] = {
    Exit.FINE: "all went well",
    Exit.UNEXPECTED: "something unexpected",
    Exit.WRONG_OPTIONS: "wrong options or configuration",
    Exit.CANNOT_START: "no start: a port or a file cannot be had, or anybody could come in",
    Exit.NO_SERVER: "no server at that address",
    Exit.REFUSED: "the server refused: nick, name, limit or token",
    Exit.WARNED: "the doctor found something to warn of, and no fault",
    Exit.FAULTY: "the doctor found a fault",
    Exit.INTERRUPTED: "interrupted",
}


class CommandError(Exception):
    """A command cannot go on; the message is one sentence for the person who called it."""

    def __init__(self, code: Exit, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
