"""What the audit keeps of a change: the record's id, and the values before and after it.

The values of personal columns need the right PERSONAL_DATA, as in the records themselves: without it they are null.
"""

from functools import cache

from api.access.field_rights import personal_columns
from api.access.scoped_tables import ScopedTables, qualified
from api.outbox.record_changes import IDENTIFIED_BY
from api.sql import Sql, join
from schema.access.rights import Right
from schema.tables import SHAPES

AUDIT = "audit_event"


def audited_value(tables: ScopedTables, column: str, row: str) -> Sql:
    """Return what an event keeps in a column: `changed_id`, `before` or `after`.

    Shapes: alias of the event -> the id of the record, as text; or the values by the names of their columns, as jsonb,
            with null in place of those that the principal may not read. Then the column is in `tables.redacted`, too.
    """
    if column == "changed_id":
        return _record_id(row)
    values = qualified(row, column)
    if tables.principal.has(Right.PERSONAL_DATA):
        return values
    tables.redacted.add(f"{SHAPES[AUDIT].type_name}.values{column.capitalize()}")
    return Sql(
        "(select jsonb_object_agg(v.key, case when {} || '.' || v.key = any({}::text[]) then 'null'::jsonb"
        " else v.value end) from jsonb_each({}) v)",
        *(qualified(row, "record_type"), list(_personal()), values),
    )


def identified_type(row: str) -> Sql:
    """Return the table of the id that an event keeps: a role, which has no id, has that of its deal.

    Shapes: alias of the event -> the name of the table.
    """
    type_ = qualified(row, "record_type")
    tables = join(" ", (Sql("when {} then {}::text", it, table) for it, (_, table) in IDENTIFIED_BY.items()))
    return Sql("case {} {} else {} end", type_, tables, type_)


def _record_id(row: str) -> Sql:
    """The id of the record that an event is about; null if it is about many."""
    return Sql("{} || '_' || {}", identified_type(row), qualified(row, "changed_id"))


@cache
def _personal() -> tuple[str, ...]:
    return tuple(
        f"{shape.name}.{column}" for shape in SHAPES.values() for column in sorted(personal_columns(shape.name))
    )
