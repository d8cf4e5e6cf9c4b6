"""Aggregates of the rows that refer to a record, such as the instant of a person's last touchpoint."""

from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from hashlib import sha256

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.aggregate_functions import aggregate
from api.plan.list_arguments import ListAggregate
from api.plan.money.converted_amounts import converted_amount
from api.sql import Parameter, Sql
from schema.base import ColumnShape
from schema.declarations import ColumnNote
from schema.tables import SHAPES

VALUE = "value"  # the name of the only column of the source of an aggregate

_COUNT = ColumnShape(
    VALUE, int, is_nullable=False, is_key=False, has_default=False, note=ColumnNote("The number of rows."), link=None
)


def aggregate_shape(value: ListAggregate) -> ColumnShape:
    """Return the declaration of an aggregate: its type, and whether it can be null. Errors: KeyError."""
    column = _column(value)
    if column is None:
        return _COUNT
    python = Decimal if value.call.function in ("sum", "avg") else column.python
    return replace(column, name=VALUE, python=python, is_nullable=True, is_key=False, link=None)


def aggregate_expression(tables: ScopedTables, value: ListAggregate, alias: str) -> Sql:
    """Return an aggregate over the rows known as `alias`.

    Shapes: aggregate -> an aggregate expression. Errors: NOT_ALLOWED for a column that the principal may not read;
    KeyError for an unknown one; ValueError for money that is not converted, because it may be in several currencies.
    """
    column = _column(value)
    if column is None:
        return aggregate(value.call, None, alias, Sql(""))
    tables.require(value.table, column.name, "aggregates")
    if value.call.is_converted:
        return aggregate(value.call, column, alias, converted_amount(tables, value.table, column.name, alias))
    if column.note.currency is not None:
        raise ValueError(f"{value.table}.{column.name} is money")
    return aggregate(value.call, column, alias, qualified(alias, column.name))


def aggregate_name(value: ListAggregate) -> str:
    """Return a name of an aggregate, with a digest of its filter: aggregates of different rows have different names.

    Errors: TypeError if a value of the filter is known only at the execution. Cursors would not match it.
    """
    column = f"{value.call.column or ''}{'.converted' if value.call.is_converted else ''}"
    names = f"{value.table}.{value.column}.{value.call.function}({column})"
    if value.where is None:
        return names
    if _has_parameter(value.where):
        raise TypeError(f"the filter of {names} has a parameter")
    return f"{names}[{sha256(repr(value.where).encode()).hexdigest()[:16]}]"


def _has_parameter(node: object) -> bool:
    if isinstance(node, tuple):
        return any(map(_has_parameter, node))
    if isinstance(node, Parameter):
        return True
    return is_dataclass(node) and any(_has_parameter(getattr(node, field.name)) for field in fields(node))


def _column(value: ListAggregate) -> ColumnShape | None:
    return None if value.call.column is None else SHAPES[value.table].column(value.call.column)
