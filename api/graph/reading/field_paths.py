"""Fields of records by their paths, such as `email` and `owner.name`: what a list selects, without a document."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from graphql import FieldNode, GraphQLSchema, NameNode, SelectionSetNode
from graphql.execution.values import VariableValues

from api.access.principal import Principal
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.graph.declared import Declared, ObjectType, Output
from api.graph.derived.float_fields import with_float_fields
from api.graph.derived.record_types import record_types
from api.graph.reading.field_collector import FieldCollector
from api.graph.reading.selection_reader import SelectionReader
from api.graph.sources import FromBack
from api.plan.list_arguments import page_of_ids
from api.plan.prepared_statements import read_selection
from api.plan.selection import ColumnValue, Connection, Edges, Field, Nodes
from schema.nearest_words import suggestion
from schema.tables import SHAPES

Tree = dict[str, "Tree"]  # the selected fields by name, each with the fields selected of it


@dataclass(frozen=True, slots=True)
class FieldPaths:
    """Fields of the records of a table: their paths, each once, and what the planner reads for them."""

    table: str
    paths: tuple[str, ...]
    fields: tuple[Field, ...]

    async def read(self, session: ReadSession, who: Principal, ids: Iterable[UUID]) -> dict[UUID, Mapping[str, object]]:
        """Read the fields of records, by id, as GraphQL nests them. A record that is not visible is not among them.

        A field that the principal may not read is null.

        Shapes: n ids -> one statement -> at most n objects.
        """
        wanted = tuple(set(ids))
        if not wanted:
            return {}
        edges = Edges("edges", (Nodes("id", (ColumnValue("id", "id"),)), Nodes("row", self.fields)))
        rows = page_of_ids(wanted, with_merged=False)
        read = await read_selection(session, Connection(self.table, rows, (edges,)), who)
        found: Any = read.value
        by_id = {edge["id"]["id"]: edge["row"] for edge in found["edges"]}
        return {id_: by_id[key] for id_ in wanted if (key := f"{self.table}_{id_}") in by_id}

    def values(self, row: Mapping[str, object]) -> tuple[object, ...]:
        """The values of one record, by path; null where a link on the way leads to no record."""
        return tuple(_value(row, path) for path in self.paths)


def read_field_paths(table: str, paths: Iterable[str]) -> FieldPaths:
    """Return the fields of a table's records that paths of GraphQL names lead to, through links to one record.

    Shapes: `("email", "owner.name")` -> the fields of one ToOne and one column.
    Errors: BAD_INPUT for a field that its type does not have, with the nearest; for a path that ends before a value, or
    leads through a list.
    """
    tree: Tree = {}
    unique = tuple(dict.fromkeys(path.strip() for path in paths))
    for path in unique:
        _check(path, SHAPES[table].type_name)
        branch = tree
        for name in path.split("."):
            branch = branch.setdefault(name, {})
    # No document, so no fragments, variables or arguments: the collector never looks into its schema.
    reader = SelectionReader(FieldCollector(GraphQLSchema(), {}, VariableValues({}, {})), _types())
    return FieldPaths(table, unique, reader.record([_node(table, tree)], table))


@cache
def _types() -> Mapping[str, Declared]:
    return {declared.name: declared for declared in map(with_float_fields, record_types())}


def _check(path: str, type_name: str) -> None:
    """Require that a path leads to a value. Errors: BAD_INPUT."""
    *links, last = path.split(".")
    for name in links:
        field = _field(path, type_name, name)
        type_name = field.type.name
        if not isinstance(_types().get(type_name), ObjectType):
            raise _bad(f"'{path}' is not a field: {name} is a value and has no fields.", f"Write {name} alone.")
    inner = _field(path, type_name, last).type.name
    if isinstance(_types().get(inner), ObjectType):
        message = f"'{path}' is no value: it has fields of its own."
        raise _bad(message, f"Name one of them, such as {path}.{_some_value(inner)}.")


def _field(path: str, type_name: str, name: str) -> Output:
    """The field of a type. Errors: BAD_INPUT if there is none, or it is a list of records."""
    declared = _types()[type_name]
    fields = {field.name: field for field in declared.fields} if isinstance(declared, ObjectType) else {}
    single = [field.name for field in fields.values() if not isinstance(field.source, FromBack)]
    if name not in fields:
        remedy = suggestion(name, single, f"fields of {type_name}")
        raise _bad(f"'{path}' is not a field: {type_name} has no field '{name}'.", remedy)
    if name not in single:
        raise _bad(f"'{path}' is no value: {name} is a list of records.", "Use fields that have one value.")
    return fields[name]


def _some_value(type_name: str) -> str:
    """The field to show as an example of those of an object."""
    declared = _types()[type_name]
    names = [field.name for field in declared.fields] if isinstance(declared, ObjectType) else []
    return next((name for name in ("name", "title", "amount") if name in names), names[0])


def _node(name: str, tree: Tree) -> FieldNode:
    """The syntax of a field with the fields selected of it, as in a document."""
    inner = tuple(_node(child, branch) for child, branch in tree.items())
    return FieldNode(
        name=NameNode(value=name),
        directives=(),
        arguments=(),
        selection_set=SelectionSetNode(selections=inner) if inner else None,
    )


def _value(row: object, path: str) -> object:
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


def _bad(message: str, remedy: str) -> AccordError:
    return AccordError(ErrorCode.BAD_INPUT, message, remedy)
