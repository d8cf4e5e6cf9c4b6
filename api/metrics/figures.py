"""The statement's rows to figures: totals, buckets with nothing in them, groups with their names."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from api.metrics.answer import Bucket, Distribution, Group, GroupKey
from api.metrics.dimensions import AXES, EMPTY_LABEL
from api.metrics.periods import pairs
from api.metrics.question import Question, dimensions_of
from api.metrics.records import Place
from api.metrics.request import Where
from schema.kpis.kinds import Kind
from schema.vocab import Dimension

ALL = "all"  # no combination of keys is a bare text: it is a tuple
MILLIONTH = Decimal("0.000001")
Keys = tuple[object, ...]  # a value of each asked dimension, in the order asked
CellPlace = tuple[Keys | str, int | str]


@dataclass(slots=True)
class Cell:
    """What was counted for one key and bucket, or for all of them."""

    n: int = 0
    numerator: int = 0
    implied: int = 0
    undated: int = 0
    waiting: int = 0
    left_out: int = 0
    amount: Decimal | None = None
    spread: Distribution | None = None
    slow: float | None = None
    told_at: datetime | None = None
    currencies: frozenset[str] = frozenset()

    def add(self, row: Mapping[str, object]) -> None:
        """Take a row of the statement in."""
        for count in ("n", "numerator", "implied", "undated", "waiting", "left_out"):
            value = row.get(count)
            setattr(self, count, getattr(self, count) + (value if isinstance(value, int) else 0))
        if isinstance(amount := row.get("amount"), Decimal):
            self.amount = (self.amount or Decimal(0)) + amount
        if isinstance(slow := row.get("slow"), float):
            self.slow = slow
        if isinstance(told_at := row.get("told_at"), datetime):
            self.told_at = max(told_at, self.told_at or told_at)
        found = (row.get("low_currency"), row.get("high_currency"))
        self.currencies |= {each for each in found if isinstance(each, str)}
        self.spread = _spread(row) or self.spread


class Parts(TypedDict):
    """The fields of a figure."""

    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    n: int
    implied: int
    distribution: Distribution | None


@dataclass(frozen=True, slots=True)
class Table:
    """Everything a statement told, by keys and bucket."""

    cells: Mapping[CellPlace, Cell]
    labels: Mapping[object, str]

    @property
    def total(self) -> Cell:
        """The cell of everything."""
        return self.cells.get((ALL, ALL), Cell())

    @property
    def keys(self) -> list[Keys]:
        """The combinations of the asked dimensions' values."""
        return [keys for keys, bucket in self.cells if bucket == ALL and isinstance(keys, tuple)]


def tabulate(rows: Iterable[Mapping[str, object]], dimensions: int) -> Table:
    """Sort the rows into cells. Only what adds up is added up; distributions come for each cell from the database."""
    places = range(1, dimensions + 1)
    cells: dict[CellPlace, Cell] = defaultdict(Cell)
    labels: dict[object, str] = {}
    for row in rows:
        keys = tuple(row[f"key_{place}"] for place in places)
        bucket = found if isinstance(found := row["bucket"], int) else None
        for place, key in enumerate(keys, start=1):
            if isinstance(label := row.get(f"label_{place}"), str):
                labels[key] = label
        if "is_all_keys" in row:
            across = ALL if row["is_all_keys"] else keys
            cells[across, ALL if row["is_all_buckets"] or bucket is None else bucket].add(row)
            continue
        for across in (ALL, keys) if keys else (ALL,):
            cells[across, ALL].add(row)
            if bucket is not None:
                cells[across, bucket].add(row)
    return Table(dict(cells), labels)


def parts(kind: Kind, cell: Cell) -> Parts:
    """A cell as a figure of the KPI's kind. Nothing to divide by, and nothing known to add, is null, never 0."""
    numerator = denominator = value = None
    match kind:
        case Kind.COUNT:
            value = Decimal(cell.n)
        case Kind.SUM:
            value = Decimal(0) if cell.amount is None and not cell.left_out else cell.amount
        case Kind.RATIO | Kind.CONVERSION:
            numerator, denominator = Decimal(cell.numerator), Decimal(cell.n)
            value = share(cell.numerator, cell.n)
        case Kind.DURATION:
            value = cell.spread.median if cell.spread else None
    return Parts(
        value=value,
        numerator=numerator,
        denominator=denominator,
        n=cell.n,
        implied=cell.implied,
        distribution=cell.spread,
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


def breakdown(question: Question, table: Table, boundaries: tuple[datetime, ...], skipped: int) -> tuple[Group, ...]:
    """The figure of each combination of the asked dimensions' values, in the order in which they are shown."""
    if not question.by:
        return ()
    kind, is_stages = question.kpi.kind, question.by == (Dimension.STAGE,)
    shown = [(stage,) for stage in _stages_shown(question, table.keys)] if is_stages else table.keys
    groups = [
        Group(
            **parts(kind, table.cells.get((keys, ALL), Cell())),
            keys=tuple(
                group_key(question, dimension, key, table.labels)
                for dimension, key in zip(question.by, keys, strict=True)
            ),
            series=series(table, kind, boundaries, Place(question, keys), skipped),
            behind=Place(question, keys),
        )
        for keys in shown
    ]
    return tuple(groups if is_stages else _in_reading_order(question, groups))


def _in_reading_order(question: Question, groups: list[Group]) -> list[Group]:
    """Values of the first dimension stand together; stages in their order, everything else from the largest down."""
    size = Counter[GroupKey]()
    for group in groups:
        size[group.keys[0]] += group.n

    def place(group: Group) -> list[tuple[int, str, str]]:
        sizes = (size[group.keys[0]], group.n)
        return [
            (_rank(question, key, large), key.label, key.id or "")
            for key, large in zip(group.keys, sizes[-len(group.keys) :], strict=True)
        ]

    return sorted(groups, key=place)


def _rank(question: Question, key: GroupKey, large: int) -> int:
    return question.stages.index(key.value) if key.dimension is Dimension.STAGE and key.value else -large


def group_key(question: Question, dimension: Dimension, key: object, labels: Mapping[object, str]) -> GroupKey:
    """A value of a dimension, with what a reader calls it."""
    table = AXES[question.kpi.subject][dimension].table
    if key is None:
        return GroupKey(dimension=dimension, id=None, value=None, label=EMPTY_LABEL)
    if table is not None:
        name = labels.get(key, str(key))
        return GroupKey(dimension=dimension, id=f"{table}_{key}", value=name, label=name)
    text = label = str(key)
    if dimension is Dimension.CHANNEL:
        label = text.replace("_", " ").capitalize()
    if dimension is Dimension.STAGE:
        label = next((stage.title for stage in question.ground.accord.stages if stage.key == text), text)
    return GroupKey(dimension=dimension, id=None, value=text, label=label)


def _stages_shown(question: Question, keys: Iterable[Keys]) -> list[str]:
    """All stages, those that nobody entered too; under a filter by stage, those that it lets through."""
    if Dimension.STAGE not in dimensions_of(question.where):
        return list(question.stages)
    shown = {*(stage for (stage,) in keys), *_named_stages(question.where)}
    return [stage for stage in question.stages if stage in shown]


def _named_stages(where: Where) -> Iterator[str | None]:
    yield from (value for dimension, values in where.tests if dimension is Dimension.STAGE for value in values)
    for part in where.all_of:
        yield from _named_stages(part)


def _spread(row: Mapping[str, object]) -> Distribution | None:
    found, mean = row.get("percentiles"), row.get("mean")
    if not isinstance(found, list) or not isinstance(mean, float):
        return None
    median, p75, p90, average = (_seconds(each) for each in (*found, mean))
    return Distribution(median=median, p75=p75, p90=p90, mean=average)


def _seconds(value: float) -> Decimal:
    """Seconds to the microsecond: the precision of instants."""
    return Decimal(repr(round(value, 6)))
