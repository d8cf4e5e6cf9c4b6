"""Rows of deals by the instant they were opened."""

from api.metrics.deal_kinds.deal_rows import VERSION_START
from api.metrics.dimensions import stands_on_assumption
from api.metrics.journeys.deal_journeys import deal_journeys
from api.metrics.kinds.stage_entries import between
from api.metrics.population import is_deal_of
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of
from schema.deal_events import DealEvent
from schema.kpis.measures.deals import Openings

NOT_IN_PERIOD = " and cannot be in any period"
# The first pipeline stage of the deal `d` that held at its opening or after it.
_FIRST_STAGE = (
    "(select b.pipeline_stage_id from deal_version b where b.deal_id = d.id and b.pipeline_stage_id is not null"
    " and (b.valid_to is null or b.valid_to > greatest(d.opened_at, coalesce(b.valid_from, b.recorded_at)))"
    " order by coalesce(b.valid_from, b.recorded_at), b.id limit 1)"
)
_OTHER_BUSINESS = (
    "select s.id from pipeline_stage s join pipeline q on q.id = s.pipeline_id where not q.is_new_business"
)


def opening_rows(request: ResolvedKpiRequest, of: Openings, *, has_amounts: bool) -> Sql:
    """One row per deal opened in the period: `deal_id, at, updated_at, is_unopened`.

    On request also `amount, currency, reads_assumed`. The amount is that of the deal's version at the opening, or of
    the first one if its history begins later. Deals without a known opening are rows too, with `is_unopened` and
    `asOf` as their `at`, so that they can be reported.
    """
    if request.reads_journeys:
        chosen = [*between(Sql("e.counted_at"), request.frame.interval), *_is_of(of, "e.opening_stage_id")]
        journeys = deal_journeys(request, DealEvent.OPENED, chosen, has_refunds=True)
        return Sql("select o.*, false as is_unopened from ({}) o", journeys)
    # The version at the opening is the first one that still held after it, and that held at all: a version that was
    # corrected at the instant of its start ends there too.
    amounts, none, at_opening = Sql(""), Sql(""), Sql("")
    if has_amounts:
        is_assumed = stands_on_assumption("a", Sql("d.opened_at"))
        amounts = Sql(", a.amount, a.currency, {} as reads_assumed", is_assumed)
        none = Sql(", null::numeric, null::text, false")
        at_opening = Sql(
            " left join lateral (select h.amount, h.currency, h.is_assumed, h.recorded_at from deal_version h"
            " where h.deal_id = d.id"
            f" and (h.valid_to is null or h.valid_to > greatest(d.opened_at, {VERSION_START}))"
            f" order by {VERSION_START}, h.id limit 1) a on true"
        )
    countable = [is_deal_of(request, "d"), *request.context.reach("deal", "d"), *_is_of(of, _FIRST_STAGE)]
    opened = [Sql("d.opened_at < {}", request.frame.until), *between(Sql("d.opened_at"), request.frame.interval)]
    return Sql(
        "select d.id as deal_id, d.opened_at as at, d.updated_at, false as is_unopened{} from deal d{} where {}"
        " union all select d.id, {}::timestamptz, d.updated_at, true{} from deal d where {}",
        amounts,
        at_opening,
        all_of([*opened, *countable]),
        request.frame.as_of,
        none,
        all_of([Sql("d.opened_at is null"), *countable]),
    )


def _is_of(of: Openings, stage: str) -> list[Sql]:
    """The condition that the pipeline of a stage is one of new business, or unknown; none if every opening counts."""
    if not of.is_new_business:
        return []
    # The stages of other pipelines are few: they are hashed once. Without any, no deal is looked up.
    return [Sql(f"(not exists ({_OTHER_BUSINESS}) or ({stage} in ({_OTHER_BUSINESS})) is not true)")]
