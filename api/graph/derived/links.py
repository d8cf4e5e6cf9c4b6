"""The links of a table in GraphQL: to one record by a foreign key, and back to the rows that refer to a record."""

from collections.abc import Iterator

from api.graph.derived.naming import camel
from schema.base import ColumnShape, TableShape
from schema.declarations import Link
from schema.tables import SHAPES


def visible_shapes() -> tuple[TableShape, ...]:
    """Return the tables that are part of the contract."""
    return tuple(shape for shape in SHAPES.values() if not shape.is_hidden)


def node_shapes() -> tuple[TableShape, ...]:
    """Return the tables whose rows have an id, so that their type is a Node."""
    return tuple(shape for shape in visible_shapes() if shape.has_id)


def links_of(shape: TableShape) -> dict[str, ColumnShape]:
    """Return the foreign key columns by the GraphQL name of their link."""
    return {camel(column.link.name): column for column in shape.visible if column.link is not None}


def link_of(column: ColumnShape) -> Link:
    """Return the link of a foreign key column. ValueError for any other column."""
    if column.link is None:
        raise ValueError(f"{column.name} is not a foreign key")
    return column.link


def lists_of(shape: TableShape) -> dict[str, tuple[TableShape, ColumnShape]]:
    """Return the tables that refer to this one and their foreign key columns, by the GraphQL name of the list."""
    return {link_of(column).back: (other, column) for other, column in _referring(shape)}


def _referring(shape: TableShape) -> Iterator[tuple[TableShape, ColumnShape]]:
    for other in visible_shapes():
        for column in other.visible:
            if column.link is not None and column.link.target == shape.name and column.link.back:
                yield other, column
