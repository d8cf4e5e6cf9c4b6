"""Root fields that read records: one by id, a list, and `node`."""

from collections.abc import Iterator, Mapping
from typing import Any

from api.graph.context import Info
from api.graph.declared import Declared, Input, Output, Resolver, TypeRef
from api.graph.document import Document
from api.graph.naming import camel
from api.graph.reader import Reader
from api.graph.records import TYPE_KEY, list_arguments, visible_shapes
from api.plan.identity import has_id, read_id, split_id
from api.plan.read import read
from api.plan.selection import Connection, OneRecord
from schema.tables import SHAPES


def record_fields(types: Mapping[str, Declared]) -> Iterator[Output]:
    """The root fields of every visible table. `types` may still be filled; it is read when a question comes."""
    for shape in visible_shapes():
        if has_id(shape):
            doc = f"One {shape.type_name} by its id; null if there is none."
            yield Output(
                camel(shape.name),
                doc,
                TypeRef(shape.type_name),
                _one(types, shape.name),
                (_id(shape.type_name),),
                deprecated=shape.deprecated,
            )
        doc = f"A list of {shape.type_name}: {shape.doc}"
        connection = TypeRef(f"{shape.type_name}Connection").required
        rows = _list(types, shape.name)
        yield Output(camel(shape.plural), doc, connection, rows, list_arguments(shape), deprecated=shape.deprecated)
    doc = "Any record by its id, of whatever type; null if there is none."
    yield Output("node", doc, TypeRef("Node"), _node(types), (_id("record"),))


def _id(what: str) -> Input:
    return Input("id", f"The {what}'s id, as its field `id` shows it.", TypeRef("ID").required)


def _one(types: Mapping[str, Declared], table: str) -> Resolver:
    async def resolve(_source: object, info: Info, *, id: str) -> object:  # noqa: A002 - the argument's name
        asked = Reader(Document.of(info), types).one(info.field_nodes, table, read_id(id, table))
        return await _answer(info, asked)

    return resolve


def _list(types: Mapping[str, Declared], table: str) -> Resolver:
    async def resolve(_source: object, info: Info, **arguments: Any) -> object:  # noqa: ANN401 - coerced inputs
        return await _answer(info, Reader(Document.of(info), types).connection(info.field_nodes, table, arguments))

    return resolve


def _node(types: Mapping[str, Declared]) -> Resolver:
    async def resolve(_source: object, info: Info, *, id: str) -> object:  # noqa: A002 - the argument's name
        table, row = split_id(id)
        found = await _answer(info, Reader(Document.of(info), types).one(info.field_nodes, table, row))
        return found | {TYPE_KEY: SHAPES[table].type_name} if isinstance(found, dict) else None

    return resolve


async def _answer(info: Info, asked: OneRecord | Connection) -> object:
    async with info.context.database.read() as session:
        return await read(session, asked, info.context.who)
