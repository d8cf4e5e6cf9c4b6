"""The change of a rate as the sum of volume, mix and rate, exactly, whatever the groups."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from api.metrics.comparisons.change_drivers import Rate, RatePair, SplitChange, rounded_parts, split_change
from api.metrics.figure_table import CENT, MILLIONTH, share

Counts = dict[str, tuple[tuple[int, int], tuple[int, int]]]  # by group: numerator and denominator, before and after


def whole(groups: Counts, place: int) -> Rate:
    numerator = sum(sides[place][0] for sides in groups.values())
    denominator = sum(sides[place][1] for sides in groups.values())
    value = share(numerator, denominator)
    return Rate(Decimal(numerator), Decimal(denominator), Decimal(0) if value is None else value)


def split(groups: Counts) -> SplitChange[str] | None:
    pairs = {
        key: RatePair(
            (Decimal(before[0]), Decimal(after[0])),
            (Decimal(before[1]), Decimal(after[1])),
        )
        for key, (before, after) in groups.items()
    }
    return split_change(whole(groups, 0), whole(groups, 1), pairs, MILLIONTH)


def test_only_the_mix_changes_by_pencil() -> None:
    # Referrals convert at 1/2 and ads at 1/10 in both periods; referrals were 1/4 of all, and are 3/4.
    found = split({"referral": ((10, 20), (30, 60)), "ads": ((6, 60), (2, 20))})
    assert found is not None
    # 16/80 = 0.2 became 32/80 = 0.4.
    assert plain(found.drivers.value.mix, found.drivers.value.rate) == (Decimal("0.2"), 0)
    assert plain(found.drivers.numerator.volume, found.drivers.numerator.mix, found.drivers.numerator.rate) == (
        0,
        16,
        0,
    )
    # Each half: +1/2 times (0.5 - 0.3), and -1/2 times (0.1 - 0.3).
    assert dict(found.groups) == {"referral": (Decimal("0.1"), Decimal(0)), "ads": (Decimal("0.1"), Decimal(0))}


def test_only_the_rates_change_by_pencil() -> None:
    found = split({"referral": ((10, 20), (15, 20)), "ads": ((6, 60), (12, 60))})
    assert found is not None
    # 16/80 = 0.2 became 27/80 = 0.3375.
    assert plain(found.drivers.value.mix, found.drivers.value.rate) == (0, Decimal("0.1375"))
    assert dict(found.groups) == {"referral": (Decimal(0), Decimal("0.0625")), "ads": (Decimal(0), Decimal("0.075"))}


def test_only_the_volume_changes_by_pencil() -> None:
    found = split({"referral": ((10, 20), (20, 40)), "ads": ((6, 60), (12, 120))})
    assert found is not None
    assert plain(found.drivers.value.mix, found.drivers.value.rate) == (0, 0)
    assert plain(found.drivers.numerator.volume, found.drivers.numerator.mix, found.drivers.numerator.rate) == (
        16,
        0,
        0,
    )


def test_a_new_group_is_mix_alone() -> None:
    found = split({"ads": ((10, 100), (10, 100)), "events": ((0, 0), (50, 100))})
    assert found is not None
    # 0.1 became 0.3; the rate of ads did not change.
    assert plain(found.drivers.value.mix, found.drivers.value.rate) == (Decimal("0.2"), 0)


def test_all_three_causes_at_once_by_pencil() -> None:
    # R: 5/10 -> 12/40 = 0.3; n: 10 -> 40. volume = 30 x 0.4 = 12; the rest of 7 is 25 x (0.3 - 0.5) = -5.
    found = split({"a": ((4, 5), (6, 10)), "b": ((1, 5), (6, 30))})
    assert found is not None
    parts = found.drivers.numerator
    assert parts.volume == 12
    assert parts.mix + parts.rate == -5
    # mix: a: -1/4 x (0.7 - 0.4), b: +1/4 x (0.2 - 0.4) = -0.125; rate: a: 3/8 x -0.2 = -0.075.
    assert (found.drivers.value.mix, found.drivers.value.rate) == (Decimal("-0.125"), Decimal("-0.075"))
    assert (parts.mix, parts.rate) == (Decimal("-3.125"), Decimal("-1.875"))


def test_without_groups_all_of_it_is_rate() -> None:
    before, after = Rate(Decimal(1), Decimal(2), Decimal("0.5")), Rate(Decimal(3), Decimal(4), Decimal("0.75"))
    no_groups: dict[str, RatePair] = {}
    found = split_change(before, after, no_groups, MILLIONTH)
    assert found is not None
    assert plain(found.drivers.value.mix, found.drivers.value.rate) == (0, Decimal("0.25"))


def test_groups_that_do_not_add_up_are_not_split() -> None:
    one = Rate(Decimal(1), Decimal(2), Decimal("0.5"))
    assert (
        split_change(one, one, {"a": RatePair((Decimal(1), Decimal(1)), (Decimal(1), Decimal(1)))}, MILLIONTH) is None
    )
    nothing = Rate(Decimal(0), Decimal(0), Decimal(0))
    assert split_change(one, nothing, {}, MILLIONTH) is None
    median = Rate(Decimal(1), Decimal(2), Decimal("0.7"))  # a value that is not the rate
    assert split_change(one, median, {}, MILLIONTH) is None


SIDE = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
GROUPS = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(SIDE, SIDE), min_size=1)


@given(groups=GROUPS)
def test_the_parts_sum_to_the_change_and_each_is_the_formulas_but_for_rounding(groups: Counts) -> None:
    found = split(groups)
    before, after = whole(groups, 0), whole(groups, 1)
    if not before.denominator or not after.denominator:
        assert found is None
        return
    assert found is not None
    value, numerator = found.drivers.value, found.drivers.numerator
    assert value.volume + value.mix + value.rate == after.value - before.value
    assert numerator.volume + numerator.mix + numerator.rate == after.numerator - before.numerator
    assert sum(mix for mix, _ in found.groups.values()) == value.mix
    assert sum(rate for _, rate in found.groups.values()) == value.rate
    mix, rate = independent_parts(groups)
    slack = Fraction(len(groups) + 1, 1_000_000)
    assert abs(Fraction(value.mix) - mix) <= slack
    assert abs(Fraction(value.rate) - rate) <= slack
    size = Fraction(before.denominator + after.denominator) / 2
    assert abs(Fraction(numerator.mix) - size * mix) <= Fraction(2, 1_000_000)


def independent_parts(groups: Counts) -> tuple[Fraction, Fraction]:
    """Mix and rate as means of the two orders: first the shares change and then the rates, or the other way round."""
    totals = [sum(sides[place][1] for sides in groups.values()) for place in (0, 1)]

    def at(shares: int, rates: int) -> Fraction:
        found = Fraction(0)
        for sides in groups.values():
            has_rate = rates if sides[rates][1] else 1 - rates
            if sides[has_rate][1]:
                found += Fraction(sides[shares][1], totals[shares]) * Fraction(*sides[has_rate])
        return found

    mix = (at(1, 0) - at(0, 0) + at(1, 1) - at(0, 1)) / 2
    return mix, at(1, 1) - at(0, 0) - mix


def test_the_largest_remainders_are_rounded_up_by_pencil() -> None:
    thirds = [Fraction(1, 3)] * 3
    assert rounded_parts(thirds, Decimal(1), CENT) == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]
    unequal = [Fraction(4, 1000), Fraction(26, 1000)]
    assert rounded_parts(unequal, Decimal("0.03"), CENT) == [Decimal("0.00"), Decimal("0.03")]
    opposite = [Fraction(-7, 1000), Fraction(0), Fraction(7, 1000)]
    assert rounded_parts(opposite, Decimal(0), CENT) == [Decimal("-0.01"), Decimal(0), Decimal("0.01")]


@given(parts=st.lists(st.fractions(-1000, 1000, max_denominator=10_000), min_size=1, max_size=12))
def test_rounded_parts_sum_to_the_rounded_total_and_are_less_than_two_units_off(parts: list[Fraction]) -> None:
    total = round(sum(parts, Fraction(0)) / Fraction(CENT)) * CENT
    shown = rounded_parts(parts, total, CENT)
    assert sum(shown) == total
    for part, rounded in zip(parts, shown, strict=True):
        assert abs(Fraction(rounded) - part) < 2 * Fraction(CENT)
        assert part or not rounded


def plain(*values: object) -> tuple[object, ...]:
    """The values as a tuple, in which a decimal equals a whole number."""
    return values
