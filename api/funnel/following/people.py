"""People: contacts with all contacts that are merged with them, which are evaluated together."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from api.db import Session
from api.funnel.following.compiled_accord import CURRENT_EVALUATION, CurrentEvaluation, evaluation_of
from api.sql import Sql


@dataclass(frozen=True, slots=True)
class People:
    """All contacts of some people, and whether a contact among them was merged."""

    contacts: frozenset[UUID]
    has_merged: bool


def linked_contacts(contacts: Collection[UUID]) -> Sql:
    """Select some contacts and all that are merged with them, directly or through others.

    From every contact, merges lead to its survivor and to the contacts that were merged into it.

    Shapes: rows of id, and of whether a merge led to it; an id that was given and that a merge led to has two rows.
    """
    return Sql(
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
        list(contacts),
    )


_PEOPLE = "select array_agg(distinct id) as contacts, bool_or(is_linked) as has_merged from ({}) linked"


async def people_of(session: Session, contacts: Collection[UUID]) -> People:
    """Find the people of some contacts: the survivors, and all contacts that were merged into them."""
    return _people(await session.row(Sql(_PEOPLE, linked_contacts(contacts))))


async def evaluated_people(session: Session, contacts: Collection[UUID]) -> tuple[People, CurrentEvaluation | None]:
    """Find the people of some contacts, as `people_of` does, and the current evaluation, in one statement."""
    people = Sql(_PEOPLE, linked_contacts(contacts))
    row = await session.row(Sql("select * from ({}) people left join ({}) e on true", people, CURRENT_EVALUATION))
    return _people(row), await evaluation_of(session, row)


def _people(row: Record | None) -> People:
    if row is None:
        raise LookupError("an aggregate returns a row")
    return People(frozenset(row["contacts"] or ()), bool(row["has_merged"]))
