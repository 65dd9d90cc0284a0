"""What the slash commands do to a conversation; those that move something on the screen are the pane's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.acts import act

if TYPE_CHECKING:
    from tui.chat_session import ChatSession
    from tui.commands import Call


def perform(session: ChatSession, call: Call, room: str) -> None:
    """Do what a command asks for, if it is one of these.

    Args:
        session: the conversation.
        call: the command.
        room: the one that is shown.

    Raises:
        LineRefusedError: it cannot be done.
    """
    argument = call.argument
    match call.command:
        case "nick":
            session.rename(argument)
        case "join" if argument.startswith("@"):
            session.direct(argument[1:], "")
        case "join":
            session.join(argument)
        case "dm":
            nick, _, text = argument.partition(" ")
            session.direct(nick, text)
        case "topic":
            session.topic(room, argument)
        case "me":
            session.say(room, f"/me {argument}")
        case "away":
            session.toggle_away(argument)
        case "mark":
            session.mark(room, argument)
        case command if asked := act(command, argument):
            session.moderate(room, command, asked)
