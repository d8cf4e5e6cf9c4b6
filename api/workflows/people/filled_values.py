"""The values that a survivor takes from the records that are merged into it."""

from collections.abc import Iterator

from api.workflows.records.record_input import settable_columns
from api.workflows.records.stored_rows import StoredRow
from schema.base import TableShape

Filled = dict[str, tuple[object, object]]
"""The former and the new value of the survivor, by column."""


def values_to_take(shape: TableShape, survivor: StoredRow, row: StoredRow) -> Filled:
    """Return what a survivor takes from a record that is merged into it.

    It keeps its values, and takes those that it does not have. A flag, such as that of an opt-out, holds if either has
    it. A link to a record of the same table, such as a parent company, is decided by `parent_after_merge`.
    Shapes: two rows -> the former and the new value by column.
    """
    columns = set(_taken(shape, survivor, row))
    # What is computed from a value, such as the kind of an address, comes with it.
    columns |= {column.name for column in shape.columns if column.note.written_by in columns}
    return {column: (survivor[column], row[column]) for column in sorted(columns) if survivor[column] != row[column]}


def _taken(shape: TableShape, survivor: StoredRow, row: StoredRow) -> Iterator[str]:
    amounts = {column.note.currency: column.name for column in shape.columns if column.note.currency is not None}
    for column in settable_columns(shape, is_new=False).values():
        old, new = survivor[column.name], row[column.name]
        if column.link is not None and column.link.target == shape.name:
            continue
        if column.name in amounts and survivor[amounts[column.name]] is not None:
            continue  # the currency of one amount says nothing about another amount
        if (new and not old) if column.python is bool else (old is None and new is not None):
            yield column.name
