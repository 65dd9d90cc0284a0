import re

import pytest

from server.access.secret import Secret


def test_no_two_are_alike() -> None:
    assert len({Secret.draw() for _ in range(100)}) == 100


def test_it_has_256_bits_and_a_prefix_by_which_a_leak_is_found() -> None:
    assert re.fullmatch(r"ptk_[0-9a-f]{12}_[0-9a-f]{64}", str(Secret.draw()))


def test_what_was_printed_is_read_back() -> None:
    secret = Secret.draw()
    assert Secret.parse(str(secret)) == secret


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ptk_",
        "ptk__",
        "ptk_0123456789ab_",
        f"ptk_0123456789ab_{'0' * 63}",
        f"ptk_0123456789ab_{'0' * 65}",
        f"ptk_0123456789AB_{'0' * 64}",
        f"ptk_0123456789ab_{'0' * 64} ",
        f"ptk_0123456789a١_{'0' * 64}",
        f"PTK_0123456789ab_{'0' * 64}",
        f"0123456789ab_{'0' * 64}",
        "\x1b[31m",
    ],
)
def test_what_is_no_token_is_none(text: str) -> None:
    assert Secret.parse(text) is None


def test_only_the_same_secret_matches() -> None:
    secret, other = Secret.draw(), Secret.draw()
    assert secret.matches(secret.digest())
    assert not other.matches(secret.digest())


def test_neither_the_digest_nor_the_representation_tells_it() -> None:
    secret = Secret.draw()
    assert secret.secret not in repr(secret)
    assert secret.secret.encode() not in secret.digest()
    assert secret.secret not in secret.digest().hex()
