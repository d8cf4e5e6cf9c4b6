"""The arithmetic of plans and splits is exact: parts sum to the whole, whatever the numbers."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import permutations
from math import ceil, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.metrics.planning.landing import Lags, Landing, uncovered, whole_parts
from api.metrics.planning.variance_split import in_cents, shapley_parts

FRACTIONS = st.fractions(min_value=0, max_value=1000, max_denominator=60)
SIGNED = st.fractions(min_value=-1000, max_value=1000, max_denominator=60)
LAGS = st.dictionaries(st.integers(0, 40), st.integers(1, 9), min_size=1, max_size=6).map(Lags)
DAY = timedelta(days=1)


@given(parts=st.lists(FRACTIONS, max_size=12))
def test_whole_parts_sum_to_the_sum_rounded_up_and_each_is_next_to_its_part(parts: list[Fraction]) -> None:
    found = whole_parts(parts)
    assert sum(found) == ceil(sum(parts, Fraction(0)))
    assert all(abs(whole - part) < 1 for whole, part in zip(found, parts, strict=True))


def test_the_largest_remainder_is_rounded_up_and_of_equal_ones_the_first() -> None:
    assert whole_parts([Fraction(1, 4), Fraction(3, 4), Fraction(1, 2)]) == (0, 1, 1)
    assert whole_parts([Fraction(1, 2), Fraction(1, 2)]) == (1, 0)


@given(parts=st.lists(FRACTIONS, max_size=12), standing=FRACTIONS)
def test_what_stands_covers_the_earliest_parts_first(parts: list[Fraction], standing: Fraction) -> None:
    found = list(uncovered(parts, standing))
    assert sum(found, Fraction(0)) == max(Fraction(0), sum(parts, Fraction(0)) - standing)
    first = next((place for place, part in enumerate(found) if part), len(found))
    assert found[first + 1 :] == parts[first + 1 :]


@given(lags=LAGS, days=st.integers(1, 60))
def test_the_shares_of_the_days_sum_to_the_days_and_are_those_of_a_walk(lags: Lags, days: int) -> None:
    start = date(2026, 3, 1)
    landing = Landing(start, start + days * DAY, lags)
    shares = landing.shares()
    assert sum(shares.values()) == days
    for day, share in shares.items():
        wins = sum(cases for lag, cases in lags.cases.items() if start <= day + lag * DAY < landing.before)
        assert share == Fraction(wins, lags.n)
    assert min(shares) == landing.first_day
    assert max(shares) == landing.last_day


@given(first=LAGS, second=LAGS)
def test_two_steps_have_every_lag_of_the_one_with_every_lag_of_the_other(first: Lags, second: Lags) -> None:
    def listed(lags: Lags) -> list[int]:
        return [lag for lag, cases in lags.cases.items() for _ in range(cases)]

    both = sorted(one + other for one in listed(first) for other in listed(second))
    assert sorted(listed(first.then(second))) == both
    assert first.then(second).median == both[(len(both) - 1) // 2]


FOUR = st.tuples(SIGNED, SIGNED, SIGNED, SIGNED)


@given(before=FOUR, after=FOUR)
def test_the_parts_of_factors_sum_to_the_change_and_are_the_average_over_all_orders(
    before: tuple[Fraction, ...], after: tuple[Fraction, ...]
) -> None:
    parts = shapley_parts(before, after)
    assert sum(parts) == prod(after) - prod(before)
    orders = list(permutations(range(4)))
    averages = [Fraction(0)] * 4
    for order in orders:
        values = list(before)
        for place in order:
            old = prod(values, start=Fraction(1))
            values[place] = after[place]
            averages[place] += (prod(values, start=Fraction(1)) - old) / len(orders)
    assert list(parts) == averages


def test_by_hand_two_factors_share_what_only_both_together_bring() -> None:
    # 2 x 3 = 6 becomes 4 x 5 = 20: of 14, the first alone brings 6, the second alone 4, both together 4 more.
    assert shapley_parts((Fraction(2), Fraction(3)), (Fraction(4), Fraction(5))) == (Fraction(8), Fraction(6))


@given(parts=st.lists(SIGNED, min_size=1, max_size=5))
def test_cents_sum_to_the_sum(parts: list[Fraction]) -> None:
    named = {str(place): part for place, part in enumerate(parts)}
    rest = sum(parts, Fraction(0)) * 100
    named["rest"] = Fraction(ceil(rest) - rest, 100)
    cents = in_cents(named)
    assert sum(cents.values()) == ceil(rest)
    assert all(abs(cents[key] - part * 100) < 1 for key, part in named.items())


def test_a_sum_that_is_no_whole_number_of_cents_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole number"):
        in_cents({"a": Fraction(1, 300)})
