"""The amounts of the open deals that are expected to close in the period."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from api.metrics.answer import AnswerWarning
from api.metrics.answer_warnings import number_of
from api.metrics.columns import count_where
from api.metrics.composites.cell_days import counted_days, days_of_cells
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.currency_conversion import converted, counted_amounts, missing_rates
from api.metrics.deal_kinds.deal_rows import unknown_amounts
from api.metrics.deal_kinds.pipeline_snapshot import PipelineSnapshot, open_at
from api.metrics.figure_table import ALL, FigureTable
from api.metrics.periods.buckets import pairs
from api.metrics.resolved_request import MICROSECOND, ResolvedKpiRequest
from api.sql import Sql
from schema.kpis.answer_vocab import WarningCode


@dataclass(frozen=True, slots=True)
class ClosingPipeline(PipelineSnapshot):
    """The deals open at the end of the period, or at `asOf` if that is earlier, with an expected closing in the period.

    Shapes: one row per deal; with buckets per deal and bucket, which are not parts of the whole.
    Units:  the reporting currency at the rate of the instant's day; unconverted amounts by their own.
    Source: the history of the deals.
    """

    is_weighted: bool = False

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The open deals: `deal_id, at, worth, unconverted_currency, is_expected`."""
        if boundaries:
            ends = [before for _, before in pairs(boundaries)]
            spans = [days for bucket, days in days_of_cells(request, boundaries).items() if bucket != ALL]
        else:
            ends, spans = [request.frame.interval.end or request.frame.until], [counted_days(request)]
        instants = tuple(min(end, request.frame.until) - MICROSECOND for end in ends)
        expected = Sql(
            "select o.*, coalesce(o.close_date >= s.first and o.close_date < s.before, false) as is_expected"
            " from ({}) o join unnest({}::timestamptz[], {}::date[], {}::date[]) s (instant, first, before)"
            " on s.instant = o.at where o.is_standing",
            open_at(request, instants),
            list(instants),
            [days.first or date.min for days in spans],
            [days.before or date.max for days in spans],
        )
        counted = counted_amounts(converted(request, expected), Sql("c.is_expected"))
        unscheduled = count_where(Sql("c.close_date is null"))
        return replace(counted, aggregates=replace(counted.aggregates, unscheduled=unscheduled))

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """UNDATED, UNKNOWN_AMOUNT, MISSING_RATE."""
        count, within = table.largest_count(lambda cell: cell.unscheduled)
        if count:
            has = "has" if count == 1 else "have"
            message = f"{within}{number_of(count, 'open deal')} {has} no expected closing and cannot be in any period."
            yield AnswerWarning(code=WarningCode.UNDATED, message=message, count=count)
        yield from unknown_amounts(table)
        yield from missing_rates(request, table)
