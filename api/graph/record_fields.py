"""Root fields that read records: one by id, a list, `node` and `nodes`."""

from collections.abc import Iterator, Sequence

from api.graph.context import Info
from api.graph.declared import Input, Output, TypeRef
from api.graph.derived.links import visible_shapes
from api.graph.derived.naming import camel
from api.graph.derived.record_types import TYPE_KEY, list_arguments
from api.graph.reading.selection import MAX_IDS
from api.graph.sources import FromId, FromIds, FromTable
from api.identity.ids import split_id
from schema.tables import SHAPES


def record_fields() -> Iterator[Output]:
    """The root fields of every visible table."""
    for shape in visible_shapes():
        as_of = (_AS_OF,) if shape.has_history else ()
        if shape.has_id:
            yield Output(
                camel(shape.name),
                f"One {shape.type_name} by its id; null if there is none.",
                TypeRef(shape.type_name),
                _read,
                (_id(shape.type_name), *as_of),
                FromId(shape.name),
                shape.deprecated,
            )
        yield Output(
            camel(shape.plural),
            f"A list of {shape.type_name}: {shape.doc}",
            TypeRef(f"{shape.type_name}Connection").required,
            _read,
            (*list_arguments(shape), *as_of),
            FromTable(shape.name),
            shape.deprecated,
        )
    doc = "Any record by its id, of whatever type; null if there is none."
    yield Output("node", doc, TypeRef("Node"), _node, (_id("record", is_bound=False),), FromId())
    yield _NODES


def _id(what: str, *, is_bound: bool = True) -> Input:
    doc = f"The {what}'s id, as its field `id` shows it."
    return Input("id", doc, TypeRef("ID").required, is_bound=is_bound)


async def _read(_source: object, info: Info, **_: object) -> object:
    return await info.context.records.of(str(info.path.key))


async def _node(_source: object, info: Info, *, id: str) -> object:  # noqa: A002 - the argument's name
    return _typed(await info.context.records.of(str(info.path.key)), id)


async def _nodes(_source: object, info: Info, *, ids: Sequence[str]) -> Sequence[object]:
    found = await info.context.records.of(str(info.path.key))
    if not isinstance(found, list):
        raise TypeError(f"a list of records was expected, not {type(found).__name__}")
    return [_typed(row, each) for row, each in zip(found, ids, strict=True)]


def _typed(row: object, id_: str) -> object:
    """A record with the name of its type, which its id tells."""
    return row | {TYPE_KEY: SHAPES[split_id(id_)[0]].type_name} if isinstance(row, dict) else None


_AS_OF = Input(
    "asOf",
    "As of this instant, in all that is asked here and within: contacts, companies and deals as they were then, those"
    " deleted since among them; of touches, handoffs, stages and roles those that had begun, without what was decided"
    " later. An unknown start counts from when Accord was told; other records are as they are now. Who may see a record"
    " is who may see it today. Left out or null: as everything is now.",
    TypeRef("DateTime"),
    is_bound=True,
)
_NODES = Output(
    "nodes",
    "Records by their ids, of whatever types, in the order of the ids; null for each that is not there.",
    TypeRef("Node", is_required=True, is_list=True, has_required_items=False),
    _nodes,
    (Input("ids", f"Ids as fields `id` show them, at most {MAX_IDS}.", TypeRef("ID").required.listed.required),),
    FromIds(),
)
