"""Fields of a row that are not columns: objects that are not records, such as money, and whether KPIs count the row."""

from collections.abc import Iterable, Mapping

from api.access.exclusions import IN_FORCE
from api.access.scoped_tables import ScopedTables, qualified
from api.plan.json_objects import NO_ROWS, Columns, select_objects
from api.plan.json_values import decimal_as_float
from api.plan.selection import Amount, ObjectMember, Typename
from api.sql import Sql, join, name
from schema.tables import SHAPES


def typename(part: Typename) -> Sql:
    """Return the name of a type as a constant.

    Shapes: selected field -> a text expression.
    """
    # Typed: in an object that is built by an aggregate, PostgreSQL could not infer the type of a plain literal.
    return Sql(f"text '{part.name}'")


def selected_members(parts: Iterable[ObjectMember | Typename], members: Mapping[str, Sql]) -> Columns:
    """Return the selected members of an object, given the expressions of all its members by name.

    Errors: KeyError for a member that the object does not have.
    """
    return [(part.key, typename(part) if isinstance(part, Typename) else members[part.name]) for part in parts]


def amount_members(value: Sql) -> dict[str, Sql]:
    """Return the members of an object of money that its amount decides, by name."""
    return {"amount": Sql("{}::text", value), "amountFloat": decimal_as_float(value)}


def amount(table: str, alias: str, selection: Amount) -> Sql:
    """Return a money column with its currency as an object; null if the amount is null.

    Errors: KeyError for an unknown table, column or member.
    """
    column = SHAPES[table].column(selection.column)
    members = amount_members(qualified(alias, column.name))
    if column.note.currency:
        members["currency"] = qualified(alias, column.note.currency)
    money = select_objects(selected_members(selection.parts, members), NO_ROWS)
    return Sql("case when {} is not null then ({}) end", qualified(alias, column.name), money)


def is_counted(tables: ScopedTables, table: str, alias: str, *, is_single: bool = False) -> Sql:
    """Return the condition that KPIs can count a row, by today's exclusions. `is_single`: for a few rows of a page.

    Errors: KeyError for a table that has no exclusions.
    """
    if tables.instant is None:
        return _is_counted(table, alias, is_single=is_single)
    current = tables.new_alias()
    counted = _is_counted(table, current, is_single=is_single)
    return Sql("exists (select{} and {})", _current_row(table, current, alias), counted)


def not_counted_because(tables: ScopedTables, table: str, alias: str) -> Sql:
    """Return the reasons why KPIs never count a row, by today's exclusions, as an array of text.

    Errors: KeyError for a table that has no exclusions.
    """
    if tables.instant is None:
        return _reasons(table, alias)
    current = tables.new_alias()
    return Sql("(select {}{})", _reasons(table, current), _current_row(table, current, alias))


def version_number(alias: str, column: str) -> Sql:
    """Return the number of the version of the accord that a column of a row refers to.

    Errors: ValueError if a name is not a plain SQL name.
    """
    # Versions are few and every principal may read their numbers, so the lookup has no scope.
    return Sql("(select agreed.number from accord_version agreed where agreed.id = {})", qualified(alias, column))


def _is_counted(table: str, row: str, *, is_single: bool) -> Sql:
    return Sql("not ({})", IN_FORCE.is_never_counted(table, row, is_single=is_single))


def _reasons(table: str, row: str) -> Sql:
    reasons = IN_FORCE.reasons(table, row, is_single=True).items()
    texts = join(", ", (Sql(f"case when {{}} then text '{reason}' end", condition) for reason, condition in reasons))
    return Sql("array_remove(array[{}], null)", texts)


def _current_row(table: str, current: str, alias: str) -> Sql:
    """Return the `from` clause of the current row of a record that was read as of an instant, within its scope."""
    is_same = Sql("{} = {}", qualified(current, "id"), qualified(alias, "id"))
    return Sql(" from {} {} where {}", name(table), name(current), is_same)
