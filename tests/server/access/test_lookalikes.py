import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.access.lookalikes import skeleton

names = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("ana", "ана"),  # Cyrillic
        ("ana", "аna"),  # its first letter is
        ("Ana", "ANA"),
        ("ana", "ａｎａ"),
        ("ana", "𝐚𝓷𝖆"),
        ("paypal", "раураӏ"),
        ("BOB", "ВОВ"),
        ("admin", "аdmіn"),
        ("mark", "rnark"),
        ("user1", "userl"),
        ("bot0", "boto"),
        ("HEI", "ΗΕΙ"),  # Greek
        ("omo", "οmο"),
        ("Zoé", "Zoe\u0301"),
        ("straße", "STRASSE"),
        ("finn", "ﬁnn"),
        ("a-b", "a‐b"),
        ("ニ", "二"),  # a kana, and the number two
    ],
)
def test_names_that_look_alike(name: str, other: str) -> None:
    assert name != other
    assert skeleton(name) == skeleton(other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("ana", "anna"),
        ("ana", "anä"),
        ("ian", "lan"),
        ("иван", "ivan"),
        ("李四", "李三"),
        ("user1", "user2"),
        ("łukasz", "lukasz"),
        ("a-b", "a_b"),
        ("дима", "дина"),
        ("שלום", "שלם"),
    ],
)
def test_names_that_do_not(name: str, other: str) -> None:
    assert skeleton(name) != skeleton(other)


@given(names)
def test_case_makes_no_difference_and_a_skeleton_is_its_own(name: str) -> None:
    assert skeleton(name) == skeleton(name.casefold()) == skeleton(skeleton(name))


def test_a_known_name_costs_next_to_nothing() -> None:
    skeleton("somebody")
    hits = skeleton.cache_info().hits
    assert skeleton("somebody") == skeleton("SOMEBODY")
    assert skeleton.cache_info().hits > hits
