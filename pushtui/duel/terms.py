"""What is said in a duel, and how."""

from dataclasses import dataclass

from pushtui.protocol.limits import LIMITS

#: Bytes of the shortest text in which there is room for its marks, and of the longest that a server takes.
SHORTEST = 64
LONGEST = LIMITS.text_bytes


@dataclass(frozen=True, slots=True)
class Terms:
    """The defaults take half a minute.

    Attributes:
        messages: how many.
        rate: how many in a second.
        size: of each text in bytes.
        cut: whether the links are cut, when half of it was said.
    """

    messages: int = 300
    rate: float = 15
    size: int = 150
    cut: bool = True
