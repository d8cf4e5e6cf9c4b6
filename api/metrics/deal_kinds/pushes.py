"""The share of the deals due to close in a period whose expected close date moved to a day after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.answer_warnings import number_of
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.deal_kind import DealKind
from api.metrics.deal_kinds.deal_rows import NEWEST_UPDATE, VERSION_START, first_opening
from api.metrics.deal_kinds.due_deals import Spans, due_at_opening, due_at_start, has_both_ends, spans
from api.metrics.dimensions import stands_on_assumption
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.kind import FigureValues, share_figure
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, join
from schema.kpis.answer_vocab import WarningCode

_NONE = Sql(
    "select null::uuid as deal_id, null::int as part, null::timestamptz as at, null::timestamptz as updated_at,"
    " false as is_dated, false as is_pushed, false as reads_assumed where false"
)
UNBOUNDED = "A deal is due in a period with a first and a last day, and this period lacks one: name one that has both."


@dataclass(frozen=True, slots=True)
class PushShare(DealKind):
    """The deals pushed out of the period, divided by those due to close in it.

    A deal is due if it was open at the period's first instant, or opened in the period, and its expected close date as
    of then lies in it. It is pushed if at the end of the period, or at `asOf` if that is earlier, it is open and the
    date lies after the period.

    Shapes: one row per deal and part (bucket or total), because a deal may be due in several of them.
    Source: the history of the deals.
    """

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first opening, or the start of the first version of any deal."""
        reached = request.context.reach_by_id("deal", Sql("deal_version.deal_id"))
        scoped = Sql(" where {}", join(" and ", reached)) if reached else Sql("")
        return Sql(
            "select least(({}), (select min(coalesce(valid_from, recorded_at)) from deal_version{}))",
            first_opening(request),
            scoped,
        )

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The deals due: `deal_id, part, at, is_dated, is_pushed, updated_at`; `at` is when the date was read."""
        rows = [_pushes(request, within) for within in spans(request, boundaries)]
        is_pushed = Sql("c.is_dated and c.is_pushed")
        return CountedRows(
            rows=join(" union all ", rows) if rows else _NONE,
            aggregates=Aggregates(
                n=count_where(Sql("c.is_dated")),
                numerator=count_where(is_pushed),
                unopened=count_where(Sql("not c.is_dated")),
                updated_at=NEWEST_UPDATE,
            ),
            is_base=Sql("c.is_dated"),
            is_converted=is_pushed,
            is_assumed=Sql("c.reads_assumed"),
            has_parts=True,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The pushed deals divided by those due."""
        return share_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No deal was due, or none can be."""
        if not has_both_ends(request):
            return UNBOUNDED
        return "No deal was due to close in the period, so there is nothing to divide by."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """UNDATED."""
        return deals_without_close_date(table)


def deals_without_close_date(table: FigureTable) -> Iterator[AnswerWarning]:
    """UNDATED: how many open deals had no known close date."""
    count, within = table.largest_count(lambda cell: cell.unopened)
    if count:
        had = f"{within}{number_of(count, 'open deal')} had no known close date"
        message = f"{had} when the period or the deal began, and cannot be due in it."
        yield AnswerWarning(code=WarningCode.UNDATED, message=message, count=count)


def _pushes(request: ResolvedKpiRequest, within: Spans) -> Sql:
    shared = "deal_id, part, place, at, close_date, updated_at, reads_assumed"
    due = Sql(
        f"select {shared} from ({{}}) s union all select {shared} from ({{}}) s",
        due_at_start(request, within),
        due_at_opening(request, within),
    )
    end = Sql("least(({})[q.place + 1], {}) - interval '1 microsecond'", within.instants, request.frame.until)
    start = VERSION_START.replace("h.", "e.")
    return Sql(
        "select q.deal_id, q.part, q.at, q.updated_at, q.close_date is not null as is_dated,"
        " coalesce(e.outcome = 'OPEN' and e.close_date >= ({})[q.place + 1], false) as is_pushed,"
        " q.reads_assumed or {} as reads_assumed from (select q.*, {} as ends_at from ({}) q) q"
        " left join lateral (select e.* from deal_version e where e.deal_id = q.deal_id"
        f" and {start} <= q.ends_at and (e.valid_to is null or e.valid_to > q.ends_at) limit 1) e on true",
        within.dates,
        stands_on_assumption("e", Sql("q.ends_at")),
        end,
        due,
    )
