"""Which colours there are on which terminal."""

import pytest
from textual.filter import Monochrome, NoColor

from tests.tui.stage import Stage
from tui.themes import NIGHT, PLAIN, chosen


@pytest.mark.parametrize(
    ("kept", "colours", "plain", "theme"),
    [
        ("", "truecolor", False, NIGHT.name),
        ("", "standard", False, PLAIN),
        ("textual-light", "standard", False, "textual-light"),
        ("a theme of another version", "256", False, NIGHT.name),
        ("textual-light", "truecolor", True, PLAIN),
    ],
)
def test_the_theme_to_begin_with(kept: str, colours: str, plain: bool, theme: str) -> None:
    assert chosen(kept, colours, plain=plain) == theme


async def test_without_colours_none_reaches_the_terminal_and_what_is_chosen_is_underlined(
    stage: type[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with stage() as on:
        await on.live()
        filters = [type(one) for one in on.app.get_line_filters()]
        assert NoColor in filters
        assert Monochrome not in filters
        await on.press("ctrl+p")
        await on.shows("leave pushtui")
        await on.press("down")
        strips = on.app.screen._compositor.render_strips()
        styles = {segment.text.strip(): segment.style for strip in strips for segment in strip}
        assert styles["theme"] is not None
        assert styles["quit"] is not None
        assert styles["quit"].underline
        assert not styles["theme"].underline
        assert "default" in str(styles["quit"].color)
