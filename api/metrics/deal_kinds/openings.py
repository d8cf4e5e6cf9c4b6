"""Rows of deals by the instant they were opened."""

from api.metrics.deal_kinds.deal_rows import VERSION_START
from api.metrics.dimensions import stands_on_assumption
from api.metrics.journeys.deal_journeys import deal_journeys
from api.metrics.kinds.stage_entries import between
from api.metrics.population import is_deal_of
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of
from schema.deal_events import DealEvent

NOT_IN_PERIOD = " and cannot be in any period"


def opening_rows(request: ResolvedKpiRequest, *, has_amounts: bool) -> Sql:
    """One row per deal opened in the period: `deal_id, at, updated_at, is_unopened`.

    On request also `amount, currency, reads_assumed`. The amount is that of the deal's version at the opening, or of
    the first one if its history begins later. Deals without a known opening are rows too, with `is_unopened` and
    `asOf` as their `at`, so that they can be reported.
    """
    if request.reads_journeys:
        within = between(Sql("e.counted_at"), request.frame.interval)
        journeys = deal_journeys(request, DealEvent.OPENED, within, has_refunds=True)
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
    countable = [is_deal_of(request, "d"), *request.context.reach("deal", "d")]
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
