"""The rows that questions about handoffs count: decisions of sales, or everything that was handed over."""

from api.metrics.entries import between
from api.metrics.facts import person_of, who_count
from api.metrics.question import Question
from api.sql import Sql, all_of
from schema.kpis.kinds import Decisions
from schema.vocab import Anchor

_STATUS, _REASON = Sql("h.status"), Sql("h.reject_reason")


def handoff_rows(question: Question, of: Decisions) -> Sql:
    """One row a handoff, `contact_id, handoff_id, at, status, reject_reason`; nulls until it is decided.

    PERIOD: at its decision, if it is one of these. COHORT: at the handing over, whatever came of it.
    """
    as_of, within = question.frame.as_of, question.frame.stretch
    decided = Sql("h.status = any ({}::text[]) and h.decided_at < {}", [each.value for each in of.statuses], as_of)
    person, joined = person_of(question, "h")
    if question.anchor is Anchor.COHORT:
        at, conditions = Sql("h.handed_at"), [Sql("h.handed_at < {}", as_of)]
        status, reason = (Sql("case when {} then {} end", decided, each) for each in (_STATUS, _REASON))
    else:
        at, conditions, status, reason = Sql("h.decided_at"), [decided], _STATUS, _REASON
    return Sql(
        "select {} as contact_id, h.id as handoff_id, {} as at, {} as status, {} as reject_reason from handoff h{}"
        " where {}",
        person,
        at,
        status,
        reason,
        joined,
        all_of([*conditions, *between(at, within), who_count(question, person)]),
    )
