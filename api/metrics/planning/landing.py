"""When the entries of a day become wins: lags in whole days, added up over the steps. Exact: integers and fractions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lags:
    """How many of the measured cases took how many whole days."""

    cases: Mapping[int, int]

    @property
    def n(self) -> int:
        """The number of cases."""
        return sum(self.cases.values())

    def then(self, later: "Lags") -> "Lags":
        """The lags of two steps together, as if the second took as long after a quick first one as after a slow one.

        Shapes: every case of one step with every case of the other.
        """
        found: defaultdict[int, int] = defaultdict(int)
        for days, cases in self.cases.items():
            for more_days, more_cases in later.cases.items():
                found[days + more_days] += cases * more_cases
        return Lags(found)

    @property
    def median(self) -> int:
        """The number of days within which half of the cases ended. Errors: ValueError without cases."""
        if not self.cases:
            raise ValueError("there is no case")
        ordered = sorted(self.cases)
        ended = accumulate(self.cases[days] for days in ordered)
        return next(days for days, so_far in zip(ordered, ended, strict=True) if 2 * so_far >= self.n)


NO_LAG = Lags({0: 1})


@dataclass(frozen=True, slots=True)
class Landing:
    """The share of the winners of each day of entry who win in the period `[starts_on, before)`."""

    starts_on: date
    before: date
    lags: Lags  # from the entry to the win; at least one case

    @property
    def days(self) -> int:
        """The number of days of the period."""
        return (self.before - self.starts_on).days

    @property
    def first_day(self) -> date:
        """The first day of which an entry may win in the period."""
        return self.starts_on - max(self.lags.cases) * ONE_DAY

    @property
    def last_day(self) -> date:
        """The last day of which an entry may win in the period."""
        return self.before - (min(self.lags.cases) + 1) * ONE_DAY

    def shares(self) -> dict[date, Fraction]:
        """The share of each day from the first to the last one. They sum to the number of days of the period."""
        steps: defaultdict[int, int] = defaultdict(int)  # the change of the share against the day before
        for lag, cases in self.lags.cases.items():
            steps[-lag] += cases
            steps[self.days - lag] -= cases
        n, held, found = self.lags.n, 0, {}
        for place in range((self.first_day - self.starts_on).days, (self.last_day - self.starts_on).days + 1):
            held += steps.get(place, 0)
            found[self.starts_on + place * ONE_DAY] = Fraction(held, n)
        return found


def whole_parts(parts: Sequence[Fraction]) -> tuple[int, ...]:
    """Whole numbers in place of parts that are not negative, with the sum of the parts, rounded up, as their sum.

    Largest remainders are rounded up first, the earlier of two equal ones before the later.
    """
    found = [part.numerator // part.denominator for part in parts]
    total = sum(parts, Fraction(0))
    missing = -(-total.numerator // total.denominator) - sum(found)
    for place in sorted(range(len(parts)), key=lambda place: found[place] - parts[place])[:missing]:
        found[place] += 1
    return tuple(found)


def uncovered(parts: Iterable[Fraction], standing: Fraction) -> Iterator[Fraction]:
    """What is left of parts of which some stands. That covers the earliest parts first."""
    for part in parts:
        covered = min(part, standing)
        standing -= covered
        yield part - covered
