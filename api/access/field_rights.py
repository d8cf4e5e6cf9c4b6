"""The rights to tables and fields: what a principal may read of the records that it reaches.

- A field with personal data needs the right PERSONAL_DATA. Without it, the field is null in the statement itself, and
  the response lists it in `extensions.redacted`. It may not be used to filter, sort, group, aggregate or search: the
  answer would reveal the value.
- A table that declares a permission is read by access levels that have it, and by no others. Whether a record of the
  table exists makes no difference to the error.
"""

from functools import cache

from api.access.principal import Principal
from api.errors import AccordError, ErrorCode
from schema.access.rights import Right
from schema.tables import SHAPES


def may_read(principal: Principal, table: str, column: str) -> bool:
    """Return whether a principal may read a column of the rows that it reaches.

    Errors: KeyError for an unknown table.
    """
    return principal.has(Right.PERSONAL_DATA) or column not in personal_columns(table)


def require_table(principal: Principal, table: str) -> None:
    """Require that a principal may read a table at all.

    Errors: NOT_ALLOWED if the table needs a permission that the access level does not have; KeyError for an unknown
    table.
    """
    principal.require(SHAPES[table].permission)


@cache
def personal_columns(table: str) -> frozenset[str]:
    """Return the columns of a table that hold personal data. Errors: KeyError for an unknown table."""
    return frozenset(column.name for column in SHAPES[table].columns if column.note.personal)


@cache
def coordinate(table: str, column: str) -> str:
    """Return the name of a field in the contract, such as `Contact.firstName`.

    Errors: KeyError for an unknown table.
    """
    return f"{SHAPES[table].type_name}.{field_name(column)}"


def field_name(column: str) -> str:
    """Return the name of a column in GraphQL: `first_name` is `firstName`."""
    first, *rest = column.split("_")
    return first + "".join(word.capitalize() for word in rest)


def needs_personal_data(table: str, column: str, use: str) -> AccordError:
    """Return the error for a use of a field that the principal may not read, such as `sorts by`."""
    return AccordError(
        ErrorCode.NOT_ALLOWED,
        f"The request {use} `{coordinate(table, column)}`, which needs the right {Right.PERSONAL_DATA}.",
        "Leave the field out there, or ask an administrator for the right.",
    )
