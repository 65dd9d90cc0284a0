"""The colours of the timeline: one accent for oneself, quiet hues for others, and levels."""

PREFIX = "timeline--"

# No red and no yellow among the hues: those are levels. Equal lightness keeps anyone from standing out.
_HUES = (205, 275, 165, 320, 230, 185, 295)
_ANSI = ("cyan", "magenta", "green", "blue", "bright_cyan", "bright_magenta", "bright_blue")


def _nicks(values: list[str]) -> str:
    return "\n".join(f".{PREFIX}nick-{number} {{ color: {value}; }}" for number, value in enumerate(values))


CSS = f"""
Timeline {{
    height: 1fr;
    overflow-x: hidden;
    overflow-y: scroll;
    scrollbar-size-vertical: 1;
    scrollbar-background: $background;
    scrollbar-background-hover: $background;
    scrollbar-background-active: $background;
    scrollbar-color: $foreground 15%;
    scrollbar-color-hover: $foreground 30%;
    scrollbar-color-active: $foreground 40%;
    background: $background;
    color: $foreground;
    .timeline--time {{ color: $foreground 45%; }}
    .timeline--quiet {{ color: $foreground 60%; }}
    .timeline--rule {{ color: $foreground 45%; }}
    .timeline--own {{ color: $text-primary; text-style: bold; }}
    .timeline--link {{ text-style: underline; }}
    .timeline--stored {{ color: $foreground 40%; }}
    .timeline--failed {{ color: $text-error; }}
    .timeline--warning {{ color: $text-warning; }}
    .timeline--critical {{ color: $text-error; }}
    .timeline--bar {{ background: $foreground 12%; color: $foreground; }}
    &:dark {{
        {_nicks([f"hsl({hue}, 45%, 72%)" for hue in _HUES])}
    }}
    &:light {{
        {_nicks([f"hsl({hue}, 60%, 32%)" for hue in _HUES])}
    }}
    &:ansi {{
        scrollbar-background: ansi_default;
        scrollbar-background-hover: ansi_default;
        scrollbar-background-active: ansi_default;
        scrollbar-color: ansi_bright_black;
        .timeline--time {{ color: ansi_default; text-style: dim; }}
        .timeline--quiet {{ color: ansi_default; text-style: dim; }}
        .timeline--rule {{ color: ansi_default; text-style: dim; }}
        .timeline--stored {{ color: ansi_default; text-style: dim; }}
        .timeline--own {{ color: $primary; text-style: bold; }}
        .timeline--failed {{ color: $error; }}
        .timeline--warning {{ color: $warning; }}
        .timeline--critical {{ color: $error; }}
        .timeline--bar {{ background: ansi_default; color: ansi_default; text-style: reverse; }}
        {_nicks([f"ansi_{name}" for name in _ANSI])}
    }}
}}
"""
