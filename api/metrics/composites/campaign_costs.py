"""What campaigns cost in the days of a period."""

from collections.abc import Iterator
from datetime import date, datetime

from api.metrics.answer import AnswerWarning
from api.metrics.columns import Aggregates, count_where
from api.metrics.composites.cell_days import CellDays, counted_days, days_of_cells
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.currency_conversion import converted, missing_rates
from api.metrics.deal_kinds.deal_rows import NEWEST_UPDATE
from api.metrics.figure_table import ALL, FigureCell, FigureTable
from api.metrics.kinds.kind import FigureValues, KpiKind, sum_figure
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of
from schema.kpis.answer_vocab import WarningCode

_FIRST_DAY = date(1, 1, 1)


class CampaignCosts(KpiKind):
    """The costs of campaigns, spread evenly over their days.

    Shapes: one row per cost, or with buckets per cost and bucket.
    Units:  the reporting currency at the rate of the first day of each cost; unconverted amounts by their own.
    Source: the costs of campaigns, without the deleted and those of deleted campaigns; the exchange rates.
    """

    row_noun = "costs"
    reads = ("campaign_cost",)
    record_table = "campaign_cost"

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The beginning of the first day of any cost."""
        return Sql("select min(from_on)::timestamp at time zone {} from campaign_cost", request.frame.zone.key)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The costs: `campaign_cost_id, at, worth, unconverted_currency, is_cut, is_doubled, updated_at`.

        `is_doubled` is true for the first cost of every campaign that shares days with a cost of another source, and is
        computed for the whole period alone.
        """
        zone = request.frame.zone.key
        spans = [counted_days(request)]
        if boundaries:
            spans = [days for bucket, days in days_of_cells(request, boundaries).items() if bucket != ALL]
        # At the beginning of its first day, which a rate is looked up for.
        costs = Sql(
            "select x.id as campaign_cost_id, x.campaign_id, x.source, x.from_on, x.before_on, x.updated_at,"
            " x.cost as amount, x.currency, x.from_on::timestamp at time zone {} as at from campaign_cost x where {}",
            zone,
            all_of([*_counting(request), *_overlapping(spans)]),
        )
        spread = Sql(
            "select w.campaign_cost_id, w.updated_at, w.unconverted_currency,"
            " greatest(w.from_on, s.first)::timestamp at time zone {} as at,"
            " round(w.worth * (least(w.before_on, s.before) - w.from_on) / (w.before_on - w.from_on), 2)"
            " - round(w.worth * (greatest(w.from_on, s.first) - w.from_on) / (w.before_on - w.from_on), 2) as worth,"
            " (w.from_on < s.first or w.before_on > s.before) as is_cut, {} as is_doubled"
            " from ({}) w join unnest({}::date[], {}::date[]) s (first, before)"
            " on s.first < least(w.before_on, s.before) and s.before > w.from_on",
            *(zone, Sql("false") if boundaries else _first_doubled(request), converted(request, costs)),
            [days.first or _FIRST_DAY for days in spans],
            [days.until for days in spans],
        )
        return CountedRows(
            rows=spread,
            aggregates=Aggregates(
                amount=Sql("sum(c.worth)"),
                cut=count_where(Sql("c.is_cut")),
                doubled=count_where(Sql("c.is_doubled")),
                updated_at=NEWEST_UPDATE,
            ),
            value=Sql("c.worth"),
            is_by_currency=True,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The sum."""
        return sum_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """None: a formula says what is missing."""
        return None

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """COST_SPREAD, COST_SOURCES_OVERLAP, MISSING_RATE."""
        count, within = table.largest_count(lambda cell: cell.cut)
        if count:
            costs = "1 cost" if count == 1 else f"{count:,} costs"
            message = f"{within}the period cuts the days of {costs}. They count by the share of their days in it."
            yield AnswerWarning(code=WarningCode.COST_SPREAD, message=message[0].upper() + message[1:], count=count)
        doubled = table.total.doubled
        if doubled:
            campaigns = "1 campaign has" if doubled == 1 else f"{doubled:,} campaigns have"
            message = (
                f"{campaigns} costs of different sources for the same days of the period. All of them count. "
                "If two sources report the same money, delete the costs of one of them."
            )
            yield AnswerWarning(code=WarningCode.COST_SOURCES_OVERLAP, message=message, count=doubled)
        yield from missing_rates(request, table)


def _counting(request: ResolvedKpiRequest) -> list[Sql]:
    return [
        Sql("x.deleted_at is null"),
        Sql("not exists (select from campaign g where g.id = x.campaign_id and g.deleted_at is not null)"),
        *request.context.reach("campaign_cost", "x"),
    ]


def _first_doubled(request: ResolvedKpiRequest) -> Sql:
    """Whether the cost `w` is the first one of its campaign with days in `s` for which another source has a cost, too.

    One cost per campaign, so that the number of them is that of the campaigns, in whatever currencies the costs are.
    """
    shares_days = Sql(
        "exists (select from campaign_cost x where x.campaign_id = w.campaign_id and x.source <> w.source"
        " and x.from_on < least(w.before_on, s.before) and x.before_on > greatest(w.from_on, s.first) and {})",
        all_of(_counting(request)),
    )
    return Sql(
        "({} and row_number() over (partition by w.campaign_id, {} order by w.campaign_cost_id) = 1)",
        shares_days,
        shares_days,
    )


def _overlapping(spans: list[CellDays]) -> list[Sql]:
    """The conditions that a cost has days within the spans, so that no other is read."""
    conditions = [Sql("x.from_on < {}::date", max((days.until for days in spans), default=_FIRST_DAY))]
    first = min((days.first or _FIRST_DAY for days in spans), default=_FIRST_DAY)
    return [*conditions, Sql("x.before_on > {}::date", first)]
