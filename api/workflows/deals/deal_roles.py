"""The roles of people in one deal, as its verbs read and write them.

Facts of a merged contact are those of its survivor. So a person may have several rows in one deal: one of their own,
and those of the contacts that were merged into them.
"""

from collections.abc import Mapping
from uuid import UUID

from api.sql import Sql, join, name
from api.workflows.records.stored_rows import StoredRow, merged_ids
from api.workflows.unit_of_work import UnitOfWork
from schema.tables import SHAPES
from schema.writes.changes import ChangeType

TABLE = "deal_contact"
_COLUMNS = Sql.from_parts((", ".join(column.name for column in SHAPES[TABLE].columns),))


async def lock_roles(work: UnitOfWork, deal_id: UUID) -> list[StoredRow]:
    """Return the roles of all people in a deal, locked, without the voided ones. The deal itself is locked before."""
    rows = await work.session.rows(
        Sql(
            "select {} from deal_contact where deal_id = {}::uuid and voided_at is null order by contact_id for update",
            *(_COLUMNS, deal_id),
        )
    )
    return [dict(row) for row in rows]


async def roles_of_person(work: UnitOfWork, roles: list[StoredRow], contact_id: UUID) -> list[StoredRow]:
    """Return those of a deal's roles that a person has, their own row first."""
    ids = await merged_ids(work, "contact", contact_id)
    own = [role for role in roles if role["contact_id"] in ids]
    return sorted(own, key=lambda role: (role["contact_id"] != contact_id, role["contact_id"]))


async def insert_role(work: UnitOfWork, values: Mapping[str, object]) -> None:
    """Insert a role. The voided role of the same contact, if there is one, is replaced."""
    columns = [name(column) for column in values]
    replaced = join(", ", (Sql("{} = excluded.{}", column, column) for column in (*columns, name("voided_at"))))
    await work.session.run(
        Sql(
            "insert into deal_contact ({}) values ({}) on conflict (contact_id, deal_id) do update set {}",
            *(join(", ", columns), join(", ", (Sql("{}", value) for value in values.values())), replaced),
        )
    )
    _record(work, ChangeType.CREATED, values, {}, {column: it for column, it in values.items() if it is not None})


async def update_role(work: UnitOfWork, role: StoredRow, changed: Mapping[str, object], change: ChangeType) -> None:
    """Write what differs of a locked role."""
    assigned = join(", ", (Sql("{} = {}", name(column), value) for column, value in changed.items()))
    await work.session.run(
        Sql(
            "update deal_contact set {} where contact_id = {} and deal_id = {}",
            *(assigned, role["contact_id"], role["deal_id"]),
        )
    )
    _record(work, change, role, {column: role[column] for column in changed}, changed)


def _record(
    work: UnitOfWork,
    change: ChangeType,
    role: Mapping[str, object],
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    """Record the change of a role. It has no id of its own: it is named by its deal and its contact."""
    deal_id, contact_id = role["deal_id"], role["contact_id"]
    if not isinstance(deal_id, UUID) or not isinstance(contact_id, UUID):
        raise TypeError("a role has a deal and a contact")
    work.record(change, TABLE, deal_id, before=before, after=after, contact_id=contact_id)
