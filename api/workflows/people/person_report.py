"""Everything that is held on a person, for the person or an authority that asks for it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson

from api.access.principal import Principal
from api.access.scope import reach_conditions
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.sql import Sql, all_of, name
from schema.access.rights import Permission, Right
from schema.tables import METADATA, SHAPES

_BY_RECORD = {"external_key": "record_id", "audit_event": "changed_id"}  # rows about a contact or one of its facts


async def person_report(session: ReadSession, principal: Principal, contact: UUID) -> str | None:
    """Return everything that is held on a person, as the text of a JSON object: rows by table, with all columns.

    The tables follow from the declarations: the contact and all that are merged with it, every table with a contact
    among its columns, history included, and the external keys, merges and audit of the contacts and their facts.
    Shapes: one contact -> one text; None if the principal does not reach the contact, or one that is merged with it.
    Errors: NOT_ALLOWED without the access level or the right PERSONAL_DATA.
    """
    principal.require(Permission.ERASE_PEOPLE)
    if not principal.has(Right.PERSONAL_DATA):
        message = "This needs the right PERSONAL_DATA, which you do not have."
        raise AccordError(ErrorCode.NOT_ALLOWED, message, "Ask an administrator for a credential with that right.")
    people = await _person(session, contact)
    reached = all_of([Sql("t.id = any({}::uuid[])", people), *reach_conditions("contact", "t", principal)])
    if not people or await session.value(Sql("select count(*) from contact t where {}", reached)) < len(people):
        return None
    report = {"contact": await _rows(session, "contact", Sql("t.id = any({}::uuid[])", people))}
    ids = set(people)
    for table, column in _tables_about_contacts():
        report[table] = await _rows(session, table, Sql("t.{} = any({}::uuid[])", name(column), people))
        ids |= {UUID(row["id"]) for row in report[table] if _is_fact(table)}
    for table, column in _BY_RECORD.items():
        report[table] = await _rows(session, table, Sql("t.{} = any({}::uuid[])", name(column), list(ids)))
    is_merged = Sql("t.record_id = any({}::uuid[]) or t.survivor_id = any({}::uuid[])", people, people)
    report["record_merge"] = await _rows(session, "record_merge", is_merged)
    return orjson.dumps({table: rows for table, rows in sorted(report.items()) if rows}).decode()


async def _person(session: ReadSession, contact: UUID) -> list[UUID]:
    """Return the ids of a contact and of all that are merged with it; empty if there is none."""
    return list(
        await session.value(
            Sql(
                "with recursive family (id) as (select id from contact where id = {}::uuid union"
                " select case when c.id = f.id then c.merged_into_id else c.id end from family f join contact c"
                " on (c.id = f.id and c.merged_into_id is not null) or c.merged_into_id = f.id)"
                " select coalesce(array_agg(id), '{{}}') from family",
                contact,
            )
        )
    )


def _tables_about_contacts() -> Iterator[tuple[str, str]]:
    """Yield the tables with a column that names the contact that a row is about, histories included."""
    for table in METADATA.sorted_tables:
        if "contact_id" in table.columns:
            yield str(table.name), "contact_id"  # SQLAlchemy's own kind of text is no key of a JSON object


def _is_fact(table: str) -> bool:
    """Return whether rows of a table have an id of their own, by which keys and audit name them."""
    return table in SHAPES and SHAPES[table].has_id


async def _rows(session: ReadSession, table: str, condition: Sql) -> list[Any]:
    return list(
        await session.value(
            Sql("select coalesce(json_agg(to_json(t)), '[]') from {} t where {}", name(table), condition)
        )
    )
