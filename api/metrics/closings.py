"""The rows that questions about deals count: closings."""

from api.metrics.entries import between
from api.metrics.ground import left_out
from api.metrics.question import Question
from api.sql import Sql, all_of
from schema.kpis.kinds import Closings

_COLUMNS = "d.id as deal_id, {0}.closed_at as at, {0}.outcome, {0}.amount, {0}.currency, d.updated_at"


def closing_rows(question: Question, of: Closings) -> Sql:
    """One row a deal closed so, `deal_id, at, outcome, amount, currency, updated_at`: its last closing before `asOf`.

    What a deal is now tells it; where `asOf` is asked, and the deal was reopened or closed again since, its history.
    """
    outcomes = [outcome.value for outcome in of.outcomes]
    as_of, within = question.frame.as_of, question.frame.stretch
    now = all_of(
        [
            Sql("d.outcome = any ({}::text[])", outcomes),
            Sql("d.closed_at < {}", as_of),
            *between(Sql("d.closed_at"), within),
            *_countable(question),
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
            Sql("coalesce(h.valid_from, h.recorded_at) < {} and h.valid_to >= {}", as_of, as_of),
            *_countable(question),
        ]
    )
    return rows + Sql(
        " union all select " + _COLUMNS.format("h") + " from deal d join deal_version h on h.deal_id = d.id where {}",
        then,
    )


def _countable(question: Question) -> list[Sql]:
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
        conditions.append(Sql("not exists (select from ({}) o where o.deal_id = d.id)", ours))
    return conditions
