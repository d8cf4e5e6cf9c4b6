"""The links of a table as its type shows them: to one record, and back from the rows that name this one."""

from collections.abc import Iterator

from api.graph.derived.naming import camel
from schema.base import ColumnShape, Link, TableShape
from schema.tables import SHAPES


def visible_shapes() -> tuple[TableShape, ...]:
    """The tables that GraphQL shows."""
    return tuple(shape for shape in SHAPES.values() if not shape.is_hidden)


def links_of(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns that link to one other record, by the link's GraphQL name."""
    return {camel(column.link.name): column for column in shape.visible if column.link is not None}


def link_of(column: ColumnShape) -> Link:
    """The link of a column that has one."""
    if column.link is None:
        raise ValueError(f"{column.name} is no link")
    return column.link


def lists_of(shape: TableShape) -> dict[str, tuple[TableShape, ColumnShape]]:
    """The tables whose rows name a row of this one, each with the column that does, by the list's GraphQL name."""
    return {link_of(column).back: (other, column) for other, column in _naming(shape)}


def _naming(shape: TableShape) -> Iterator[tuple[TableShape, ColumnShape]]:
    for other in visible_shapes():
        for column in other.visible:
            if column.link is not None and column.link.target == shape.name and column.link.back:
                yield other, column
