"""Rows of time: how long people stayed in a stage, and how long they waited for a first touch of ours."""

from api.metrics.entries import counted_entries
from api.metrics.facts import is_persons
from api.metrics.question import Question
from api.sql import Sql
from schema.vocab import Skip


def stay_rows(question: Question) -> Sql:
    """One row an entry, `contact_id, at, is_implied, stage, rank, target_at` (its exit), `may_convert` (it is open)."""
    as_of = question.frame.as_of
    # Whose own facts came after the exit was not in the stage by them.
    was_in = Sql(" where c.exited_at is null or c.exited_at >= c.at") if question.skip is not Skip.IMPLIED else Sql("")
    return Sql(
        "select c.contact_id, c.at, c.is_implied, c.stage, c.rank,"
        " case when c.exited_at < {} then c.exited_at end as target_at,"
        " (c.exited_at < {}) is not true as may_convert from ({}) c{}",
        as_of,
        as_of,
        counted_entries(question, question.stages),
        was_in,
    )


def response_rows(question: Question) -> Sql:
    """One row an entry, `contact_id, at, is_implied, target_at` (our first touch by hand), `may_convert` (none yet)."""
    is_theirs, joined = is_persons(question, "t", "c")
    return Sql(
        "select c.contact_id, c.at, c.is_implied, t.at as target_at, t.at is null as may_convert"
        " from ({}) c{} cross join lateral (select min(t.occurred_at) as at from touchpoint t"
        " where {} and t.direction = 'OUTBOUND' and not t.is_automated and t.occurred_at >= c.at"
        " and t.occurred_at < {}) t",
        counted_entries(question, question.stages),
        joined,
        is_theirs,
        question.frame.as_of,
    )
