"""The recorded conversation: what its steps are, and how they are read."""

import random
from importlib.resources import files

import msgspec
from msgspec import Struct

from pushtui.protocol.bodies import Level


class _Step(Struct, frozen=True, tag_field="do", tag=str.lower, kw_only=True):
    """What somebody does. ``pause`` in s before it, while the conversation is live."""

    by: str
    pause: float = 0


class Say(_Step, frozen=True, kw_only=True):
    """A message. Somebody is ``typing`` it for so many s; a later one may reply to its ``label``."""

    text: str
    typing: float = 0
    label: str | None = None
    reply_to: str | None = None


class Me(_Step, frozen=True, kw_only=True):
    """What somebody does, told by himself."""

    text: str


class Topic(_Step, frozen=True, kw_only=True):
    """The topic from here on."""

    text: str


class Mark(_Step, frozen=True, kw_only=True):
    """A mark on the timeline."""

    text: str


class Away(_Step, frozen=True, kw_only=True):
    """Somebody is away, or back."""

    on: bool
    text: str | None = None


class Notify(_Step, frozen=True, tag="notice", kw_only=True):
    """A push notification; ``by`` is a program, not one of the people."""

    text: str
    level: Level
    title: str | None = None


Step = Say | Me | Topic | Mark | Away | Notify


class Conversation(Struct, frozen=True):
    """One conversation.

    Attributes:
        room: where it takes place.
        people: who takes part; each one connects.
        told: what has happened before anybody looks.
        told_live: what happens then, with pauses.
        afterwards: what goes on in any order, with numbers of the moment: ``{p99}``, ``{percent}``, ``{digit}``.
    """

    room: str
    people: list[str]
    told: list[Step]
    told_live: list[Step]
    afterwards: list[Step]


def recorded() -> Conversation:
    """Read the conversation that comes with pushtui."""
    return msgspec.json.decode(files("pushtui.demo").joinpath("conversation.json").read_bytes(), type=Conversation)


def varied(step: Step, chance: random.Random) -> Step:
    """The step with numbers of the moment in its text."""
    if isinstance(step, Away):
        return step
    text = step.text.format(p99=chance.randint(70, 95), percent=chance.randint(40, 99), digit=chance.randint(2, 9))
    return msgspec.structs.replace(step, text=text)
