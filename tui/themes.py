"""Two quiet themes of our own: one accent colour, and colours for levels, nothing else."""

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


def chosen(kept: str, colours: str | None) -> str:
    """Return the name of the theme to begin with.

    Args:
        kept: the one that was chosen last time, empty for none.
        colours: what the terminal can do, by Rich's names for it; the 16 colours of a terminal stay its own.
    """
    if kept in BUILTIN_THEMES or kept in {theme.name for theme in THEMES}:
        return kept
    return "ansi-dark" if colours in {"standard", "windows"} else NIGHT.name
