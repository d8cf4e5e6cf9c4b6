"""The change of a rate, split exactly into volume, mix and rate.

A rate R is the sum of w·r over the groups: w is a group's share of the denominator n, and r its own rate. From side 0
to side 1, with a bar for the mean of both sides:

    change of R   =  sum of Δw·(r̄ - R̄)  (mix)  +  sum of w̄·Δr  (rate)
    change of n·R =  Δn·R̄  (volume)  +  n̄·mix  +  n̄·rate

Both hold exactly, whatever the numbers, because Δ(w·r) = Δw·r̄ + w̄·Δr, and all Δw sum to 0, so that R̄ in the mix changes
no sum: it says for each group whether its share grew at the expense of better or worse ones. Source: Kitagawa (1955),
"Components of a Difference Between Two Rates". A group without rows on one side has no rate there; it takes that of the
other side, so that its whole effect is mix.

The parts are computed as fractions, and rounded so that they still sum up: the largest remainders are rounded up.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Generic, TypeVar

from schema.kpis.comparisons import ChangeDrivers, ChangeParts

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate or an average by its numerator and denominator, and its value as an answer shows it."""

    numerator: Decimal
    denominator: Decimal
    value: Decimal

    @property
    def exact(self) -> Fraction:
        """The value before it is rounded."""
        return Fraction(self.numerator) / Fraction(self.denominator)

    def is_shown(self, quantum: Decimal) -> bool:
        """Whether the value is the rounded rate, and not another figure beside numerator and denominator."""
        shown = Fraction(self.value)
        return not shown % Fraction(quantum) and abs(shown - self.exact) < Fraction(quantum)


@dataclass(frozen=True, slots=True)
class RatePair:
    """Numerator and denominator of one group on both sides, the earlier side first."""

    numerators: tuple[Decimal, Decimal]
    denominators: tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class SplitChange(Generic[Key]):
    """The parts of a change, and what each group adds to those of the value: mix and rate."""

    drivers: ChangeDrivers
    groups: Mapping[Key, tuple[Decimal, Decimal]]


def split_change(
    before: Rate, after: Rate, groups: Mapping[Key, RatePair], quantum: Decimal
) -> SplitChange[Key] | None:
    """Split the change from one rate to another by the groups that both consist of; without groups, mix is 0.

    Shapes: two rates and their groups -> the parts, which sum to the differences of the shown values and numerators.
    Units:  multiples of `quantum`, to which the values are rounded.
    None if the groups do not add up to the rates, a rate has nothing to divide by, or its value is another figure.
    """
    change, counted = after.value - before.value, after.numerator - before.numerator
    if not (before.denominator and after.denominator and _add_up(before, after, groups)):
        return None
    if not all(rate.is_shown(quantum) for rate in (before, after)) or Fraction(counted) % Fraction(quantum):
        return None
    mean = (before.exact + after.exact) / 2
    exact = {key: _parts_of(pair, (before, after), mean) for key, pair in groups.items()}
    parts = [part for pair in exact.values() for part in pair] or [Fraction(0), after.exact - before.exact]
    shown = rounded_parts(parts, change, quantum)
    size = (Fraction(after.denominator) + Fraction(before.denominator)) / 2
    volume = (Fraction(after.denominator) - Fraction(before.denominator)) * mean
    of_numerator = [volume, size * sum(parts[::2], Fraction(0)), size * sum(parts[1::2], Fraction(0))]
    in_volume, in_mix, in_rate = rounded_parts(of_numerator, counted, quantum)
    return SplitChange(
        ChangeDrivers(
            value=ChangeParts(volume=Decimal(0), mix=sum(shown[::2], Decimal(0)), rate=sum(shown[1::2], Decimal(0))),
            numerator=ChangeParts(volume=in_volume, mix=in_mix, rate=in_rate),
        ),
        {key: (shown[2 * place], shown[2 * place + 1]) for place, key in enumerate(exact)},
    )


def rounded_parts(parts: Sequence[Fraction], total: Decimal, quantum: Decimal) -> list[Decimal]:
    """Round parts to multiples of a quantum so that they sum to a total, of which they are the exact parts.

    The parts with the largest remainders are rounded up, the earlier one of two equal ones. A part that is 0 stays 0.
    """
    unit = Fraction(quantum)
    floors = [part / unit // 1 for part in parts]
    left = int(Fraction(total) / unit) - sum(floors)
    order = sorted(
        (place for place, part in enumerate(parts) if part),
        key=lambda place: (floors[place] - parts[place] / unit, place),
    )
    # The total is rounded itself, so that up to one unit more or less than the remainders may be left.
    for step in range(abs(left)):
        floors[order[step % len(order)] if left > 0 else order[-1 - step % len(order)]] += 1 if left > 0 else -1
    return [floor * quantum for floor in floors]


def _parts_of(pair: RatePair, sides: tuple[Rate, Rate], mean: Fraction) -> tuple[Fraction, Fraction]:
    shares = [Fraction(n) / Fraction(side.denominator) for n, side in zip(pair.denominators, sides, strict=True)]
    found = [
        Fraction(numerator) / Fraction(n) if n else None
        for numerator, n in zip(pair.numerators, pair.denominators, strict=True)
    ]
    first, last = found
    before, after = (first if first is not None else last), (last if last is not None else first)
    if before is None or after is None:
        return Fraction(0), Fraction(0)
    mix = (shares[1] - shares[0]) * ((before + after) / 2 - mean)
    return mix, (shares[0] + shares[1]) / 2 * (after - before)


def _add_up(before: Rate, after: Rate, groups: Mapping[Key, RatePair]) -> bool:
    if not groups:
        return True
    return all(
        sum(pair.numerators[place] for pair in groups.values()) == side.numerator
        and sum(pair.denominators[place] for pair in groups.values()) == side.denominator
        and all(pair.denominators[place] or not pair.numerators[place] for pair in groups.values())
        for place, side in ((0, before), (1, after))
    )
