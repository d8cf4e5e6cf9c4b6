"""Types of search results, derived from the tables with searched columns."""

from collections.abc import Iterator
from enum import Enum

from api.graph.declared import Declared, EnumType, EnumWord, ObjectType, Output, TypeRef, UnionType
from api.graph.derived.links import visible_shapes
from api.graph.derived.naming import camel
from api.graph.derived.record_types import PAGE_INFO, type_of_value
from schema.base import TableShape

SEARCH_RESULT, SEARCH_TYPE = "SearchResult", "SearchType"
SEARCH_CONNECTION, SEARCH_EDGE = "SearchResultConnection", "SearchResultEdge"


def searched_shapes() -> tuple[TableShape, ...]:
    """Return the tables that a search covers, in the default order of results of one rank."""
    return tuple(shape for shape in visible_shapes() if shape.searched)


def search_types() -> Iterator[Declared]:
    """Yield the types of search results."""
    shapes = searched_shapes()
    words = tuple(EnumWord(word.value, _fields(shape)) for word, shape in zip(_SearchType, shapes, strict=True))
    yield EnumType(SEARCH_TYPE, "The records that a search can find.", _SearchType, words)
    yield UnionType(
        SEARCH_RESULT, "A record that a search finds.", tuple(shape.type_name for shape in shapes), type_of_value
    )
    edges = TypeRef(SEARCH_EDGE).required.listed.required
    yield ObjectType(
        SEARCH_CONNECTION,
        "One page of the results of a search.",
        (
            Output("nodes", "The records on the page.", TypeRef(SEARCH_RESULT).required.listed.required),
            Output("edges", "The records on the page, with their cursors.", edges),
            Output("pageInfo", "The position of the page in the results.", TypeRef(PAGE_INFO).required),
            Output("totalCount", "The number of results, over all pages.", TypeRef("Int").required),
        ),
    )
    yield ObjectType(
        SEARCH_EDGE,
        "One result of a search, with its cursor.",
        (
            Output("cursor", "The position in the results, for `after`.", TypeRef("String").required),
            Output("node", "The record.", TypeRef(SEARCH_RESULT).required),
        ),
    )


def table_of(word: Enum) -> str:
    """Return the table that a value of `SearchType` names."""
    return str(word.value).lower()


def _fields(shape: TableShape) -> str:
    columns = ", ".join(f"`{camel(column)}`" for column in shape.searched)
    return f"{shape.doc} Searched: {columns}."


_SEARCHED = [(shape.name.upper(), shape.name.upper()) for shape in searched_shapes()]
_SearchType = Enum("_SearchType", _SEARCHED)  # type: ignore[misc]  # its members are derived
