"""The amounts of the deals that are open at an instant."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.answer_warnings import number_of
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.day_sums.summed_rows import SummedRows, SumsRead, SumsStored, SumUnit
from api.metrics.deal_kinds.currency_conversion import converted, counted_amounts, missing_rates
from api.metrics.deal_kinds.deal_rows import NEWEST_UPDATE, VERSION_START, unknown_amounts, unopened_deals
from api.metrics.dimensions import stands_on_assumption
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.journeys.deal_journeys import have_spans, open_spans
from api.metrics.kinds.kind import FigureValues, KpiKind, count_figure, sum_figure
from api.metrics.kinds.snapshot_instants import part_ends
from api.metrics.population import is_deal_of
from api.metrics.resolved_request import MICROSECOND, ResolvedKpiRequest
from api.sql import Sql, all_of
from schema.kpis.answer_vocab import WarningCode

_HELD = f"{VERSION_START} <= {{0}} and (h.valid_to is null or h.valid_to > {{0}})"


@dataclass(frozen=True, slots=True)
class PipelineSnapshot(KpiKind):
    """The amounts of the deals open at the end of the period, or at the end of each bucket.

    Shapes: one row per deal and instant at which it was open.
    Units:  the reporting currency at the rate of the instant's day; unconverted amounts by their own.
    Source: the history of the deals; if weighted, their chance of winning or that of their pipeline stage.
    """

    is_weighted: bool
    row_noun = "deals"
    reads = ("deal",)
    is_snapshot = True

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Spans have the deals that were open, of those whose opening is known."""
        return not request.context.has_unopened_deals and have_spans(request)

    def summed(self, request: ResolvedKpiRequest) -> SummedRows:
        """The ends of the months."""
        return SummedRows(SumUnit.MONTH_END, "deal_span")

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The start of the first version of any deal."""
        reached = request.context.reach_by_id("deal", Sql("deal_version.deal_id"))
        scoped = Sql(" where {}", all_of(reached)) if reached else Sql("")
        return Sql("select min(coalesce(valid_from, recorded_at)) from deal_version{}", scoped)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The open deals: `deal_id, at, worth, unconverted_currency, is_standing, is_unopened`."""
        factor = Sql("r.chance") if self.is_weighted else None
        rows = converted(request, _open_at_ends(request, boundaries), factor)
        counted = counted_amounts(rows, Sql("c.is_standing"), Sql("c.is_unopened"))
        if not self.is_weighted:
            return counted
        unweighted = count_where(Sql("c.is_standing and c.amount is not null and c.chance is null"))
        return replace(counted, aggregates=replace(counted.aggregates, unweighted=unweighted))

    def figure(self, cell: FigureCell) -> FigureValues:
        """The sum."""
        return sum_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """None: no deals sum to 0."""
        return None

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """UNDATED, UNKNOWN_AMOUNT, UNKNOWN_PROBABILITY, MISSING_RATE."""
        yield from unopened_deals(table, ": before their history begins they are not in the pipeline")
        yield from unknown_amounts(table)
        yield from unknown_probabilities(table)
        yield from missing_rates(request, table)


@dataclass(frozen=True, slots=True)
class OpenDealCount(PipelineSnapshot):
    """The number of the same deals, those without a known amount included.

    Shapes: one row per deal and instant at which it was open.
    """

    is_weighted: bool = False

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The open deals: `deal_id, at, is_standing, is_unopened`."""
        is_open = Sql("c.is_standing")
        return CountedRows(
            rows=_open_at_ends(request, boundaries),
            aggregates=Aggregates(
                n=count_where(is_open), unopened=count_where(Sql("c.is_unopened")), updated_at=NEWEST_UPDATE
            ),
            is_base=is_open,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The number."""
        return count_figure(cell)

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """UNDATED."""
        return unopened_deals(table, ": before their history begins they are not in the pipeline")


def _open_at_ends(request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
    """The deals open at the end of the period or of each bucket."""
    return open_at(request, _instants(request, boundaries))


def open_at(request: ResolvedKpiRequest, instants: tuple[datetime, ...]) -> Sql:
    """The rows of `open_deals`, from spans if the request reads journeys."""
    return open_spans(request, instants) if request.reads_journeys else open_deals(request, instants)


def open_deals(request: ResolvedKpiRequest, instants: tuple[datetime, ...]) -> Sql:
    """One row per deal and instant at which it was open by its history.

    `deal_id, at, amount, currency, chance, close_date, updated_at, is_standing, is_unopened, reads_assumed`. Deals with
    `is_unopened` but not `is_standing` have no known opening, and no history yet at the instant: whether they were open
    is unknown.
    """
    counting = all_of([is_deal_of(request, "d"), *request.context.reach("deal", "d")])
    if len(instants) == 1:
        (only,) = instants
        at, held = Sql("{}::timestamptz", only), Sql(_HELD.format("{}"), only, only)
        source, unopened, unopened_at = Sql("deal_version h"), Sql("deal d"), at
    else:
        # Shifted by a microsecond, a version that starts at an instant is in it, and one that ends at it is not, as
        # with the single instant above. A version without an end holds to the last instant.
        # Every version is put into the instants at which it held, in one pass over the history.
        given, step = Sql("{}::timestamptz[]", list(instants)), Sql("interval '1 microsecond'")
        source = Sql(
            f"(select h.*, generate_series(width_bucket({VERSION_START} - {{}}, {{}}) + 1,"
            " coalesce(width_bucket(h.valid_to - {}, {}), {}::int)) as place from deal_version h"
            " where h.outcome = 'OPEN') h",
            *(step, given, step, given, len(instants)),
        )
        at, held = Sql("({})[h.place]", given), Sql("true")
        unopened, unopened_at = Sql("deal d cross join unnest({}) i(at)", given), Sql("i.at")
    return Sql(
        "select h.deal_id, {} as at, h.amount, h.currency, coalesce(h.probability, s.probability) as chance,"
        " h.close_date, d.updated_at, true as is_standing, d.opened_at is null as is_unopened, {} as reads_assumed"
        " from {}"
        " join deal d on d.id = h.deal_id left join pipeline_stage s on s.id = h.pipeline_stage_id"
        " where h.outcome = 'OPEN' and {} and {}"
        " union all select d.id, {}, null, null, null, null, d.updated_at, false, true, false from {}"
        " where d.opened_at is null and {} and not exists (select from deal_version h where h.deal_id = d.id and "
        + VERSION_START
        + " <= {})",
        *(at, stands_on_assumption("h", at), source, held, counting, unopened_at, unopened, counting, unopened_at),
    )


def unknown_probabilities(table: FigureTable) -> Iterator[AnswerWarning]:
    """UNKNOWN_PROBABILITY: how many deals have an amount and no known probability of winning."""
    count, within = table.largest_count(lambda cell: cell.unweighted)
    if count:
        deals = f"{within}{number_of(count, 'deal')} {'has' if count == 1 else 'have'}"
        message = f"{deals} no known probability of winning and cannot be in the value."
        yield AnswerWarning(code=WarningCode.UNKNOWN_PROBABILITY, message=message, count=count)


def _instants(request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> tuple[datetime, ...]:
    """The last instant of every bucket, or of the period: it lies in the bucket, and a change at the end does not."""
    ends = part_ends(request, boundaries)
    instants = tuple(end - MICROSECOND for end in ends[:-1] or ends)
    match request.sums:
        case SumsRead(instants=summed):
            return tuple(at for at in instants if at not in summed) or instants[:1]
        case SumsStored(starts=wanted):
            return tuple(at for at in instants if at in wanted)
    return instants
