"""Labels of records: the names by which people recognise them in a list."""

from collections.abc import Sequence
from uuid import UUID

from api.access.principal import Principal
from api.access.scope import MEMBER_PARAMETER
from api.access.scoped_tables import ScopedTables
from api.db import ReadSession
from api.sql import Sql
from schema.tables import SHAPES

_PERSON = "coalesce(nullif(concat_ws(' ', {0}.first_name, {0}.last_name), ''), {0}.email)"


async def record_labels(
    session: ReadSession, who: Principal, table: str, ids: Sequence[UUID]
) -> dict[UUID, str | None]:
    """The labels of records that are visible to the principal; None for a record without any name.

    A contact is called by its name or else its e-mail address, a deal by its name or else its company's, any other
    record by its name, and a record without a `name` column by its contact. A principal that may not read the names of
    contacts has no labels for them.

    Shapes: n ids of one table -> at most n labels. Reads one statement.
    """
    tables = ScopedTables(who)
    rows = tables.from_clause(table, "r", Sql("r.id = any ({})", ids), with_merged=True)
    statement = Sql("select json_object_agg(r.id, {}){}", _label(tables, table), rows)
    # One JSON value, because only `value` fills the slot of the principal's member.
    labels: dict[str, str | None] = await session.value(statement, {MEMBER_PARAMETER: who.member_id}) or {}
    return {UUID(record): label for record, label in labels.items()}


def _label(tables: ScopedTables, table: str) -> Sql:
    """The label of the row `r`. Linked records are scalar sub-selects, so that their own scope applies to them."""
    if table == "contact":
        return _person(tables, "r")
    if table == "deal":
        company = tables.from_clause("company", "o", Sql("o.id = r.company_id"), with_merged=True)
        return Sql("coalesce(r.name, (select o.name{}))", company)
    if "name" in {column.name for column in SHAPES[table].columns}:
        return Sql("r.name")
    contact = tables.from_clause("contact", "x", Sql("x.id = r.contact_id"), with_merged=True)
    return Sql("(select {}{})", _person(tables, "x"), contact)


def _person(tables: ScopedTables, alias: str) -> Sql:
    """The label of a row of `contact`."""
    if any(tables.withholds("contact", column) for column in ("first_name", "last_name", "email")):
        return Sql("null::text")
    return Sql(_PERSON.format(alias))
