import pytest

from tui.acts import Act, act


@pytest.mark.parametrize(
    ("command", "argument", "asked"),
    [
        ("remove", "eve", Act("remove", "eve")),
        ("remove", "@eve", Act("remove", "eve")),
        ("remove", "eve 10m", Act("remove", "eve", seconds=600, undo="/unban eve")),
        ("remove", "eve 10m too much noise", Act("remove", "eve", None, 600, "too much noise", undo="/unban eve")),
        ("remove", "eve too much noise", Act("remove", "eve", reason="too much noise")),
        ("mute", "eve 2H", Act("mute", "eve", seconds=7200, here=True, undo="/unmute eve")),
        ("unmute", "eve", Act("unmute", "eve")),
        ("ban", "eve 30d spam", Act("ban", "eve", None, 30 * 86_400, "spam", undo="/unban eve")),
        ("ban", "203.0.113.9", Act("ban", address="203.0.113.9", undo="/unban 203.0.113.9")),
        ("ban", "2001:db8::1/64 1w", Act("ban", None, "2001:db8::1", 604_800, undo="/unban 2001:db8::1/64")),
        ("unban", "2001:db8::1", Act("unban", address="2001:db8::1")),
        ("unban", "eve", Act("unban", "eve")),
        ("bans", "", Act("list")),
        ("readonly", "on", Act("read_only", here=True, undo="/readonly off")),
        ("readonly", "OFF", Act("read_only", on=False, here=True)),
        ("private", "on", Act("private", here=True)),
        ("invite", "bob", Act("admit", "bob", here=True, undo="/expel bob")),
        ("expel", "bob", Act("expel", "bob", here=True, undo="/invite bob")),
    ],
)
def test_a_command_asks_for(command: str, argument: str, asked: Act) -> None:
    assert act(command, argument) == asked


@pytest.mark.parametrize(
    ("command", "argument", "sentence"),
    [
        ("mute", "eve 10min", "10min is no length of time"),
        ("mute", "eve 0m", "0m is no length of time"),
        ("mute", "eve 10", "10 is no length of time"),
        ("mute", "a\N{ZERO WIDTH SPACE}b", "a nick has no spaces and no invisible"),
        ("unban", "eve mallory", "a nick has no spaces"),
        ("readonly", "perhaps", "write on or off after it"),
    ],
)
def test_what_can_be_misread_is_refused(command: str, argument: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        act(command, argument)


def test_other_commands_are_none_of_these() -> None:
    assert act("topic", "eve 10m") is None
