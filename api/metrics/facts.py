"""Whose fact it is: touches, handoffs and reports of a merged contact are its survivor's."""

from api.identity.survivors import MERGED_INTO, SURVIVORS
from api.metrics.ground import never_counted
from api.metrics.question import Question
from api.sql import Sql, name


def person_of(question: Question, row: str) -> tuple[Sql, Sql]:
    """Whose fact the row is, and the join that tells it: it costs the index's order, so only if any were merged."""
    own = Sql("{}.contact_id", name(row))
    if not question.ground.has_merged_people:
        return own, Sql("")
    return (
        Sql("coalesce(mg.survivor_id, {})", own),
        Sql(" left join ({}) mg on mg.contact_id = {}", SURVIVORS, own),
    )


def who_count(question: Question, person: Sql) -> Sql:
    """That the person is not one of those who are never counted."""
    never = never_counted(question.ground.accord)
    return Sql("not exists (select from contact x where x.id = {} and ({}))", person, never)


def is_persons(question: Question, fact: str, row: str) -> tuple[Sql, Sql]:
    """Whether the fact is that of the person of the row, or of one merged into them, and the join that tells them."""
    fact_of, own = Sql("{}.contact_id", name(fact)), Sql("{}.contact_id", name(row))
    if not question.ground.has_merged_people:
        return Sql("{} = {}", fact_of, own), Sql("")
    merged = Sql(" left join ({}) mg on mg.survivor_id = {}", MERGED_INTO, own)
    return Sql("{} = any ({} || coalesce(mg.ids, '{{}}'::uuid[]))", fact_of, own), merged
