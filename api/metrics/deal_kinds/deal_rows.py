"""Rows of deals: closings, openings, and the first win of each customer.

All of them leave out deals that never count, and deals out of the principal's reach.
"""

from collections.abc import Iterator

from api.identity.survivors import SURVIVORS
from api.metrics.answer import AnswerWarning
from api.metrics.answer_warnings import number_of
from api.metrics.dimensions import stands_on_assumption
from api.metrics.figure_table import FigureTable
from api.metrics.journeys.deal_journeys import deal_journeys
from api.metrics.kinds.stage_entries import EVER, between
from api.metrics.periods.period_days import Interval
from api.metrics.population import is_deal_of
from api.metrics.resolved_request import Population, ResolvedKpiRequest
from api.sql import Sql, all_of
from schema.deal_events import DealEvent
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.measures.deals import Closings
from schema.vocab import DealOutcome

_COLUMNS = (
    "d.id as deal_id, {0}.closed_at as at, {0}.outcome, {0}.amount, {0}.currency, {0}.company_id, d.opened_at,"
    " d.updated_at"
)
IS_NEGATIVE = Sql("c.is_negative")
VERSION_START = "coalesce(h.valid_from, h.recorded_at)"  # of the version `h` of a deal
NEWEST_UPDATE = Sql("max(c.updated_at)")  # the watermark of deals; contacts have that of their evaluation
# The few deals that ever had a negative amount, from an index.
_EVER_NEGATIVE = Sql("select n.deal_id from deal_version n where n.amount < 0")
_WON = Closings((DealOutcome.WON,))
_SURVIVORS = Sql(" left join ({}) up on up.contact_id = p.contact_id", SURVIVORS)


def closing_rows(request: ResolvedKpiRequest, of: Closings, *, has_refunds: bool = False) -> Sql:
    """One row per deal closed in the period, with the columns `_COLUMNS`.

    A deal that was closed with a negative amount is a row only with `has_refunds`. Without them, the population
    EXCLUDED has them, with `is_negative`.

    A deal counts at its last closing by `asOf`: as the deal is now, or, if the request names `asOf` and the deal
    was reopened or closed again since, as its history has it.
    """
    if request.reads_journeys:
        chosen = [
            Sql("e.outcome = any ({}::text[])", [outcome.value for outcome in of.outcomes]),
            *between(Sql("e.counted_at"), request.frame.interval),
        ]
        return deal_journeys(request, DealEvent.CLOSED, chosen, has_refunds=has_refunds)
    reached = request.context.reach("deal", "d")
    return _closings(request, of, request.frame.interval, reached, has_refunds=has_refunds)


def closing_amounts(request: ResolvedKpiRequest, of: Closings, *, has_refunds: bool) -> Sql:
    """Closings with the amount and currency at the closing: `deal_id, at, outcome, updated_at, amount, currency`,
    `reads_assumed`.

    These are those of the first version with this closing that held for any time, whatever was changed later. A deal
    without such a version has the values it has now.
    """
    if request.reads_journeys:
        return closing_rows(request, of, has_refunds=has_refunds)
    return Sql(
        "select k.deal_id, k.at, k.outcome, k.updated_at, k.is_negative,"
        " case when a.id is null then k.amount else a.amount end as amount,"
        " case when a.id is null then k.currency else a.currency end as currency, {} as reads_assumed"
        " from ({}) k left join lateral ({}) a on true",
        stands_on_assumption("a", Sql("k.at")),
        closing_rows(request, of, has_refunds=has_refunds),
        _version_at_closing(
            "a.id, a.amount, a.currency, a.is_assumed, a.recorded_at",
            deal="k.deal_id",
            closed_at="k.at",
            outcome="k.outcome",
        ),
    )


def first_wins(request: ResolvedKpiRequest) -> Sql:
    """The first deal won of each customer, if it was won in the period: `deal_id, at, updated_at, customer`.

    For the population EXCLUDED it is the first of all deals won, with `is_negative`: if that one is excluded, the
    customer is not new at its instant.

    The customer of a deal is its company; else the company of its main contact at the closing; else that person; else
    the deal itself. Which win is a customer's first does not depend on the principal; out of reach it is not counted.
    """
    if request.reads_journeys:
        return _first_journeys(request)
    won = _every_win(request)
    main = (
        "select a.contact_id from deal_contact a where a.deal_id = k.deal_id and a.voided_at is null"
        " and k.customer_id is null"
        " order by a.is_primary desc, a.since nulls first, a.contact_id limit 1"
    )
    employed = (
        "select v.company_id from contact_version v where v.contact_id = p.contact_id"
        " and coalesce(v.valid_from, v.recorded_at) <= k.at and (v.valid_to is null or v.valid_to > k.at)"
    )
    person, survivors = Sql("p.contact_id"), Sql("")
    if request.context.has_merged_contacts:
        person, survivors = Sql("coalesce(up.survivor_id, p.contact_id)"), _SURVIVORS
    named = Sql(
        "select k.deal_id, k.at, k.updated_at, k.is_negative,"
        " coalesce(k.customer_id, w.company_id, {}, k.deal_id) as customer"
        f" from ({{}}) k left join lateral ({main}) p on true left join lateral ({employed}) w on true{{}}",
        *(person, won, survivors),
    )
    # Ties are broken by the id, so that a customer has one first win whatever the plan.
    first = Sql("select distinct on (n.customer) n.* from ({}) n order by n.customer, n.at, n.deal_id", named)
    conditions = between(Sql("w.at"), request.frame.interval)
    conditions += request.context.reach_by_id("deal", Sql("w.deal_id"))
    return Sql("select w.* from ({}) w where {}", first, all_of(conditions))


def _every_win(request: ResolvedKpiRequest) -> Sql:
    """The deals of the population won at any time, with `customer_id`, their company; for EXCLUDED all deals won."""
    has_every_deal = request.population is Population.EXCLUDED
    rows = _closings(request, _WON, EVER, [], has_every_deal=has_every_deal)
    return Sql("select w.*, w.company_id as customer_id from ({}) w", rows)


def _first_journeys(request: ResolvedKpiRequest) -> Sql:
    """The same from journeys, which have the customer: the wins in the period that no other win precedes."""
    counted = Sql("" if request.is_excluded_only else " and f.not_counted is null and not f.is_negative")
    is_first = Sql(
        "not exists (select from deal_journey f where f.evaluation_id = e.evaluation_id and f.event = e.event"
        " and f.outcome = e.outcome and f.customer = e.customer"
        " and (f.counted_at, f.deal_id) < (e.counted_at, e.deal_id){})",
        counted,
    )
    chosen = [
        Sql("e.outcome = {}", DealOutcome.WON.value),
        *between(Sql("e.counted_at"), request.frame.interval),
        is_first,
    ]
    return deal_journeys(request, DealEvent.CLOSED, chosen, has_refunds=False)


def first_opening(request: ResolvedKpiRequest) -> Sql:
    """A query for the first opening of a deal."""
    return Sql("select min(opened_at) from deal{}", _where_reached(request))


def first_closing(request: ResolvedKpiRequest) -> Sql:
    """A query for the first closing of a deal."""
    past = Sql("")
    if request.frame.is_past:
        reached = request.context.reach_by_id("deal", Sql("deal_version.deal_id"))
        scoped = Sql(" where {}", all_of(reached)) if reached else Sql("")
        past = Sql(", (select min(closed_at) from deal_version{})", scoped)
    return Sql("select least((select min(closed_at) from deal{}){})", _where_reached(request), past)


def unopened_deals(table: FigureTable, consequence: str) -> Iterator[AnswerWarning]:
    """UNDATED: how many deals have no known opening, and what follows from it."""
    count, within = table.largest_count(lambda cell: cell.unopened)
    if count:
        has = "has" if count == 1 else "have"
        message = f"{within}{number_of(count, 'deal')} {has} no known opening{consequence}."
        yield AnswerWarning(code=WarningCode.UNDATED, message=message, count=count)


def unknown_amounts(table: FigureTable) -> Iterator[AnswerWarning]:
    """UNKNOWN_AMOUNT: how many deals have no known amount."""
    count, within = table.largest_count(lambda cell: cell.left_out - cell.unweighted)
    if count:
        has = "has" if count == 1 else "have"
        message = f"{within}{number_of(count, 'deal')} {has} no known amount and cannot be in the value."
        yield AnswerWarning(code=WarningCode.UNKNOWN_AMOUNT, message=message, count=count)


def _closings(
    request: ResolvedKpiRequest,
    of: Closings,
    within: Interval,
    conditions: list[Sql],
    *,
    has_refunds: bool = False,
    has_every_deal: bool = False,
) -> Sql:
    """The closings of the deals of the population, or with `has_every_deal` of all deals."""
    outcomes, until = [outcome.value for outcome in of.outcomes], request.frame.until
    countable = list(conditions)
    if not has_every_deal:
        countable.append(is_deal_of(request, "d", others=None if has_refunds else _EVER_NEGATIVE))
    now = [
        Sql("d.outcome = any ({}::text[])", outcomes),
        Sql("d.closed_at < {}", until),
        *between(Sql("d.closed_at"), within),
        *countable,
    ]
    rows = _rows_of(request, "d", Sql("deal d"), now, has_refunds=has_refunds)
    if not request.frame.is_past:
        return rows
    # Deals whose present closing is later than `asOf`, by the version that held then. The rows above are other deals,
    # so a deal has one row.
    then = [
        Sql("d.closed_at is null or d.closed_at >= {}", until),
        Sql("h.outcome = any ({}::text[])", outcomes),
        Sql("h.closed_at < {}", until),
        *between(Sql("h.closed_at"), within),
        Sql(VERSION_START + " < {} and h.valid_to >= {}", until, until),
        *countable,
    ]
    versions = Sql("deal d join deal_version h on h.deal_id = d.id")
    return Sql("{} union all {}", rows, _rows_of(request, "h", versions, then, has_refunds=has_refunds))


def _rows_of(request: ResolvedKpiRequest, row: str, source: Sql, conditions: list[Sql], *, has_refunds: bool) -> Sql:
    """The closings of a source by the values of `row`: a deal, or a version of it."""
    is_negative = Sql("false")
    if not has_refunds:
        is_refund = Sql("(d.id in ({}) and {})", _EVER_NEGATIVE, _was_negative(row))
        if request.population is Population.COUNTED:
            conditions = [*conditions, Sql("not {}", is_refund)]
        else:
            is_negative = is_refund
    columns = Sql(_COLUMNS.format(row) + ", {} as is_negative", is_negative)
    return Sql("select {} from {} where {}", columns, source, all_of(conditions))


def _was_negative(row: str) -> Sql:
    """The condition that a deal was closed with a negative amount, which is that of `closing_amounts`."""
    known = _version_at_closing(
        "coalesce(a.amount < 0, false)", deal="d.id", closed_at=f"{row}.closed_at", outcome=f"{row}.outcome"
    )
    return Sql(f"coalesce(({{}}), {row}.amount < 0, false)", known)


def _version_at_closing(selected: str, *, deal: str, closed_at: str, outcome: str) -> Sql:
    """A query for the first version `a` of a deal with a closing that held for any time, if there is one."""
    starts = "coalesce(a.valid_from, a.recorded_at)"
    return Sql(
        f"select {selected} from deal_version a where a.deal_id = {deal} and a.closed_at = {closed_at}"
        f" and a.outcome = {outcome} and (a.valid_to is null or a.valid_to > {starts}) order by {starts}, a.id limit 1"
    )


def _where_reached(request: ResolvedKpiRequest) -> Sql:
    reached = request.context.reach("deal", "deal")
    return Sql(" where {}", all_of(reached)) if reached else Sql("")
