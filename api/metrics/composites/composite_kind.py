"""The kind of a KPI whose value a formula computes from several parts."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from api.metrics.answer import AnswerWarning
from api.metrics.answer_warnings import LOW_SAMPLE, assumed_history
from api.metrics.columns import StatementRow
from api.metrics.composites.composite_statement import composite_statement, excluded_rows
from api.metrics.composites.parts import (
    CountedPart,
    NoValue,
    Part,
    PartValues,
    Quotient,
    exact_value,
    rounded,
    shown_part,
)
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import ALL, CellAddress, FigureCell, FigureTable
from api.metrics.kinds.kind import FigureValues, KpiKind, figure_values
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, join
from schema.vocab import Unit, WarningCode


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

    def agreed(
        self, request: ResolvedKpiRequest, table: FigureTable, boundaries: tuple[datetime, ...]
    ) -> Mapping[CellAddress, Mapping[str, Decimal]]:
        """What the accord states for the cells of the table, by the names of the parts."""
        return {}

    @property
    def counted_parts(self) -> tuple[CountedPart, ...]:
        """The parts that count records, in the order of their numbers in the statement."""
        return tuple(part for part in self.parts if isinstance(part, CountedPart))

    def kind_of_part(self, part: str | None) -> KpiKind:
        """The kind of a counted part."""
        counted = self.counted_parts
        return next((found.kind for found in counted if found.name == part), counted[0].kind)

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
        parts = [part.kind.counted(request, boundaries) for part in self.counted_parts]
        return composite_statement(request, parts, boundaries)

    def tabulated(self, rows: Sequence[StatementRow], last_bucket: int | None) -> FigureTable:
        """The table of the cells of every part."""
        cells: dict[CellAddress, FigureCell] = defaultdict(FigureCell)
        labels: dict[object, str] = {}
        for number, part in enumerate(self.counted_parts):
            table = part.kind.tabulated([row for row in rows if row.part == number], last_bucket)
            labels |= table.labels
            for address, counted in table.cells.items():
                cells[address].parts[part.name] = counted
        for cell in cells.values():
            self._sum_up(cell)
        return FigureTable(dict(cells), labels)

    def adjusted(
        self, request: ResolvedKpiRequest, table: FigureTable, boundaries: tuple[datetime, ...]
    ) -> FigureTable:
        """Every cell with what the accord states for it."""
        stated = self.agreed(request, table, boundaries)
        cells = {address: table.cells.get(address, FigureCell()) for address in (*table.cells, *stated, (ALL, ALL))}
        return replace(
            table,
            cells={address: replace(cell, agreed=dict(stated.get(address, {}))) for address, cell in cells.items()},
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The value of the formula, with its numerator and denominator and all of its parts."""
        shown = tuple(shown_part(part, cell) for part in self.parts)
        apart = cell.parts.get(self.counted_parts[0].name, FigureCell()).unconverted(is_average=False)
        found = self._quotient(cell)
        if isinstance(found, NoValue):
            return figure_values(cell, None, apart=apart, parts=shown)
        value = rounded(found.numerator / found.denominator, self.unit)
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
        for part in self.parts:
            if values[part.name] is None and not isinstance(part, CountedPart):
                return NoValue(WarningCode.MISSING_INPUT, part.missing)
        return self.quotient(values)

    def _no_value(self, table: FigureTable) -> Iterator[AnswerWarning]:
        """Why the whole, or else how many groups or buckets, have no value."""
        whole = self._quotient(table.total)
        if isinstance(whole, NoValue):
            yield AnswerWarning(code=whole.code, message=whole.message, count=None)
            return
        within = [(address, self._quotient(cell)) for address, cell in table.cells.items()]
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


def _shown(exact: Fraction) -> Decimal:
    """A numerator or denominator, to six places."""
    return rounded(exact, Unit.RATIO)
