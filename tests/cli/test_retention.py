import pytest

from pushtui.commands import options
from pushtui.retention import ALL, Retention, parse_retention
from pushtui.settings import ServeSettings


@pytest.mark.parametrize(
    ("text", "retention"),
    [
        ("all", ALL),
        ("90s", Retention(age_ms=90_000)),
        ("30m", Retention(age_ms=1_800_000)),
        ("2w", Retention(age_ms=1_209_600_000)),
        ("1000", Retention(entries=1000)),
        ("500 MiB", Retention(bytes=524_288_000)),
        ("10b", Retention(bytes=10)),
        ("365d, 1000000, 2GiB", Retention(31_536_000_000, 1_000_000, 2_147_483_648)),
        ("2GiB,7d", Retention(age_ms=604_800_000, bytes=2_147_483_648)),
    ],
)
def test_limits(text: str, retention: Retention) -> None:
    assert parse_retention(text) == retention


@pytest.mark.parametrize("text", ["", "5x", "24h,", "-1", "1.5d", "h", "2GB", "all,24h", "٣h", "9" * 16])
def test_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match="is no limit; write an age such as 24h"):
        parse_retention(text)


def test_nothing_kept_is_not_meant() -> None:
    with pytest.raises(ValueError, match="a limit of 0 would keep nothing"):
        parse_retention("0")


def test_one_of_each_kind() -> None:
    with pytest.raises(ValueError, match="two limits of one kind"):
        parse_retention("1h,60m")


def test_the_options_defaults_are_the_servers() -> None:
    assert parse_retention(options.DEFAULT_KEEP_CHAT) == ServeSettings().keep_chat
    assert parse_retention(options.DEFAULT_KEEP_STATUS) == ServeSettings().keep_status
