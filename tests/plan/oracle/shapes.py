"""The visible tables, columns, links and lists, by their GraphQL names."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from schema.base import ColumnShape
from schema.tables import SHAPES

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]


def camel(snake: str) -> str:
    first, *rest = snake.split("_")
    return first + "".join(word.title() for word in rest)


def _is_aggregated(column: ColumnShape, pythons: Sequence[type]) -> bool:
    return column.python in pythons and column.note.currency is None and column.link is None


VISIBLE = {shape.name: shape for shape in SHAPES.values() if not shape.is_hidden}
TYPES = {shape.type_name: table for table, shape in VISIBLE.items()}
COLUMNS = {table: {camel(column.name): column for column in shape.visible} for table, shape in VISIBLE.items()}
# The columns of aggregates and groups; a foreign key has the name of its link.
AGGREGATED = {
    table: {
        camel(column.link.name if column.link else column.name): column
        for column in shape.visible
        if column.name != "id"
    }
    for table, shape in VISIBLE.items()
}
# The columns of stage entries that the parts of a present stage are compared like.
STAGE_PARTS = {"key": "stage", "since": "enteredAt", "rank": "rank", "occurrence": "occurrence", "group": "stage"}
MERGED = ("contact", "company")  # the tables whose records can be merged
MERGED_LISTS = ("mergedContacts", "mergedCompanies")
COUNTED = ("contact", "company", "deal")  # the tables with the field isCounted
# The columns that rows can be grouped by.
GROUPING_KEYS = {
    table: {name: column for name, column in columns.items() if column.python is not Decimal}
    for table, columns in AGGREGATED.items()
}
# The columns with money, by the name of their amounts in the reporting currency.
CONVERTED = {
    table: {f"{camel(column.name)}Converted": column for column in shape.visible if column.note.currency}
    for table, shape in VISIBLE.items()
}
# By table and GraphQL name: the foreign key and the table that it names.
LINKS = {
    table: {camel(column.link.name): (column.name, column.link.target) for column in shape.visible if column.link}
    for table, shape in VISIBLE.items()
}
# By table and GraphQL name: the table whose rows name a record of this table, and their foreign key.
LISTS: dict[str, dict[str, tuple[str, str]]] = {table: {} for table in VISIBLE}
for _table, _shape in VISIBLE.items():
    for _link in _shape.links:
        if _link.back:
            LISTS[_link.target][_link.back] = (_table, _link.column)
# The columns that identify a visible row.
KEYS = dict.fromkeys(VISIBLE, ("id",)) | {
    "deal_contact": ("contact_id", "deal_id"),
    "stage_entry": ("contact_id", "stage", "occurrence"),
}
# By table: the columns with an aggregate by which records are filtered and sorted, by function.
LISTED_AGGREGATES: dict[str, dict[str, dict[str, ColumnShape]]] = {
    table: {
        function: {name: column for name, column in columns.items() if _is_aggregated(column, pythons)}
        | CONVERTED[table]
        for function, pythons in {
            "sum": (int, Decimal),
            "avg": (int, Decimal),
            "min": (int, Decimal, date, datetime),
            "max": (int, Decimal, date, datetime),
        }.items()
    }
    for table, columns in COLUMNS.items()
}
