"""What a merge changes in other tables, and how that is undone.

Facts about a person stay with the contact that they name, and are read under its survivor. A company is an attribute
of contacts, deals and subsidiaries, which has a history: those of the merged company get the survivor, from now on.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from api.access.scope import MERGED_INTO
from api.errors import AccordError, ErrorCode
from api.sql import Sql, name
from api.workflows.records.row_writer import RowUpdate, update_rows
from api.workflows.records.stored_rows import merged_ids
from api.workflows.unit_of_work import UnitOfWork
from schema.tables import SHAPES
from schema.writes.changes import ChangeType

MAX_MOVED = 10_000
_PRIMARY_ROLES = "deal_contact.is_primary"
Moved = Mapping[str, Sequence[Any]]
"""The ids of changed rows by `table.column`; of roles the ids of contact and deal."""


async def move_rows(work: UnitOfWork, table: str, merged: UUID, survivor: UUID) -> Moved:
    """Change what refers to a record that is merged into another one.

    Of several primary roles of one person in a deal, only the survivor's stays primary.
    Shapes: two ids -> the ids of the changed rows, by `table.column`.
    Errors: TOO_LARGE if more than `MAX_MOVED` rows of a table name the record.
    """
    if table == "contact":
        roles = await _end_second_primary_roles(work, merged, survivor)
        return {_PRIMARY_ROLES: roles} if roles else {}
    moved: dict[str, Sequence[Any]] = {}
    for other, column in _links_to(table):
        ids = await _rename(work, (other, column), merged, survivor)
        if ids:
            moved[f"{other}.{column}"] = [str(id_) for id_ in ids]
    return moved


async def move_rows_back(work: UnitOfWork, moved: Moved, merged: UUID, survivor: UUID) -> None:
    """Change rows back that still are as the merge left them."""
    for place, ids in moved.items():
        other, _, column = place.partition(".")
        if place == _PRIMARY_ROLES:
            await _set_primary(work, [(UUID(contact), UUID(deal)) for contact, deal in ids], is_primary=True)
        else:
            await _rename(work, (other, column), survivor, merged, [UUID(id_) for id_ in ids])


def _links_to(table: str) -> Iterator[tuple[str, str]]:
    """Yield the links of records to a table, except those of merges."""
    for shape in SHAPES.values():
        for column in shape.columns:
            is_link = column.link is not None and column.link.target == table
            if is_link and shape.has_history and column.name != MERGED_INTO:
                yield shape.name, column.name


async def _rename(
    work: UnitOfWork, link: tuple[str, str], former: UUID, new: UUID, among: Sequence[UUID] | None = None
) -> list[UUID]:
    """Let the rows that name one record name another one. Return their ids."""
    table, column = link
    is_among = Sql("") if among is None else Sql(" and id = any({}::uuid[])", list(among))
    rows = await work.session.rows(
        Sql(
            "select id from {} where {} = {}::uuid and id <> {}::uuid{} order by id limit {}::int for no key update",
            *(name(table), name(column), former, new, is_among, MAX_MOVED + 1),
        )
    )
    if len(rows) > MAX_MOVED:
        raise AccordError(
            ErrorCode.TOO_LARGE,
            f"More than {MAX_MOVED:,} rows of {table} name the record.",
            "Merge the other way round: the record that fewer rows name into the one that more rows name.",
        )
    ids: list[UUID] = [row["id"] for row in rows]
    if ids:
        await update_rows(work, table, [RowUpdate({"id": id_, column: former}, {column: new}) for id_ in ids])
    return ids


async def _end_second_primary_roles(work: UnitOfWork, merged: UUID, survivor: UUID) -> list[list[str]]:
    """End the primary roles of a merged contact in deals in which its survivor has one, too."""
    rows = await work.session.rows(
        Sql(
            "select r.contact_id, r.deal_id from deal_contact r where r.is_primary and r.voided_at is null"
            " and r.contact_id = any({}::uuid[])"
            " and exists (select from deal_contact o where o.deal_id = r.deal_id and o.is_primary"
            " and o.voided_at is null and o.contact_id = any({}::uuid[]))"
            " order by r.deal_id, r.contact_id for no key update of r",
            *(await merged_ids(work, "contact", merged), await merged_ids(work, "contact", survivor)),
        )
    )
    roles = [(row["contact_id"], row["deal_id"]) for row in rows]
    await _set_primary(work, roles, is_primary=False)
    return [[str(contact), str(deal)] for contact, deal in roles]


async def _set_primary(work: UnitOfWork, roles: Sequence[tuple[UUID, UUID]], *, is_primary: bool) -> None:
    if not roles:
        return
    rows = await work.session.rows(
        Sql(
            "update deal_contact r set is_primary = {}::boolean from unnest({}::uuid[], {}::uuid[])"
            " as v (contact_id, deal_id) where r.contact_id = v.contact_id and r.deal_id = v.deal_id"
            " and r.is_primary <> {}::boolean returning r.contact_id, r.deal_id",
            *(is_primary, [contact for contact, _ in roles], [deal for _, deal in roles], is_primary),
        )
    )
    for row in rows:
        work.record(
            ChangeType.CHANGED,
            "deal_contact",
            row["deal_id"],
            before={"is_primary": not is_primary},
            after={"is_primary": is_primary},
            contact_id=row["contact_id"],
        )
