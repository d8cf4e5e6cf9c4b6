"""The kind of a KPI whose value a formula computes from several parts."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal, TypeAlias

from api.metrics.answer import AnswerWarning
from api.metrics.answer_warnings import LOW_SAMPLE, assumed_history
from api.metrics.columns import StatementRow
from api.metrics.composites.cell_days import CellDays, days_of_cells
from api.metrics.composites.composite_statement import NumberedRows, composite_statement, excluded_rows
from api.metrics.composites.parts import (
    CountedPart,
    NoValue,
    Part,
    PartValues,
    Quotient,
    exact_value,
    missing_part,
    rounded,
    shown_part,
)
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import ALL, CellAddress, FigureCell, FigureTable, Keys, tabulate
from api.metrics.kinds.kind import FigureValues, KpiKind, figure_values
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, join
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Unit

GroupValues: TypeAlias = tuple[object, ...]  # a value for each requested dimension; of a record, its name
AgreedValues: TypeAlias = Mapping[str, Fraction]  # by the names of the parts


class CompositeKind(KpiKind, ABC):
    """A formula over parts. A new formula declares its parts, and computes a quotient from their exact values.

    Every counted part has the rows of a kind of its own. The statement aggregates each part by the dimensions and
    buckets of the request; the formula runs in Python on the exact parts of every cell, and is rounded once.
    """

    row_noun = "deals"
    reads: ClassVar[tuple[str, ...]] = ("deal",)
    unit: ClassVar[Unit]  # of the value

    @property
    @abstractmethod
    def parts(self) -> tuple[Part, ...]:
        """The parts, in the order of the definition. The first one counts records: they are those of the figure."""

    @abstractmethod
    def quotient(self, values: PartValues) -> Quotient | NoValue:
        """The numerator and denominator of the value, from the exact values of the parts by name."""

    def agreed(self, request: ResolvedKpiRequest, days: CellDays, group: GroupValues | None) -> AgreedValues:
        """The values of the parts that no record gives, for the days of a cell; without those that are not known.

        `group` has the values of the requested dimensions; None for all groups together.
        """
        return {}

    @property
    def counted_parts(self) -> tuple[CountedPart, ...]:
        """The parts that count records, in the order of their numbers in the statement."""
        return tuple(part for part in self.parts if isinstance(part, CountedPart))

    def kind_of_part(self, part: str | None) -> KpiKind | None:
        """The kind of a counted part; without a part, that of the first one."""
        return next((found.kind for found in self.counted_parts if part in (None, found.name)), None)

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Journeys have the rows if they have those of every part."""
        return all(part.kind.reads_journeys(request) for part in self.counted_parts)

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first of the parts' first instants."""
        found = (Sql("({})", part.kind.first_instant(request)) for part in self.counted_parts)
        return Sql("select least({})", join(", ", found))

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The counted rows of the first part, which are those of the figure."""
        return self.counted_parts[0].kind.counted(request, boundaries)

    def excluded(self, request: ResolvedKpiRequest) -> CountedRows:
        """The excluded records that any part would count."""
        of_subject = (part.kind for part in self.counted_parts if part.kind.record_table is None)
        return excluded_rows(request, [kind.counted(request) for kind in of_subject])

    def statement(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
        """The statement that aggregates the counted rows of every part."""
        parts = []
        for number, part in enumerate(self.counted_parts):
            spans = ((), boundaries) if part.has_own_total and boundaries else (boundaries,)
            parts += [NumberedRows(number, part.kind.counted(request, span), span) for span in spans]
        return composite_statement(request, parts)

    def tabulated(self, rows: Sequence[StatementRow], last_bucket: int | None) -> FigureTable:
        """The table of the cells of every part."""
        cells: dict[CellAddress, FigureCell] = defaultdict(FigureCell)
        labels: dict[object, str] = {}
        for number, part in enumerate(self.counted_parts):
            own = [row for row in rows if row.part == number]
            table = _own_total(own) if part.has_own_total else part.kind.tabulated(own, last_bucket)
            labels |= table.labels
            for address, counted in table.cells.items():
                cells[address].parts[part.name] = counted
        for cell in cells.values():
            self._sum_up(cell)
        return FigureTable(dict(cells), labels)

    def adjusted(
        self, request: ResolvedKpiRequest, table: FigureTable, boundaries: tuple[datetime, ...]
    ) -> FigureTable:
        """Every cell with the values that no record gives, for its days."""
        spans = days_of_cells(request, boundaries)
        rows: tuple[Keys | Literal["all"], ...] = (ALL, *table.keys)
        cells = {}
        for keys in rows:
            values = None if keys == ALL else _group_values(request, keys, table)
            for bucket, days in spans.items():
                cell = table.cells.get((keys, bucket), FigureCell())
                cells[keys, bucket] = replace(cell, agreed=dict(self.agreed(request, days, values)))
        return replace(table, cells=cells)

    def figure(self, cell: FigureCell) -> FigureValues:
        """The value of the formula, with its numerator and denominator and all of its parts."""
        shown = tuple(shown_part(part, cell) for part in self.parts)
        apart = cell.parts.get(self.counted_parts[0].name, FigureCell()).unconverted(is_average=False)
        found = self._quotient(cell)
        if isinstance(found, NoValue):
            return figure_values(cell, None, apart=apart, parts=shown)
        value = rounded(found.value, self.unit)
        fraction = (_shown(found.numerator), _shown(found.denominator))
        return figure_values(cell, value, fraction=fraction, apart=apart, parts=shown)

    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """None: `warnings` says why there is no value, and which part has few rows."""
        return None

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """Why there is no value; LOW_SAMPLE; and the warnings of every part, which begin with its title."""
        yield from self._no_value(table)
        yield from self._low_sample(table)
        for part in self.counted_parts:
            cells = {address: cell.parts[part.name] for address, cell in table.cells.items() if part.name in cell.parts}
            own = replace(table, cells=cells)
            assumed, within = own.largest(lambda cell: cell.assumed)
            found = (
                *part.kind.warnings(request, own),
                *assumed_history(assumed.assumed, assumed.n, part.kind.row_noun, within),
            )
            yield from (replace(warning, message=f"{part.title}: {warning.message}") for warning in found)

    def _quotient(self, cell: FigureCell) -> Quotient | NoValue:
        values = {part.name: exact_value(part, cell) for part in self.parts}
        missing = next((found for part in self.parts if (found := missing_part(part, cell))), None)
        return missing or self.quotient(values)

    def _no_value(self, table: FigureTable) -> Iterator[AnswerWarning]:
        """Why the whole, or else how many groups or buckets, have no value."""
        whole = self._quotient(table.total)
        if isinstance(whole, NoValue):
            yield AnswerWarning(code=whole.code, message=whole.message, count=None)
            return
        within = [(address, self._quotient(cell)) for address, cell in _in_order(table)]
        for noun, is_group in (("group", True), ("bucket", False)):
            reasons = [
                found
                for (keys, bucket), found in within
                if isinstance(found, NoValue) and (bucket == ALL if is_group else keys == ALL)
            ]
            if reasons:
                lacking = f"1 {noun} has" if len(reasons) == 1 else f"{len(reasons):,} {noun}s have"
                message = f"{lacking} no value. Of the first: {reasons[0].message}"
                yield AnswerWarning(code=reasons[0].code, message=message, count=len(reasons))

    def _low_sample(self, table: FigureTable) -> Iterator[AnswerWarning]:
        for part in self.counted_parts:
            counted = table.total.parts.get(part.name, FigureCell()).n
            if part.is_sample and 0 < counted < LOW_SAMPLE:
                rows = "1 row" if counted == 1 else f"{counted:,} rows"
                message = f"{part.title} is computed from {rows} only: one more may change the value a lot."
                yield AnswerWarning(code=WarningCode.LOW_SAMPLE, message=message, count=counted)

    def _sum_up(self, cell: FigureCell) -> None:
        """Give the cell what all kinds read of it: its n, its undated rows and its watermark."""
        cell.n = cell.parts.get(self.counted_parts[0].name, FigureCell()).n
        cell.undated = sum(part.undated for part in cell.parts.values())
        cell.updated_at = max((part.updated_at for part in cell.parts.values() if part.updated_at), default=None)


def _group_values(request: ResolvedKpiRequest, keys: Keys, table: FigureTable) -> GroupValues:
    """The values of a group; of the group Other those that the accord states nothing for."""
    if request.is_other(keys):
        return tuple(object() for _ in request.by)
    return tuple(table.labels.get(key, key) for key in keys[: len(request.by)])


def _in_order(table: FigureTable) -> list[tuple[CellAddress, FigureCell]]:
    """The cells of a table from the first bucket, and in it from the largest group: a statement returns any order."""

    def place(found: tuple[CellAddress, FigureCell]) -> tuple[int, int, list[str]]:
        (keys, bucket), cell = found
        names = [] if keys == ALL else [f"{table.labels.get(key, key)} {key}" for key in keys]
        return (0 if bucket == ALL else int(bucket), -cell.n, names)

    return sorted(table.cells.items(), key=place)


def _own_total(rows: Sequence[StatementRow]) -> FigureTable:
    """The table of a part whose total has rows of its own, without a bucket."""
    total = tabulate(row for row in rows if row.bucket is None)
    buckets = tabulate(row for row in rows if row.bucket is not None)
    within = {address: cell for address, cell in buckets.cells.items() if address[1] != ALL}
    return FigureTable({**total.cells, **within}, {**total.labels, **buckets.labels})


def _shown(exact: Fraction) -> Decimal:
    """A numerator or denominator, to six places."""
    return rounded(exact, Unit.RATIO)
