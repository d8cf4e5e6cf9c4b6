"""The tables by the names that GraphQL has for them and their columns."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from schema.tables import SHAPES

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]


def camel(snake: str) -> str:
    first, *rest = snake.split("_")
    return first + "".join(word.title() for word in rest)


VISIBLE = {shape.name: shape for shape in SHAPES.values() if not shape.is_hidden}
TYPES = {shape.type_name: table for table, shape in VISIBLE.items()}
COLUMNS = {table: {camel(each.name): each for each in shape.visible} for table, shape in VISIBLE.items()}
# What figures and groups are asked of: a link by the name of what it leads to.
NAMED = {
    table: {camel(each.link.name if each.link else each.name): each for each in shape.visible if each.name != "id"}
    for table, shape in VISIBLE.items()
}
KEYED = {
    table: {name: each for name, each in columns.items() if each.python is not Decimal}
    for table, columns in NAMED.items()
}
# By table and GraphQL name: the column and the table it names.
LINKS = {
    table: {camel(each.link.name): (each.name, each.link.target) for each in shape.visible if each.link is not None}
    for table, shape in VISIBLE.items()
}
# By table and GraphQL name: the table whose rows name this one, and by which column.
LISTS: dict[str, dict[str, tuple[str, str]]] = {table: {} for table in VISIBLE}
for _table, _shape in VISIBLE.items():
    for _link in _shape.links:
        LISTS[_link.target][_link.back] = (_table, _link.column)
# What tells rows of a table apart.
KEYS = dict.fromkeys(VISIBLE, ("id",)) | {
    "deal_contact": ("contact_id", "deal_id"),
    "stage_entry": ("contact_id", "stage", "occurrence"),
}
