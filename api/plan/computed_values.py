"""Values of a row that are not columns of its table, such as the present stage of a contact, or an aggregate of a list.

Each comes from a source: a subquery that refers to the row and returns one row or none. Values of one source share it.
"""

from dataclasses import replace

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.conditions import aggregated_rows
from api.plan.list_aggregates import VALUE, aggregate_expression, aggregate_name, aggregate_shape
from api.plan.list_arguments import (
    ComputedValue,
    ConvertedAmount,
    ListAggregate,
    PresentStageColumn,
    VocabularyPosition,
)
from api.plan.money.converted_amounts import converted_amount
from api.plan.present_stage import present_entry
from api.plan.ranks import position_in
from api.sql import Sql, name
from schema.base import ColumnShape
from schema.tables import SHAPES


def value_shape(value: ComputedValue) -> ColumnShape:
    """Return the declaration of the column of the source that holds a value: its name and type.

    Errors: KeyError for an unknown column.
    """
    match value:
        case PresentStageColumn(column=column):
            return SHAPES["stage_entry"].column(column)
        case ListAggregate():
            return aggregate_shape(value)
        case ConvertedAmount(table, column):
            return SHAPES[table].column(column)
        case VocabularyPosition(table, column):
            shape = SHAPES[table].column(column)
            return replace(shape, python=int, note=replace(shape.note, vocab=None))


def source_name(value: ComputedValue) -> str:
    """Return the name of the source of a value. Values with equal names come from the same source.

    A name is part of the cursors of a list that is sorted by the value, so it has to stay the same.
    """
    match value:
        case PresentStageColumn():
            return "stage()"
        case ListAggregate():
            return aggregate_name(value)
        case ConvertedAmount(column=column):
            return f"{column}.converted()"
        case VocabularyPosition(column=column):
            return f"{column}.position()"


def source_rows(tables: ScopedTables, value: ComputedValue, row: str) -> Sql:
    """Return the source of a value for the row with the alias `row`.

    Shapes: -> `select …`, a query of one row at most, with a column as `value_shape` declares it.
    """
    match value:
        case PresentStageColumn():
            entry = tables.new_alias()
            return Sql("select {}.*{}", name(entry), present_entry(tables, row, entry))
        case ListAggregate():
            listed = tables.new_alias()
            rows = aggregated_rows(tables, value, listed, row)
            selected = Sql("select {} as {}{}", aggregate_expression(tables, value, listed), name(VALUE), rows)
            # An aggregate returns a row even if there is no record that its rows could refer to, because the row is
            # that of a link: then the value is null, and not a count of 0.
            return selected + Sql(" having {} is not null", qualified(row, "id"))
        case ConvertedAmount(table, column):
            return Sql("select {} as {}", converted_amount(tables, table, column, row), name(column))
        case VocabularyPosition(table, column):
            words = SHAPES[table].column(column).note.vocab
            if words is None:
                raise ValueError(f"{table}.{column} has no vocabulary")
            return Sql("select {} as {}", position_in(words, qualified(row, column)), name(column))
