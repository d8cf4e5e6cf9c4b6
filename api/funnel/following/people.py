"""People: contacts with all contacts that are merged with them, which are evaluated together."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from api.db import Session
from api.funnel.following.compiled_accord import CURRENT_EVALUATION, CurrentEvaluation, evaluation_of
from api.sql import Parameter, Sql, Statement


@dataclass(frozen=True, slots=True)
class People:
    """All contacts of some people, and whether a contact among them was merged."""

    contacts: frozenset[UUID]
    has_merged: bool


# Some contacts, the parameter, and all that are merged with them, directly or through others: from every contact,
# merges lead to its survivor and to the contacts that were merged into it. Rows of id, and of whether a merge led to
# it; an id that was given and that a merge led to has two rows.
LINKED_CONTACTS = Sql(
    """with recursive linked (id, is_linked) as (
  select unnest({}::uuid[]), false
  union
  select next.id, true from linked cross join lateral (
    select merged_into_id as id from contact where id = linked.id and merged_into_id is not null
    union all
    select id from contact where merged_into_id = linked.id
  ) next
)
select id, is_linked from linked""",
    Parameter("contacts"),
)
_PEOPLE = Sql(
    "select array_agg(distinct id) as contacts, bool_or(is_linked) as has_merged from ({}) linked", LINKED_CONTACTS
)
_READ_PEOPLE = Statement.of(_PEOPLE)
_READ_EVALUATED_PEOPLE = Statement.of(
    Sql("select * from ({}) people left join ({}) e on true", _PEOPLE, CURRENT_EVALUATION)
)


async def people_of(session: Session, contacts: Collection[UUID]) -> People:
    """Find the people of some contacts: the survivors, and all contacts that were merged into them."""
    return _people(await session.row(_READ_PEOPLE, {"contacts": list(contacts)}))


async def evaluated_people(session: Session, contacts: Collection[UUID]) -> tuple[People, CurrentEvaluation | None]:
    """Find the people of some contacts, as `people_of` does, and the current evaluation, in one statement."""
    row = await session.row(_READ_EVALUATED_PEOPLE, {"contacts": list(contacts)})
    return _people(row), await evaluation_of(session, row)


def _people(row: Record | None) -> People:
    if row is None:
        raise LookupError("an aggregate returns a row")
    return People(frozenset(row["contacts"] or ()), bool(row["has_merged"]))
