"""People: contacts with all contacts that are merged with them, which are evaluated together."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from api.db import Session
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


async def people_of(session: Session, contacts: Collection[UUID]) -> People:
    """Find the people of some contacts: the survivors, and all contacts that were merged into them."""
    rows = await session.rows(linked_contacts(contacts))
    return People(frozenset(row["id"] for row in rows), any(row["is_linked"] for row in rows))
