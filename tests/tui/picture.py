"""Turns a picture of the screen into a PNG to look at: ``python -m tests.tui.picture SCREEN.svg OUT.png``."""

import sys
from pathlib import Path

import resvg_py

FONT = "DejaVu Sans Mono"


def main() -> int:
    """Convert one file; exit code 2 when the command line is not two paths."""
    if len(sys.argv) != 3:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    svg, png = map(Path, sys.argv[1:])
    drawn = resvg_py.svg_to_bytes(svg_string=svg.read_text(), monospace_family=FONT, font_family=FONT)
    png.write_bytes(bytes(drawn))
    return 0


if __name__ == "__main__":
    sys.exit(main())
