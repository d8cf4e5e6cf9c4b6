"""The rows that questions about closed deals count: closings, and of each customer the first that was won."""

from api.identity.survivors import SURVIVORS
from api.metrics.entries import EVER, between
from api.metrics.ground import left_out
from api.metrics.periods import Stretch
from api.metrics.question import Question
from api.sql import Sql, all_of
from schema.kpis.kinds import Closings
from schema.vocab import DealOutcome

_COLUMNS = (
    "d.id as deal_id, {0}.closed_at as at, {0}.outcome, {0}.amount, {0}.currency, {0}.company_id, d.opened_at,"
    " d.updated_at"
)
BEGINS = "coalesce(h.valid_from, h.recorded_at)"  # of a deal's version `h`


def closing_rows(question: Question, of: Closings, within: Stretch | None = None) -> Sql:
    """One row a deal closed so, `deal_id, at, outcome, amount, currency …`: its last closing before `asOf`.

    What a deal is now tells it; where `asOf` is asked, and the deal was reopened or closed again since, its history.
    """
    outcomes = [outcome.value for outcome in of.outcomes]
    as_of, within = question.frame.as_of, within or question.frame.stretch
    now = all_of(
        [
            Sql("d.outcome = any ({}::text[])", outcomes),
            Sql("d.closed_at < {}", as_of),
            *between(Sql("d.closed_at"), within),
            *countable(question),
        ]
    )
    rows = Sql("select " + _COLUMNS.format("d") + " from deal d where {}", now)
    if not question.frame.is_past:
        return rows
    then = all_of(
        [
            Sql("d.closed_at is null or d.closed_at >= {}", as_of),
            Sql("h.outcome = any ({}::text[])", outcomes),
            Sql("h.closed_at < {}", as_of),
            *between(Sql("h.closed_at"), within),
            Sql(BEGINS + " < {} and h.valid_to >= {}", as_of, as_of),
            *countable(question),
        ]
    )
    return rows + Sql(
        " union all select " + _COLUMNS.format("h") + " from deal d join deal_version h on h.deal_id = d.id where {}",
        then,
    )


def closing_amounts(question: Question, of: Closings) -> Sql:
    """Closings with the amount and currency that the deal was closed with, whatever was written to it since.

    That is the deal's first version with this closing that held for any time; its own columns where it has none.
    """
    return Sql(
        "select k.deal_id, k.at, k.outcome, k.updated_at,"
        " case when a.id is null then k.amount else a.amount end as amount,"
        " case when a.id is null then k.currency else a.currency end as currency"
        " from ({}) k left join lateral (select h.id, h.amount, h.currency from deal_version h"
        " where h.deal_id = k.deal_id and h.closed_at = k.at and h.outcome = k.outcome"
        f" and (h.valid_to is null or h.valid_to > {BEGINS}) order by {BEGINS}, h.id limit 1) a on true",
        closing_rows(question, of),
    )


def first_wins(question: Question) -> Sql:
    """The first deal won of each customer, if that was in the period: `deal_id, at, customer, updated_at`.

    A deal's customer is its company; else that of its main contact at the closing; else that person; else itself.
    """
    won = closing_rows(question, Closings((DealOutcome.WON,)), EVER)
    main = (
        "select a.contact_id from deal_contact a where a.deal_id = k.deal_id and k.company_id is null"
        " order by a.is_primary desc, a.since nulls first, a.contact_id limit 1"
    )
    employed = (
        "select v.company_id from contact_version v where v.contact_id = p.contact_id"
        " and coalesce(v.valid_from, v.recorded_at) <= k.at and (v.valid_to is null or v.valid_to > k.at)"
    )
    person, survivors = Sql("p.contact_id"), Sql("")
    if question.ground.has_merged_people:
        person, survivors = Sql("coalesce(up.survivor_id, p.contact_id)"), _SURVIVORS
    named = Sql(
        "select k.deal_id, k.at, k.updated_at, coalesce(k.company_id, w.company_id, {}, k.deal_id) as customer"
        f" from ({{}}) k left join lateral ({main}) p on true left join lateral ({employed}) w on true{{}}",
        person,
        won,
        survivors,
    )
    first = Sql("select distinct on (n.customer) n.* from ({}) n order by n.customer, n.at, n.deal_id", named)
    return Sql("select w.* from ({}) w where {}", first, all_of(between(Sql("w.at"), question.frame.stretch)))


_SURVIVORS = Sql(" left join ({}) up on up.contact_id = p.contact_id", SURVIVORS)


def countable(question: Question) -> list[Sql]:
    """Deleted deals never count, nor those all of whose people the accord leaves out (a test's deal is a test)."""
    conditions = [Sql("d.deleted_at is null")]
    out = left_out(question.ground.accord)
    if out is not None:
        ours = Sql(
            "select a.deal_id from contact x join deal_contact a on a.contact_id = x.id where ({}) and not exists ("
            "select from deal_contact b join contact x on x.id = b.contact_id"
            " where b.deal_id = a.deal_id and not ({}))",
            out,
            out,
        )
        # Looked up in a hash: of such nested `not exists` the planner expects one row, and would compare each with all.
        conditions.append(Sql("d.id not in ({})", ours))
    return conditions
