"""The interface of a kind of KPI."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, TypedDict

from api.metrics.answer import AnswerWarning, Distribution, KeptApart, KpiPart, Variant
from api.metrics.columns import StatementRow
from api.metrics.compile import statement
from api.metrics.counted_rows import CountedRows
from api.metrics.day_sums.summed_rows import SummedRows
from api.metrics.figure_table import FigureCell, FigureTable, share, tabulate
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.source_gaps import STAGE_ENTRIES
from api.sql import Sql
from schema.kpis.answer_vocab import WarningCode


class FigureValues(TypedDict):
    """The fields of a `KpiFigure` that are computed from a cell."""

    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    n: int
    implied: int
    distribution: Distribution | None
    apart: tuple[KeptApart, ...]
    parts: tuple[KpiPart, ...]
    variants: tuple[Variant, ...]


class KpiKind(ABC):
    """How one kind of KPI is computed and displayed. A kind holds the parameters of its measure.

    From `counted` alone follow filters, dimensions, buckets, and the records behind every figure.
    """

    row_noun: ClassVar[str] = "people"  # what the counted rows are called, in the plural
    reads: ClassVar[tuple[str, ...]] = (STAGE_ENTRIES,)  # the tables of the facts
    empty_code: ClassVar[WarningCode] = WarningCode.ZERO_DENOMINATOR  # the code of the warning with `empty_reason`
    divides_amounts: ClassVar[bool] = False  # whether numerator and denominator are amounts in a currency
    is_snapshot: ClassVar[bool] = False  # whether the total is the state at the end of the last bucket

    record_table: ClassVar[str | None] = None  # the table of the counted rows; None for that of the KPI's subject
    may_lie_ahead: ClassVar[bool] = False  # whether a period that begins after `asOf` has a value

    def stages(self, known: tuple[str, ...]) -> tuple[str, ...] | None:
        """The stages whose entries are read, given all stages of the accord; None if the request has to name two."""
        return ()

    def tables(self, request: ResolvedKpiRequest) -> tuple[str, ...]:
        """The tables of the facts that a request reads: rejected rows of them are warned of."""
        return self.reads

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Whether journeys have the counted rows of a request for which there are journeys."""
        return False

    def summed(self, request: ResolvedKpiRequest) -> SummedRows | None:
        """What the day sums of a request that reads journeys are of; None if it has none.

        Every row depends on the journeys of one record alone, or a change of another record would not outdate its sum.
        """
        return None

    @abstractmethod
    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """A query for an instant not after the first counted one, where the buckets of all history begin.

        It has to be answered from indexes: it runs before the statement, for every series without a start.
        """

    @abstractmethod
    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The counted rows of a request.

        `boundaries` matter only if buckets are not parts of the total: then there are rows for every bucket. Without
        them the rows are those of the whole period.
        """

    def contact_pressure(self, request: ResolvedKpiRequest) -> CountedRows | None:
        """The counted rows of the whole period, with `touches, first_touch_at, last_touch_at` of `ContactPressure`.

        They are null for people who were never over the contact policy. None if the kind does not measure against it.
        """
        return None

    def kind_of_part(self, part: str | None) -> "KpiKind | None":
        """The kind that has the counted rows of a part of the formula; None if the part counts no records.

        Without a part it is the kind that has those of the figure.
        """
        return self

    def excluded(self, request: ResolvedKpiRequest) -> CountedRows:
        """The counted rows of a request for the population EXCLUDED."""
        return self.counted(request)

    def statement(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
        """The statement that aggregates the counted rows."""
        return statement(request, self.counted(request, boundaries), boundaries)

    @abstractmethod
    def figure(self, cell: FigureCell) -> FigureValues:
        """The figure of a cell. A value without anything to divide by, or of unknown amounts, is None and never 0."""

    @abstractmethod
    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """Why the value is null if n is 0; None if it is 0 then, so that no size of the sample matters."""

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """The warnings of this kind, besides those that every kind has."""
        yield from ()

    def tabulated(self, rows: Sequence[StatementRow], last_bucket: int | None) -> FigureTable:
        """The table of the statement's rows. `last_bucket` is the number of the last one; None without buckets."""
        return tabulate(rows, last_bucket if self.is_snapshot else None)

    def adjusted(
        self, request: ResolvedKpiRequest, table: FigureTable, boundaries: tuple[datetime, ...]
    ) -> FigureTable:
        """The table to read figures from, where cells depend on each other, or on the length of their time."""
        return table


def figure_values(
    cell: FigureCell,
    value: Decimal | None,
    *,
    fraction: tuple[Decimal, Decimal] | None = None,
    distribution: Distribution | None = None,
    apart: tuple[KeptApart, ...] = (),
    parts: tuple[KpiPart, ...] = (),
    variants: tuple[Variant, ...] = (),
) -> FigureValues:
    """Put the fields of a figure together; `fraction` is numerator and denominator."""
    numerator, denominator = fraction or (None, None)
    return FigureValues(
        value=value,
        numerator=numerator,
        denominator=denominator,
        n=cell.n,
        implied=cell.implied,
        distribution=distribution,
        apart=apart,
        parts=parts,
        variants=variants,
    )


def count_figure(cell: FigureCell) -> FigureValues:
    """The figure of a count."""
    return figure_values(cell, Decimal(cell.n))


def share_figure(cell: FigureCell) -> FigureValues:
    """The figure of a ratio or conversion."""
    fraction = (Decimal(cell.numerator), Decimal(cell.n))
    return figure_values(cell, share(cell.numerator, cell.n), fraction=fraction)


def sum_figure(cell: FigureCell) -> FigureValues:
    """The figure of a sum of amounts: 0 if there is nothing to add, None if no amount is known or convertible."""
    total = cell.amounts.get(None)
    is_nothing = not cell.left_out and not cell.amounts
    value = total.amount if total is not None else Decimal(0) if is_nothing else None
    return figure_values(cell, value, apart=cell.unconverted(is_average=False))


def duration_figure(cell: FigureCell) -> FigureValues:
    """The figure of a duration: the median, and the distribution."""
    value = cell.distribution.median if cell.distribution else None
    return figure_values(cell, value, distribution=cell.distribution)
