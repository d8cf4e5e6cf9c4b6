"""Shares are rounded to six places."""

import pytest

from api.metrics.figure_table import share


@pytest.mark.parametrize(
    ("part", "whole", "value"),
    [
        (9, 11, "0.818182"),
        (421, 4000, "0.10525"),  # exact with five places
        (1, 3, "0.333333"),
        (1, 8, "0.125"),
        (1, 2_000_000, "0.000000"),  # 0.0000005: a tie goes to the even digit
        (3, 2_000_000, "0.000002"),
        (4, 4, "1"),
        (0, 7, "0"),
    ],
)
def test_a_share_has_six_places_at_most(part: int, whole: int, value: str) -> None:
    assert str(share(part, whole)) == value


def test_a_share_of_nothing_is_null() -> None:
    assert share(0, 0) is None
