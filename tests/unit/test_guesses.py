"""How often a token may be guessed."""

import pytest

from riskd.web.login import GUESS_SECONDS, MOST_ADDRESSES, MOST_GUESSES, Guesses, shown_token

pytestmark = pytest.mark.unit


def test_ten_a_minute_and_again_as_they_grow_old() -> None:
    """The eleventh waits until the first is a minute old; another address does not wait."""
    now = [100.0]
    guesses = Guesses(lambda: now[0])
    for _ in range(MOST_GUESSES):
        assert guesses.wait("a") == 0
        guesses.wrong("a")
        now[0] += 1
    assert (guesses.wait("a"), guesses.wait("b")) == (50, 0)
    now[0] = 100.0 + GUESS_SECONDS
    assert guesses.wait("a") == 0
    guesses.wrong("a")
    assert guesses.wait("a") == 1


def test_what_is_remembered_is_bounded() -> None:
    """Of more addresses than it remembers, the one that was wrong longest ago is forgotten."""
    guesses = Guesses(lambda: 0.0)
    for address in ["old"] * MOST_GUESSES + ["kept"] * MOST_GUESSES + [str(i) for i in range(MOST_ADDRESSES - 1)]:
        guesses.wrong(address)
    assert (guesses.wait("old"), guesses.wait("kept")) == (0, 60)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic YW55OmE6Yg==", "a:b"),
        ("Basic YW55", ""),
        ("Basic ?", ""),
        ("Basic /w==", ""),
        ("abc", ""),
        ("", ""),
    ],
)
def test_where_the_token_stands(header: str, token: str) -> None:
    """After Bearer, or after the colon of what Basic holds."""
    assert shown_token(header) == token
