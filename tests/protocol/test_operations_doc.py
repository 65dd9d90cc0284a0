"""docs/operations.md lists every limit, with its value."""

import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from pushtui.protocol.limits import LIMITS, PROTECTION, Limits, Protection, Rate

DOCUMENT = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def listed(columns: int) -> dict[str, str]:
    """The value that stands beside each name, in the table that has so many columns."""
    section = DOCUMENT.partition("\n## Limits\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): row[1] for row in rows if len(row) == columns}


def shown(name: str, value: object) -> str:
    """As the document writes it."""
    if isinstance(value, Rate):
        return f"{value.per_second:g} a second, {thousands(value.burst)} at once"
    assert isinstance(value, int | float)
    if name.endswith("_seconds"):
        return f"{value:g} s"
    if name.endswith(("_bytes", "_bytes_per_second")):
        if value and value % (1 << 20) == 0:
            return f"{int(value) >> 20} MiB"
        return f"{value // 1024} KiB" if value % 1024 == 0 else f"{value} B"
    return thousands(int(value))


def thousands(number: int) -> str:
    return f"{number:,}".replace(",", " ")


@pytest.mark.parametrize(("limits", "columns"), [(LIMITS, 4), (PROTECTION, 5)], ids=["limits", "protection"])
def test_every_limit_is_listed_with_its_value(limits: Limits | Protection, columns: int) -> None:
    real = {field.name: shown(field.name, getattr(limits, field.name)) for field in fields(type(limits))}
    assert listed(columns) == real


def test_what_it_links_is_there() -> None:
    folder = Path(__file__).parents[2] / "docs"
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", DOCUMENT)
    assert len(links) > 5
    assert [link for link in links if not (folder / link).exists()] == []
