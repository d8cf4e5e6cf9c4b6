"""Root fields that read records: one by id, a list, and `node`."""

from collections.abc import Iterator

from api.graph.context import Info
from api.graph.declared import Input, Output, TypeRef
from api.graph.links import visible_shapes
from api.graph.naming import camel
from api.graph.records import TYPE_KEY, list_arguments
from api.graph.sources import FromId, FromTable
from api.plan.identity import has_id, split_id
from schema.tables import SHAPES


def record_fields() -> Iterator[Output]:
    """The root fields of every visible table."""
    for shape in visible_shapes():
        if has_id(shape):
            yield Output(
                camel(shape.name),
                f"One {shape.type_name} by its id; null if there is none.",
                TypeRef(shape.type_name),
                _read,
                (_id(shape.type_name),),
                FromId(shape.name),
                shape.deprecated,
            )
        yield Output(
            camel(shape.plural),
            f"A list of {shape.type_name}: {shape.doc}",
            TypeRef(f"{shape.type_name}Connection").required,
            _read,
            list_arguments(shape),
            FromTable(shape.name),
            shape.deprecated,
        )
    doc = "Any record by its id, of whatever type; null if there is none."
    yield Output("node", doc, TypeRef("Node"), _node, (_id("record", is_bound=False),), FromId())


def _id(what: str, *, is_bound: bool = True) -> Input:
    doc = f"The {what}'s id, as its field `id` shows it."
    return Input("id", doc, TypeRef("ID").required, is_bound=is_bound)


async def _read(_source: object, info: Info, **_: object) -> object:
    return await info.context.records.of(str(info.path.key))


async def _node(_source: object, info: Info, *, id: str) -> object:  # noqa: A002 - the argument's name
    found = await info.context.records.of(str(info.path.key))
    return found | {TYPE_KEY: SHAPES[split_id(id)[0]].type_name} if isinstance(found, dict) else None
