"""One figure of a measurement."""

from typing import NamedTuple


class Measured(NamedTuple):
    """A figure, and what it should be under; None when nothing is asked of it."""

    what: str
    value: float
    unit: str
    limit: float | None = None
