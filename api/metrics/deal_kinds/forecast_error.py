"""How near the forecast of a period's first instant came to what was won in the period."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.answer_warnings import assumed_history
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.amount_shares import part_and_whole, portion, positive_share, unfit_to_divide
from api.metrics.deal_kinds.currency_conversion import converted, missing_rates
from api.metrics.deal_kinds.deal_kind import DealKind
from api.metrics.deal_kinds.deal_rows import NEWEST_UPDATE, closing_amounts, first_closing, unknown_amounts
from api.metrics.deal_kinds.due_deals import Spans, due_at_start, has_both_ends, spans
from api.metrics.deal_kinds.pipeline_snapshot import unknown_probabilities
from api.metrics.deal_kinds.pushes import UNBOUNDED, deals_without_close_date
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.journeys.deal_journeys import have_spans
from api.metrics.journeys.journey_entries import journey_columns
from api.metrics.kinds.kind import FigureValues, figure_values
from api.metrics.periods.period_days import Interval
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, join
from schema.kpis.measures.deals import Closings
from schema.vocab import DealOutcome

_WON = Closings((DealOutcome.WON,))
_NONE = Sql(
    "select null::uuid as deal_id, null::int as part, null::timestamptz as at, false as is_forecast,"
    " true as is_dated, null::numeric as amount, null::text as currency, null::numeric as chance,"
    " null::timestamptz as updated_at, false as reads_assumed where false"
)


@dataclass(frozen=True, slots=True)
class ForecastError(DealKind):
    """1 less the forecast error: the difference between forecast and actual, divided by the actual.

    The forecast is what was won by the period's first instant, which is nothing, and the weighted amounts of the deals
    that were open then and due to close in the period. The actual is what was won in the period. Periods that are not
    over have no actual, and no rows.

    Shapes: one row per deal won, and one per deal of the forecast, in each part (bucket or total). n counts the won.
    Units:  the reporting currency: of the forecast at the rate of its day, of the actual at that of the closing.
    Source: the deals, their history, and the exchange rates.
    """

    divides_amounts = True

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Journeys have the present closings, and spans the deals that were open."""
        return not request.frame.is_past and has_both_ends(request) and have_spans(request)

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first closing: no period before it has an actual."""
        return first_closing(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The deals won and those of the forecast: `deal_id, part, at, is_forecast, worth, unconverted_currency`."""
        found = [row for within in spans(request, boundaries) for row in _rows(request, within)]
        weight = Sql("case when r.is_forecast then r.chance else 1 end")
        is_forecast, is_known = Sql("c.is_forecast and c.worth is not null"), Sql("c.worth is not null")
        is_won = Sql("not c.is_forecast and {}", is_known)
        return CountedRows(
            rows=converted(request, join(" union all ", found) if found else _NONE, weight),
            aggregates=Aggregates(
                n=count_where(is_won),
                numerator=count_where(is_forecast),
                amount=Sql("coalesce(sum(c.worth) filter (where not c.is_forecast), 0)"),
                portions=portion(Sql("c.is_forecast")),
                left_out=count_where(Sql("c.worth is null and c.is_dated")),
                unweighted=count_where(
                    Sql("c.is_forecast and c.amount is not null and c.chance is null and c.is_dated")
                ),
                unopened=count_where(Sql("not c.is_dated")),
                waiting=count_where(Sql("{} and c.reads_assumed", is_forecast)),
                updated_at=NEWEST_UPDATE,
            ),
            is_base=is_won,
            is_converted=is_forecast,
            value=Sql("c.worth"),
            is_assumed=Sql("c.reads_assumed"),
            is_by_currency=True,
            has_parts=True,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The accuracy; the numerator is the forecast, and the denominator the actual."""
        forecast, actual = part_and_whole(cell.amounts.get(None), 0)
        value = positive_share(actual - abs(forecast - actual), actual)
        return figure_values(cell, value, fraction=(forecast, actual), apart=cell.unconverted(is_average=False))

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nothing was won, or the period cannot have a forecast, or is not over."""
        if not has_both_ends(request):
            return UNBOUNDED
        if not request.frame.is_over:
            return "The period is not over, so what was won in it is not known yet."
        return "No deal won in the period has a known amount, so there is nothing to divide by."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """ZERO_DENOMINATOR, UNDATED, HISTORY_ASSUMED of the forecast, UNKNOWN_AMOUNT, UNKNOWN_PROBABILITY, …"""
        yield from unfit_to_divide(table, "deals won in the period")
        yield from deals_without_close_date(table)
        yield from assumed_history(table.total.waiting, table.total.numerator, "deals of the forecast")
        yield from unknown_amounts(table)
        yield from unknown_probabilities(table)
        yield from missing_rates(request, table)


def _of_journeys(request: ResolvedKpiRequest) -> Sql:
    """What rows of journeys have beside those of facts, each after a comma; none is left out for its amount."""
    is_negative = Sql(", false as is_negative" if request.reads_journeys else "")
    return Sql("{}{}", is_negative, journey_columns(request, "q"))


def _rows(request: ResolvedKpiRequest, within: Spans) -> Iterator[Sql]:
    """The deals of the forecast, and those won, in the periods that are over."""
    instants, until = within.instants, request.frame.until
    yield Sql(
        "select q.deal_id, q.part, q.at, true as is_forecast, q.close_date is not null as is_dated,"
        " case when q.close_date is not null then q.amount end as amount, q.currency, q.chance, q.updated_at,"
        " q.reads_assumed{} from ({}) q where ({})[q.place + 1] <= {}",
        _of_journeys(request),
        due_at_start(request, within),
        instants,
        until,
    )
    whole = Interval(within.boundaries[0], within.boundaries[-1])
    of_all = replace(request, frame=replace(request.frame, interval=whole))
    yield Sql(
        "select q.deal_id, {}, q.at, false, true, q.amount, q.currency, null::numeric, q.updated_at, q.reads_assumed{}"
        " from (select w.*, width_bucket(w.at, {}) as place from ({}) w) q where ({})[q.place + 1] <= {}",
        within.part(Sql("q.place")),
        _of_journeys(request),
        instants,
        closing_amounts(of_all, _WON, has_refunds=True),
        instants,
        until,
    )
