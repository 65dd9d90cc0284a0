"""Pictures of the screen, and how long tests wait for it."""

from __future__ import annotations

import gc
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex
from textual import _wait
from textual.app import App
from textual.widgets import Input, TextArea

from tests.tui.stage import Stage
from tui.widgets import drain

# An app is a heap of cycles, and painting makes thousands of small objects: looking for garbage that often
# takes half the time of these tests.
gc.set_threshold(200_000, 50, 100)

# After each key a pilot waits until the app has done nothing for a while; a 500th of a second is enough.
_wait.SLEEP_GRANULARITY = 0.002
_wait.SLEEP_IDLE = 0.0002

# What came in is painted soon: a test waits for each painting.
drain.INTERVAL = 0.02

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"


class ScreenPicture(SingleFileSnapshotExtension):
    """One SVG file for each picture, under the name that the test gives: ``live-120x36.svg``."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        return str(index)

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(SNAPSHOTS)


@pytest.fixture
def screen_snapshot(snapshot: SnapshotAssertion) -> Callable[[App[Any], str], None]:
    """Compare the screen of a running app with ``tests/snapshots/<name>-<columns>x<rows>.svg``."""
    pictures = snapshot.use_extension(ScreenPicture)

    def compare(app: App[Any], name: str) -> None:
        for field in app.screen.query(Input):
            field.cursor_blink = False
        for area in app.screen.query(TextArea):
            area.cursor_blink = False
        width, height = app.size
        # Rich names its styles after a checksum of the whole picture: with it, any change would touch every line.
        svg = re.sub(r"terminal-\d+", "terminal", app.export_screenshot(simplify=True))
        with warnings.catch_warnings():
            # Pictures are named after what they show, not after the test that takes them.
            warnings.filterwarnings("ignore", message=r"\s*Can not relate snapshot")
            assert pictures(name=f"{name}-{width}x{height}") == svg

    return compare


@pytest.fixture
def stage(tmp_path: Path) -> type[Stage]:
    """How a test opens the screen: ``async with stage() as on:``; it remembers in a folder of its own."""
    return type("StageInItsFolder", (Stage,), {"kept_at": tmp_path / "screen.json"})
