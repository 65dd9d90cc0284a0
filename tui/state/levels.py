"""How bad a share is: calm, warning or critical."""

from enum import IntEnum

WARNING_PERCENT = 80.0
CRITICAL_PERCENT = 95.0


class Level(IntEnum):
    """Ordered, so that ``max`` finds the worst."""

    CALM = 0
    WARNING = 1
    CRITICAL = 2


def level_of(percent: float | None) -> Level:
    """The level of a share of 0-100; what cannot be measured is calm."""
    if percent is None or percent < WARNING_PERCENT:
        return Level.CALM
    return Level.CRITICAL if percent >= CRITICAL_PERCENT else Level.WARNING
