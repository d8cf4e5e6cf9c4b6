"""Counted rows of deals that are journeys: openings, present closings and open pipelines, with the amounts then."""

from datetime import datetime

from api.funnel.journeys.journey_tables import SPANS
from api.metrics.journeys.journey_dimensions import carried_names
from api.metrics.journeys.journey_entries import journey_columns
from api.metrics.resolved_request import ResolvedKpiRequest, dimensions_of
from api.sql import Sql, all_of
from schema.deal_events import DealEvent
from schema.kpis.kinds import Subject


def deal_journeys(
    request: ResolvedKpiRequest,
    event: DealEvent,
    chosen: list[Sql],
    *,
    has_refunds: bool,
) -> Sql:
    """The openings or closings of the deals of the population, with what dimensions read.

    `deal_id, at, outcome, amount, currency, reads_assumed, is_negative, updated_at`.
    `chosen` are further conditions on the row `e`. A deal that was closed with a negative amount is a row only with
    `has_refunds`; without them, the population EXCLUDED has it.
    """
    conditions = [
        Sql("e.evaluation_id = {} and e.event = {}", request.context.evaluation, event.value),
        Sql("e.counted_at < {}", request.frame.until),
        *chosen,
    ]
    if request.is_excluded_only:
        # As the index of the few excluded ones has it.
        conditions.append(Sql("(e.not_counted is not null or e.is_negative)"))
        if has_refunds:
            conditions.append(Sql("e.not_counted is not null"))
    else:
        conditions.append(Sql("e.not_counted is null"))
        if not has_refunds:
            conditions.append(Sql("not e.is_negative"))
    negative = Sql("false" if has_refunds else "e.is_negative")
    return Sql(
        "select e.deal_id, e.counted_at as at, e.outcome, e.amount, e.currency, e.is_amount_assumed as reads_assumed,"
        " {} as is_negative, e.changed_at as updated_at{} from deal_journey e where {}",
        negative,
        journey_columns(request, "e"),
        all_of(conditions),
    )


# What rows of other journeys have for their one instant; a deal that is open has a version by then. The currency of a
# span is that of its amount.
_OF_INSTANT = ("has_no_version", "is_version_assumed", "is_company_assumed", "deal_currency")


def have_spans(request: ResolvedKpiRequest) -> bool:
    """Whether spans have the values of all dimensions that a request reads."""
    read = carried_names(Subject.DEAL, (*dimensions_of(request.where), *request.by))
    return {*read} <= {*SPANS.values, *_OF_INSTANT}


def open_spans(request: ResolvedKpiRequest, instants: tuple[datetime, ...]) -> Sql:
    """One row per deal of the population and instant at which it was open, with what dimensions read.

    `deal_id, at, amount, currency, chance, close_date, updated_at, is_standing, is_unopened, reads_assumed,
    is_negative`.
    """
    # Shifted by a microsecond, a span that starts at an instant is in it, and one that ends at it is not.
    given, step = Sql("{}::timestamptz[]", list(instants)), Sql("interval '1 microsecond'")
    conditions = [
        Sql("s.evaluation_id = {}", request.context.evaluation),
        Sql("s.ends_at > {} and s.starts_at <= {}", instants[0], instants[-1]),
        Sql("s.not_counted is not null" if request.is_excluded_only else "s.not_counted is null"),
    ]
    spans = Sql(
        "select s.*, ({})[i.place] as at, false as has_no_version, s.currency as deal_currency,"
        " coalesce(({})[i.place] < s.confirmed_at, false) as is_version_assumed,"
        " coalesce(({})[i.place] < s.company_confirmed_at, false) as is_company_assumed from deal_span s"
        " cross join lateral generate_series(width_bucket(s.starts_at - {}, {}) + 1,"
        " width_bucket(s.ends_at - {}, {})) i (place) where {}",
        *(given, given, given, step, given, step, given, all_of(conditions)),
    )
    return Sql(
        "select e.deal_id, e.at, e.amount, e.currency, coalesce(e.probability, p.probability) as chance,"
        " e.close_date, e.changed_at as updated_at, true as is_standing, false as is_unopened,"
        " e.is_version_assumed as reads_assumed, false as is_negative{} from ({}) e"
        " left join pipeline_stage p on p.id = e.pipeline_stage_id",
        journey_columns(request, "e"),
        spans,
    )
