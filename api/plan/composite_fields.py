"""Fields of a row that are objects but not records, such as money."""

from collections.abc import Iterable, Mapping

from api.access.scoped_tables import qualified
from api.plan.json_objects import NO_ROWS, Columns, select_objects
from api.plan.json_values import decimal_as_float
from api.plan.selection import Amount, ObjectMember, Typename
from api.sql import Sql
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
