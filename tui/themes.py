"""Two quiet themes of our own: one accent colour, and colours for levels, nothing else."""

from collections.abc import Sequence

from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import BUILTIN_THEMES, Theme

NIGHT = Theme(
    name="pushtui-night",
    primary="#6fb3d2",
    secondary="#6fb3d2",
    accent="#6fb3d2",
    foreground="#d6d9de",
    background="#13161b",
    surface="#181c22",
    panel="#2b313b",
    boost="#1d222a",
    success="#84bd8b",
    warning="#e2a85c",
    error="#e5737d",
    dark=True,
    variables={"scrollbar": "#2b313b", "scrollbar-background": "#181c22"},
)
DAY = Theme(
    name="pushtui-day",
    primary="#1d6e94",
    secondary="#1d6e94",
    accent="#1d6e94",
    foreground="#23272d",
    background="#fafaf7",
    surface="#f3f3ee",
    panel="#d5d6cf",
    boost="#ecece6",
    success="#2d6e3e",
    warning="#8f5600",
    error="#b0281f",
    dark=False,
    variables={"scrollbar": "#c4c5be", "scrollbar-background": "#f3f3ee"},
)
THEMES = (NIGHT, DAY)


#: It names no colours of its own, only those that the terminal has.
PLAIN = "ansi-dark"


def chosen(kept: str, colours: str | None, *, plain: bool = False) -> str:
    """Return the name of the theme to begin with.

    Args:
        kept: the one that was chosen last time, empty for none.
        colours: what the terminal can do, by Rich's names for it; the 16 colours of a terminal stay its own.
        plain: whether no colours are wanted at all.
    """
    if plain:
        return PLAIN
    if kept in BUILTIN_THEMES or kept in {theme.name for theme in THEMES}:
        return kept
    return PLAIN if colours in {"standard", "windows"} else NIGHT.name


def without_colours(filters: Sequence[LineFilter]) -> list[LineFilter]:
    """Return filters for the terminal's own colours when none are wanted.

    Textual picks the one that makes greys of colours before it knows the theme. Of the terminal's own colours it
    makes black on black; taking them away leaves bold, dim and reverse, which is all that is needed.
    """
    return [NoColor() if isinstance(one, Monochrome) else one for one in filters]
