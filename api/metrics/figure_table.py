"""The rows of a statement as a table of cells: one cell per combination of dimension values and bucket, and totals."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import zip_longest
from typing import Final, Literal, TypeAlias

from api.metrics.answer import Distribution, KeptApart
from api.metrics.columns import Measured, StatementRow
from schema.kpis.variants import VariantRule
from schema.vocab import Currency

ALL: Final = "all"  # no combination of keys equals it: those are tuples
MILLIONTH, CENT = Decimal("0.000001"), Decimal("0.01")
Keys: TypeAlias = tuple[object, ...]  # a value of each requested dimension, in the requested order
CellAddress: TypeAlias = tuple[Keys | Literal["all"], int | Literal["all"]]  # keys and bucket


@dataclass(slots=True)
class AmountTotal:
    """The amounts of one currency: their number, their sum, and what else the statement returns of them.

    `portions` are further sums of amounts, such as those won of all closed; the kind knows which.
    """

    n: int = 0
    amount: Decimal = Decimal(0)
    portions: tuple[Decimal, ...] = ()
    distribution: Distribution | None = None

    def add(
        self, n: int, amount: Decimal, percentiles: list[float] | None, portions: Sequence[Decimal] | None = None
    ) -> None:
        """Add a row of the statement. Percentiles do not add up: a statement returns them for each cell in one row."""
        self.n += n
        self.amount += amount
        if portions is not None:
            pairs = zip_longest(self.portions, portions, fillvalue=Decimal(0))
            self.portions = tuple(one + other for one, other in pairs)
        if percentiles is not None and self.n:
            median, p75, p90 = (Decimal(repr(percentile)).quantize(CENT) for percentile in percentiles)
            self.distribution = Distribution(median=median, p75=p75, p90=p90, mean=self.mean)

    @property
    def mean(self) -> Decimal:
        """The average, rounded to the cent."""
        return (self.amount / self.n).quantize(CENT)


@dataclass(slots=True)
class FigureCell:
    """What was counted for one combination of dimension values and bucket, or for all of them."""

    n: int = 0
    numerator: int = 0
    implied: int = 0
    undated: int = 0
    assumed: int = 0
    waiting: int = 0
    mature: int = 0
    mature_numerator: int = 0
    left_out: int = 0
    unweighted: int = 0
    unopened: int = 0
    unscheduled: int = 0
    cut: int = 0
    doubled: int = 0
    untouched: int = 0
    skipped: int = 0
    # By the currency that could not be converted; None is the currency of the answer.
    amounts: dict[str | None, AmountTotal] = field(default_factory=dict)
    distribution: Distribution | None = None
    slow: float | None = None
    owed: Decimal | None = None  # what was to be delivered in the time of the cell
    parts: dict[str, "FigureCell"] = field(default_factory=dict)  # of a formula, by their names
    agreed: dict[str, Fraction] = field(default_factory=dict)  # of a formula: what the accord states, by name
    survived: float | None = None  # the time after which half have ended, by the estimate of Kaplan and Meier
    canonical: VariantRule | None = None  # of several rules, the one that counts
    unread: Mapping[VariantRule, str] = field(default_factory=dict)  # the rules without a value, and why
    updated_at: datetime | None = None

    def add(self, row: StatementRow) -> None:
        """Add a row of the statement."""
        measured = row.measured
        self.n += measured.n
        self.numerator += measured.numerator
        self.implied += measured.implied
        self.undated += measured.undated
        self.assumed += measured.assumed
        self.waiting += measured.waiting
        self.mature += measured.mature
        self.mature_numerator += measured.mature_numerator
        self.left_out += measured.left_out
        self.unweighted += measured.unweighted
        self.unopened += measured.unopened
        self.unscheduled += measured.unscheduled
        self.cut += measured.cut
        self.doubled += measured.doubled
        self.untouched += measured.untouched
        self.skipped += measured.skipped
        if measured.amount is not None:
            total = self.amounts.setdefault(row.unconverted_currency, AmountTotal())
            total.add(measured.n, measured.amount, measured.percentiles, measured.portions)
        self.survived = self.survived if measured.survived is None else measured.survived
        self.slow = self.slow if measured.slow is None else measured.slow
        if measured.updated_at is not None:
            self.updated_at = max(measured.updated_at, self.updated_at or measured.updated_at)
        self.distribution = _distribution(measured) or self.distribution

    @property
    def is_filled(self) -> bool:
        """Whether anything was counted."""
        return bool(self.n or self.numerator or self.left_out) or any(part.is_filled for part in self.parts.values())

    def unconverted(self, *, is_average: bool) -> tuple[KeptApart, ...]:
        """The amounts that no rate converts, by their own currency: their average or their sum."""
        apart = sorted((currency, total) for currency, total in self.amounts.items() if currency is not None)
        return tuple(
            KeptApart(
                currency=Currency[currency] if currency else None,
                value=total.mean if is_average else total.amount,
                n=total.n,
            )
            for currency, total in apart
        )


@dataclass(frozen=True, slots=True)
class FigureTable:
    """All cells of a statement, the names of the keys that are ids, and the currency of its amounts."""

    cells: Mapping[CellAddress, FigureCell]
    labels: Mapping[object, str]
    currency: Currency | None = None
    kept_currency: str | None = None  # the unconverted currency that is the one of the answer
    empty: FigureCell = field(default_factory=FigureCell)  # what a cell without rows is

    @property
    def total(self) -> FigureCell:
        """The cell of everything."""
        return self.cell((ALL, ALL))

    def cell(self, address: CellAddress) -> FigureCell:
        """The cell at an address; the empty one if no row was counted there."""
        return self.cells.get(address, self.empty)

    def without_first(self, skipped: int) -> "FigureTable":
        """The table without its first buckets, which a series does not show."""
        shown = {
            (keys, bucket): cell
            for (keys, bucket), cell in self.cells.items()
            if not isinstance(bucket, int) or bucket > skipped
        }
        return replace(self, cells=shown)

    def largest(self, count: Callable[[FigureCell], int]) -> tuple[FigureCell, str]:
        """The total, or if it has none of what `count` counts, the bucket that has most; and how its sentence begins.

        The total of a snapshot has nothing of the buckets before the last.
        """
        buckets = [cell for (keys, bucket), cell in self.cells.items() if keys == ALL and bucket != ALL]
        if count(self.total) or not buckets:
            return self.total, ""
        return max(buckets, key=count), "In one bucket of the series, "

    def largest_count(self, count: Callable[[FigureCell], int]) -> tuple[int, str]:
        """What `count` counts in that cell, and how its sentence begins."""
        cell, within = self.largest(count)
        return count(cell), within

    @property
    def unconverted(self) -> Counter[str]:
        """Unconverted amounts by currency: of the total, or for a snapshot of the first bucket that has any."""
        # The statement returns its rows in any order.
        places = sorted(bucket for keys, bucket in self.cells if keys == ALL and isinstance(bucket, int))
        cells = [self.total, *(self.cells[ALL, place] for place in places)]
        counts = (
            Counter({currency: total.n for currency, total in cell.amounts.items() if currency is not None})
            for cell in cells
        )
        return next((count for count in counts if count), Counter())

    @property
    def keys(self) -> list[Keys]:
        """The combinations of dimension values."""
        return [keys for keys, bucket in self.cells if bucket == ALL and isinstance(keys, tuple)]


def tabulate(rows: Iterable[StatementRow], last_bucket: int | None = None) -> FigureTable:
    """Put the rows of a statement into cells.

    Counts and amounts of parts are added up. Where the statement has grouping sets it returns every total itself. The
    buckets of a snapshot do not add up: its total is the `last_bucket`.
    """
    cells: dict[CellAddress, FigureCell] = defaultdict(FigureCell)
    labels: dict[object, str] = {}
    for row in rows:
        labels |= {key: label for key, label in zip(row.keys, row.labels, strict=True) if isinstance(label, str)}
        if not _is_counted(row.measured):
            # Rows without a date are in no period, so in no bucket, and must not create a group of their own. Only a
            # snapshot has them in every bucket: at its instant, they have no history yet.
            if row.is_all_keys is not False and row.is_all_buckets is not False:
                if last_bucket is None or row.bucket == last_bucket:
                    cells[ALL, ALL].add(row)
                if last_bucket is not None and row.bucket is not None:
                    cells[ALL, row.bucket].add(row)
            continue
        if row.is_all_keys is not None:
            keys: Keys | Literal["all"] = ALL if row.is_all_keys else row.keys
            cells[keys, ALL if row.is_all_buckets or row.bucket is None else row.bucket].add(row)
            continue
        across: tuple[Keys | Literal["all"], ...] = (ALL, row.keys) if row.keys else (ALL,)
        for keys in across:
            total = cells[keys, ALL]
            if last_bucket is None or row.bucket == last_bucket:
                total.add(row)
            if row.bucket is not None:
                cells[keys, row.bucket].add(row)
    return FigureTable(dict(cells), labels)


def in_one_currency(table: FigureTable) -> FigureTable:
    """For an accord without a reporting currency: use the currency of the amounts if they all have the same one."""
    counted = (part for cell in table.cells.values() for part in (cell, *cell.parts.values()))
    found = {currency for cell in counted for currency in cell.amounts}
    if len(found) != 1:
        return table
    (currency,) = found
    cells = {address: _kept(cell, currency) for address, cell in table.cells.items()}
    return replace(table, cells=cells, currency=Currency[currency] if currency else None, kept_currency=currency)


def _kept(cell: FigureCell, currency: str | None) -> FigureCell:
    """The cell with its amounts, all of them in the currency, as those in the currency of the answer."""
    parts = {name: _kept(part, currency) for name, part in cell.parts.items()}
    return replace(cell, parts=parts, amounts={None: cell.amounts[currency]} if currency in cell.amounts else {})


def share(part: int | Decimal, whole: int | Decimal) -> Decimal | None:
    """The share of a part, rounded to six places (ties to the even digit); None if there is nothing to divide by."""
    if not whole:
        return None
    exact = Decimal(part) / whole
    rounded = exact.quantize(MILLIONTH)
    return exact if exact == rounded else rounded


def quantized(exact: Fraction, quantum: Decimal) -> Decimal:
    """A fraction, rounded to a quantum; ties to the even digit."""
    return round(exact / Fraction(quantum)) * quantum


def _is_counted(measured: Measured) -> bool:
    """Whether a row has more than records without a date."""
    return not measured.unopened or bool(measured.n or measured.left_out or any(measured.portions or ()))


def _distribution(measured: Measured) -> Distribution | None:
    if measured.percentiles is None or measured.mean is None:
        return None
    median, p75, p90, mean = (_rounded(value) for value in (*measured.percentiles, measured.mean))
    largest = None if measured.most is None else Decimal(measured.most)
    return Distribution(median=median, p75=p75, p90=p90, mean=mean, max=largest)


def _rounded(value: float) -> Decimal:
    """Round to six places: for seconds that is a microsecond, the precision of instants."""
    return Decimal(repr(round(value, 6)))
