"""Root fields that read records: one by id, a list of a table, `node`, `nodes` and `search`."""

from collections.abc import Iterator, Sequence

from api.access.as_of import changes_over_time
from api.graph.context import Info
from api.graph.declared import Input, Output, TypeRef
from api.graph.derived.links import visible_shapes
from api.graph.derived.naming import camel
from api.graph.derived.record_types import MAX_PAGE_SIZE, NODE, PAGE_SIZE, TYPE_KEY, list_arguments
from api.graph.derived.search_types import SEARCH_CONNECTION, SEARCH_TYPE, searched_shapes
from api.graph.kpis.kpi_fields import read_answer
from api.graph.reading.selection_reader import MAX_IDS
from api.graph.sources import FromId, FromIds, FromSearch, FromTable
from api.identity.ids import is_answer_id, parse_record_id
from schema.tables import SHAPES


def record_fields() -> Iterator[Output]:
    """Yield the root fields of every visible table, then `node`, `nodes` and `search`."""
    for shape in visible_shapes():
        as_of = (_AS_OF,) if changes_over_time(shape.name) else ()
        if shape.has_id:
            yield Output(
                camel(shape.name),
                f"The {shape.type_name} with this id; null if there is none that is visible to you.",
                TypeRef(shape.type_name),
                _read,
                (_id(shape.type_name), *as_of),
                FromId(shape.name),
                shape.deprecated,
            )
        yield Output(
            camel(shape.plural),
            f"A list of {shape.type_name} rows: {shape.doc}",
            TypeRef(f"{shape.type_name}Connection").required,
            _read,
            (*list_arguments(shape), *as_of),
            FromTable(shape.name),
            shape.deprecated,
        )
    doc = (
        "The record with this id, of any type; null if there is none that is visible to you. Or the answer to a KPI or"
        " funnel request with this id, computed anew."
    )
    yield Output("node", doc, TypeRef(NODE), _node, (_id("record", is_bound=False),), FromId())
    yield _NODES
    yield _search_field()


def _id(what: str, *, is_bound: bool = True) -> Input:
    doc = f"The id of the {what}, from its field `id`. An id from a result with `asOf` reads the same instant again."
    return Input("id", doc, TypeRef("ID").required, is_bound=is_bound)


def _search_field() -> Output:
    types = ", ".join(shape.name.upper() for shape in searched_shapes())
    doc = (
        "The records of several types in which every word of a text is the start of a word, ignoring case. First those"
        " with every word as a whole word of their names, then those with words of their names that begin so, then"
        " those that match only with their addresses. Within these, records are in the order of `types`, and those of"
        " one type are sorted by id, oldest first. Records that were merged into another one are left out. Without the"
        " right PERSONAL_DATA, types whose searched fields are personal data are left out, and naming one in `types` is"
        " an error."
    )
    text = (
        "The words to search for. Characters that are neither letters nor digits separate words. Every value of"
        f" `{SEARCH_TYPE}` says which fields are searched."
    )
    arguments = (
        Input("text", text, TypeRef("String").required, is_bound=True),
        Input(
            "types",
            f"The types to search, in the order of their results. If left out or null: {types}.",
            TypeRef(SEARCH_TYPE).listed,
        ),
        Input("first", f"The number of results: {PAGE_SIZE} by default, {MAX_PAGE_SIZE} at most.", TypeRef("Int")),
        Input("after", "Only results after this cursor, of a search with the same text and types.", TypeRef("String")),
    )
    return Output("search", doc, TypeRef(SEARCH_CONNECTION).required, _read, arguments, FromSearch())


async def _read(_source: object, info: Info, **_: object) -> object:
    return await info.context.records.read(str(info.path.key))


async def _node(_source: object, info: Info, *, id: str) -> object:  # noqa: A002 - the argument's name
    if is_answer_id(id):
        return await read_answer(info, id)
    return _with_type(await info.context.records.read(str(info.path.key)), id)


async def _nodes(_source: object, info: Info, *, ids: Sequence[str]) -> Sequence[object]:
    found = await info.context.records.read(str(info.path.key))
    if not isinstance(found, list):
        raise TypeError(f"a list of records was expected, not {type(found).__name__}")
    return [_with_type(row, id_) for row, id_ in zip(found, ids, strict=True)]


def _with_type(row: object, id_: str) -> object:
    """Return the row with the name of its type, which the prefix of its id decides."""
    return row | {TYPE_KEY: SHAPES[parse_record_id(id_).table].type_name} if isinstance(row, dict) else None


_AS_OF = Input(
    "asOf",
    "The state at this instant, for everything selected here and within: every fact at or before it. Contacts,"
    " companies and deals have the values they had then. Touchpoints, handoffs, stage entries and roles are those that"
    " had begun by then, without later decisions. A record with an unknown start counts from when Accord recorded it."
    " Where the source has no history, the values of a later import are assumed (see `assumedCount`), but for those"
    " that came with the closing of a deal: its pipeline stage, probability and close date are null before it. All"
    " other records are as they are now. Who is deleted or merged today is left out at every instant, and access"
    " follows the current owner. If left out or null: the current state. Ids in the result carry the instant;"
    " `recordId` has the plain ones.",
    TypeRef("DateTime"),
    is_bound=True,
)
_IDS = f"Ids from fields `id`, at most {MAX_IDS}. A record whose id carries an instant is read as of that instant."
_NODES = Output(
    "nodes",
    "The records with these ids, of any types, in the order of the ids; null in place of a record that does not exist"
    " or is not visible to you.",
    TypeRef(NODE, is_required=True, is_list=True, has_required_items=False),
    _nodes,
    (
        Input(
            "ids",
            _IDS,
            TypeRef("ID").required.listed.required,
        ),
    ),
    FromIds(),
)
