"""Counted rows of deals that are journeys: openings and present closings, with the amounts then."""

from api.metrics.journeys.journey_entries import journey_columns
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of
from schema.deal_events import DealEvent


def deal_journeys(
    request: ResolvedKpiRequest,
    event: DealEvent,
    chosen: list[Sql],
    *,
    has_refunds: bool,
    has_every_deal: bool = False,
) -> Sql:
    """The openings or closings of the deals of the population, with what dimensions read.

    `deal_id, at, outcome, amount, currency, reads_assumed, is_negative, updated_at, customer_id` (its company today).
    `chosen` are further conditions on the row `e`. A deal that was closed with a negative amount is a row only with
    `has_refunds`; without them, the population EXCLUDED has it. With `has_every_deal` the rows are those of all deals.
    """
    conditions = [
        Sql("e.evaluation_id = {} and e.event = {}", request.context.evaluation, event.value),
        Sql("e.counted_at < {}", request.frame.until),
        *chosen,
    ]
    if request.is_excluded_only and not has_every_deal:
        # As the index of the few excluded ones has it.
        conditions.append(Sql("(e.not_counted is not null or e.is_negative)"))
        if has_refunds:
            conditions.append(Sql("e.not_counted is not null"))
    elif not has_every_deal:
        conditions.append(Sql("e.not_counted is null"))
        if not has_refunds:
            conditions.append(Sql("not e.is_negative"))
    negative = Sql("false" if has_refunds else "e.is_negative")
    return Sql(
        "select e.deal_id, e.counted_at as at, e.outcome, e.amount, e.currency, e.is_amount_assumed as reads_assumed,"
        " {} as is_negative, e.changed_at as updated_at, e.customer_id{} from deal_journey e where {}",
        negative,
        journey_columns(request, "e"),
        all_of(conditions),
    )
