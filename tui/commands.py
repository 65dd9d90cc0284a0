"""What a line in the composer means: something to say, or a slash command; and how its last word goes on. Pure."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pushtui.protocol import names
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.roles import Right, Role
from tui.acts import act
from tui.state.amendments import spoken
from tui.state.items import Kind


class LineRefusedError(ValueError):
    """A line cannot be sent or done; the message says why, in one sentence."""


class Say(NamedTuple):
    """Something to say."""

    text: str


class Call(NamedTuple):
    """A command to do, by its name without the slash. ``argument`` is checked, and empty when left out."""

    command: str
    argument: str


class Command(NamedTuple):
    """A slash command.

    Attributes:
        name: without the slash.
        argument: what follows it, in brackets when it may be left out, empty when nothing does.
        does: what it is good for, for help and palette.
        check: returns the argument as it is to be used, or raises ValueError with a sentence.
        right: what one has to be allowed; who is not can write it all the same, and is told by the server.
    """

    name: str
    argument: str
    does: str
    check: Callable[[str], str] = str
    right: Right = Right.LISTEN

    @property
    def usage(self) -> str:
        """How it is written."""
        return f"/{self.name} {self.argument}".rstrip()


def _topic(text: str) -> str:
    if len(text) > LIMITS.topic_characters:
        raise ValueError(f"a topic has at most {LIMITS.topic_characters} characters, this one has {len(text)}")
    return _line(text)


def _line(text: str) -> str:
    if "\n" in text:
        raise ValueError("it takes one line, not several")
    return text


def _room(text: str) -> str:
    """A room by its name, with the sign of a private one or without; or one of two by whom it is with."""
    if text.startswith("@"):
        return "@" + names.nick(text[1:])
    return names.room(text.removeprefix("*"))


def _whom(text: str) -> str:
    """Somebody, and what to say to them, which may have several lines."""
    nick, *said = text.removeprefix("@").split(None, 1)
    return " ".join([names.nick(nick), *said])


def _act(name: str, argument: str, does: str, right: Right = Right.MODERATE) -> Command:
    def check(text: str) -> str:
        act(name, _line(text))
        return text

    return Command(name, argument, does, check, right)


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command("nick", "NAME", "take another nick", names.nick),
        Command("join", "ROOM", "go to a room; a new name makes a new one", _room),
        Command("leave", "[ROOM]", "leave this room, or that one", _room),
        Command("dm", "NICK [TEXT]", "talk with one person alone", _whom, Right.SPEAK),
        Command("topic", "TEXT", "set the topic of this room", _topic, Right.SPEAK),
        Command("me", "TEXT", "say what you do", str, Right.SPEAK),
        Command("away", "[TEXT]", "be away, perhaps say why; once more to be back", _line),
        Command("mark", "TEXT", "put a mark here and in the status pane", _line, Right.SPEAK),
        Command("who", "", "show or hide who is here"),
        _act("private", "on|off", "let in here only who is invited, or everyone", Right.SPEAK),
        _act("invite", "NICK", "let somebody into this private room", Right.SPEAK),
        _act("expel", "NICK", "let somebody no longer into this private room"),
        _act("mute", "NICK [TIME] [REASON]", "silence somebody here, for 10m or for good"),
        _act("unmute", "NICK", "let them write again"),
        _act("remove", "NICK [TIME] [REASON]", "send somebody away, for 10m, or free to come back"),
        _act("ban", "NICK|ADDRESS [TIME] [REASON]", "keep somebody out, for 30d or for good", Right.ADMINISTER),
        _act("unban", "NICK|ADDRESS", "let in again who was removed or banned"),
        _act("bans", "", "list who is kept out or muted, and closed rooms"),
        _act("readonly", "on|off", "let only moderators write here, or everyone"),
        Command("help", "", "show keys and commands"),
        Command("quit", "", "leave pushtui"),
    )
}


def parse(line: str) -> Say | Call:
    """Read what was written in the composer.

    A line that begins with ``//`` is said with one slash.

    Raises:
        LineRefusedError: nothing to say, too much of it, no such command, or the wrong argument for it.
    """
    if not line.startswith("/") or line.startswith("//"):
        return Say(_text(line.removeprefix("/") if line.startswith("//") else line))
    word, _, rest = line[1:].partition(" ")
    command = COMMANDS.get(word.lower())
    if command is None:
        raise LineRefusedError(f"no command /{_short(word)}: /help lists them, // says a slash")
    argument = rest.strip()
    if argument and not command.argument:
        raise LineRefusedError(f"/{command.name} takes nothing after it")
    if not argument:
        if command.argument and not command.argument.startswith("["):
            raise LineRefusedError(f"/{command.name} needs something after it: {command.usage}")
        return Call(command.name, "")
    try:
        checked = command.check(argument)
    except ValueError as error:
        raise LineRefusedError(f"/{command.name}: {error}") from error
    return Call(command.name, _text(checked))


def offered(role: Role) -> list[Command]:
    """The commands that a role may use."""
    return [command for command in COMMANDS.values() if role.may(command.right)]


def line_of(said: str) -> str:
    """Return the line that says ``said`` when it is written in the composer: what `parse` undoes."""
    return f"/{said}" if said.startswith("/") and spoken(said)[0] is Kind.MESSAGE else said


def _text(text: str) -> str:
    if not text.strip():
        raise LineRefusedError("there is nothing to say yet")
    size = len(text.encode("utf-8", "replace"))
    if size > LIMITS.text_bytes:
        raise LineRefusedError(f"a message has at most {LIMITS.text_bytes} bytes, this one has {size}")
    return text


def _short(word: str) -> str:
    line = word.partition("\n")[0]
    return line if len(line) <= 20 else line[:20] + "…"


_COMMAND_WORD = re.compile(r"/[a-z]*\Z", re.IGNORECASE)
_ROOM_WORD = re.compile(r"/(?:join|leave)\s+(\S*)\Z", re.IGNORECASE)
_SWITCH_WORD = re.compile(r"/(?:private|readonly)\s+(\S*)\Z", re.IGNORECASE)
_LAST_WORD = re.compile(r"(?:^|\s)(@?)([^\s@]*)\Z")


class Completion(NamedTuple):
    """How the text before the cursor can go on: from ``start`` on, one of ``candidates`` (each with its space)."""

    start: int
    candidates: list[str]


def complete(before: str, *, nicks: Iterable[str], rooms: Iterable[str], role: Role = Role.MEMBER) -> Completion:
    """Complete the last word of ``before``, the text before the cursor: a command, a room, ``@ana`` or ``ana``."""
    if _COMMAND_WORD.match(before):
        known = (command.name for command in offered(role))
        return Completion(0, [f"/{name} " for name in known if name.startswith(before[1:].lower())])
    if match := _SWITCH_WORD.match(before):
        return Completion(match.start(1), _matching(match[1], ("on", "off")))
    if match := _ROOM_WORD.match(before):
        return Completion(match.start(1), _matching(match[1], rooms))
    match = _LAST_WORD.search(before)
    if match is None or not match[0].strip():
        return Completion(len(before), [])
    at, word = match.groups()
    return Completion(match.start(1), [at + nick for nick in _matching(word, nicks)])


def _matching(word: str, known: Iterable[str]) -> list[str]:
    return sorted((f"{name} " for name in known if name.casefold().startswith(word.casefold())), key=str.casefold)
