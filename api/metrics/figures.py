"""The statement's rows to figures: totals, and buckets with nothing in them too."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from api.metrics.answer import Bucket, Distribution, KeptApart
from api.metrics.periods import pairs
from api.metrics.records import Place
from schema.kpis.kinds import Kind
from schema.vocab import Currency

ALL = "all"  # no combination of keys is a bare text: it is a tuple
MILLIONTH, CENT = Decimal("0.000001"), Decimal("0.01")
Keys = tuple[object, ...]  # a value of each asked dimension, in the order asked
CellPlace = tuple[Keys | str, int | str]


@dataclass(slots=True)
class Amounts:
    """Amounts of one currency: how many, their sum, and how they are spread if that was asked."""

    n: int = 0
    amount: Decimal = Decimal(0)
    spread: Distribution | None = None

    def add(self, n: int, amount: Decimal, percentiles: object) -> None:
        """Take a row of the statement in. Percentiles come in one row, and do not add up."""
        self.n += n
        self.amount += amount
        if isinstance(percentiles, list) and self.n:
            median, p75, p90 = (Decimal(repr(each)).quantize(CENT) for each in percentiles)
            self.spread = Distribution(median=median, p75=p75, p90=p90, mean=self.mean)

    @property
    def mean(self) -> Decimal:
        """The average, to the cent."""
        return (self.amount / self.n).quantize(CENT)


@dataclass(slots=True)
class Cell:
    """What was counted for one key and bucket, or for all of them."""

    n: int = 0
    numerator: int = 0
    implied: int = 0
    undated: int = 0
    waiting: int = 0
    left_out: int = 0
    unopened: int = 0
    untouched: int = 0
    money: dict[str | None, Amounts] = field(default_factory=dict)  # by the currency kept; None is the answer's
    spread: Distribution | None = None
    slow: float | None = None
    told_at: datetime | None = None

    def add(self, row: Mapping[str, object]) -> None:
        """Take a row of the statement in."""
        for count in ("n", "numerator", "implied", "undated", "waiting", "left_out", "unopened", "untouched"):
            value = row.get(count)
            setattr(self, count, getattr(self, count) + (value if isinstance(value, int) else 0))
        kept, n = row.get("kept"), row.get("n")
        if isinstance(amount := row.get("amount"), Decimal) and isinstance(n, int):
            known = self.money.setdefault(kept if isinstance(kept, str) else None, Amounts())
            known.add(n, amount, row.get("percentiles"))
        if isinstance(slow := row.get("slow"), float):
            self.slow = slow
        if isinstance(told_at := row.get("told_at"), datetime):
            self.told_at = max(told_at, self.told_at or told_at)
        self.spread = _spread(row) or self.spread


class Parts(TypedDict):
    """The fields of a figure."""

    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    n: int
    implied: int
    distribution: Distribution | None
    apart: tuple[KeptApart, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Everything a statement told, by keys and bucket."""

    cells: Mapping[CellPlace, Cell]
    labels: Mapping[object, str]
    currency: Currency | None = None

    @property
    def total(self) -> Cell:
        """The cell of everything."""
        return self.cells.get((ALL, ALL), Cell())

    @property
    def apart(self) -> Counter[str]:
        """How many amounts were kept apart by currency: in the whole, else, of a state, in any bucket."""
        found = [self.total, *(cell for (keys, bucket), cell in self.cells.items() if keys == ALL and bucket != ALL)]
        counts = (Counter({kept: each.n for kept, each in cell.money.items() if kept is not None}) for cell in found)
        return next((each for each in counts if each), Counter())

    @property
    def keys(self) -> list[Keys]:
        """The combinations of the asked dimensions' values."""
        return [keys for keys, bucket in self.cells if bucket == ALL and isinstance(keys, tuple)]


def tabulate(rows: Iterable[Mapping[str, object]], dimensions: int, last: int | None = None) -> Table:
    """Sort the rows into cells. Only what adds up is added up; distributions come for each cell from the database.

    Buckets of a state are no parts of a whole: the whole is what stood in the `last` one.
    """
    places = range(1, dimensions + 1)
    cells: dict[CellPlace, Cell] = defaultdict(Cell)
    labels: dict[object, str] = {}
    for row in rows:
        keys = tuple(row[f"key_{place}"] for place in places)
        bucket = found if isinstance(found := row["bucket"], int) else None
        for place, key in enumerate(keys, start=1):
            if isinstance(label := row.get(f"label_{place}"), str):
                labels[key] = label
        if not _is_counted(row):
            # In no period, and so in no bucket; and no group of its own, which would be one of nothing.
            if row.get("is_all_keys", True) and row.get("is_all_buckets", True):
                cells[ALL, ALL].add(row)
            continue
        if "is_all_keys" in row:
            across = ALL if row["is_all_keys"] else keys
            cells[across, ALL if row["is_all_buckets"] or bucket is None else bucket].add(row)
            continue
        for across in (ALL, keys) if keys else (ALL,):
            whole = cells[across, ALL]
            if last is None or bucket == last:
                whole.add(row)
            if bucket is not None:
                cells[across, bucket].add(row)
    return Table(dict(cells), labels)


def in_one_currency(table: Table) -> Table:
    """Where no reporting currency is agreed: amounts of one are told in that one, those of several stay apart."""
    found = {kept for cell in table.cells.values() for kept in cell.money}
    if len(found) != 1:
        return table
    (kept,) = found
    cells = {
        place: replace(cell, money={None: cell.money[kept]} if kept in cell.money else {})
        for place, cell in table.cells.items()
    }
    return replace(table, cells=cells, currency=Currency[kept] if kept else None)


def _is_counted(row: Mapping[str, object]) -> bool:
    """Whether there is more in a row than records without a date."""
    return not row.get("unopened") or bool(row.get("n") or row.get("left_out"))


def parts(kind: Kind, cell: Cell) -> Parts:
    """A cell as a figure of the KPI's kind. Nothing to divide by, and nothing known to add, is null, never 0."""
    numerator = denominator = value = None
    spread, known = cell.spread, cell.money.get(None)
    match kind:
        case Kind.COUNT:
            value = Decimal(cell.n)
        case Kind.SUM | Kind.SNAPSHOT:
            is_nothing = not cell.left_out and not cell.money
            value = known.amount if known is not None else Decimal(0) if is_nothing else None
        case Kind.AVERAGE if known is not None:
            numerator, denominator, value, spread = known.amount, Decimal(known.n), known.mean, known.spread
        case Kind.RATIO | Kind.CONVERSION:
            numerator, denominator = Decimal(cell.numerator), Decimal(cell.n)
            value = share(cell.numerator, cell.n)
        case Kind.DURATION:
            value = spread.median if spread else None
        case Kind.SPREAD:
            value = spread.mean if spread else None
    return Parts(
        value=value,
        numerator=numerator,
        denominator=denominator,
        n=cell.n,
        implied=cell.implied,
        distribution=spread,
        apart=tuple(
            KeptApart(
                currency=Currency[currency] if currency else None,
                value=each.mean if kind is Kind.AVERAGE else each.amount,
                n=each.n,
            )
            for currency, each in sorted((name, each) for name, each in cell.money.items() if name is not None)
        ),
    )


def share(part: int, whole: int) -> Decimal | None:
    """A part of a whole, to six places (ties to the even digit): a millionth, past which nobody reads."""
    if not whole:
        return None
    exact = Decimal(part) / whole
    rounded = exact.quantize(MILLIONTH)
    return exact if exact == rounded else rounded


def series(
    table: Table, kind: Kind, boundaries: tuple[datetime, ...], whole: Place, skipped: int
) -> tuple[Bucket, ...]:
    """Every bucket of the whole in order, empty ones too, but for the first few that are skipped."""
    keys = ALL if whole.keys is None else whole.keys
    return tuple(
        Bucket(
            **parts(kind, table.cells.get((keys, bucket), Cell())),
            starts_at=start,
            before=before,
            behind=whole.in_bucket(start, before),
        )
        for bucket, (start, before) in enumerate(pairs(boundaries), start=1)
        if bucket > skipped
    )


def before_the_first(table: Table, boundaries: tuple[datetime, ...]) -> int:
    """How many buckets lie before the first one in which anything was counted; all of them where nothing was."""
    filled = (
        bucket
        for (key, bucket), cell in table.cells.items()
        if key == ALL and isinstance(bucket, int) and (cell.n or cell.numerator or cell.left_out)
    )
    return min(filled, default=len(boundaries)) - 1


def _spread(row: Mapping[str, object]) -> Distribution | None:
    found, mean = row.get("percentiles"), row.get("mean")
    if not isinstance(found, list) or not isinstance(mean, float):
        return None
    median, p75, p90, average = (_seconds(each) for each in (*found, mean))
    most = row.get("most")
    largest = Decimal(most) if isinstance(most, int) else None
    return Distribution(median=median, p75=p75, p90=p90, mean=average, max=largest)


def _seconds(value: float) -> Decimal:
    """Seconds to the microsecond: the precision of instants."""
    return Decimal(repr(round(value, 6)))
