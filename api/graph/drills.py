"""The records behind figures: where a question asks for them, read in the answer's own snapshot.

The executor resolves fields long after the answer was read. So the root field looks for `records` in its selection and
reads them at once, as many lists as there are figures; each waits under its place in the answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode

from api.access.principal import Principal
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.graph.context import Info
from api.graph.declared import Declared, Input, ObjectType, Output, TypeRef
from api.graph.derived.record_types import TYPE_KEY, page_arguments
from api.graph.reading.field_collector import Document
from api.graph.reading.selection_reader import Reader, page_size
from api.graph.sources import from_row
from api.metrics.answer import Bucket, DrillDown, FunnelStep, Group, KpiAnswer
from api.metrics.record_pages import RecordPage, read_page
from api.plan.list_arguments import Comparison, Page
from api.plan.prepared_statements import read_selection
from api.plan.selection import ColumnValue, Connection, Edges, Field, Nodes
from schema.tables import SHAPES
from schema.vocab import RecordSide

Path = tuple[str | int, ...]

MAX_LISTS = 100  # each is a statement or two
DRILLED = (KpiAnswer, Group, Bucket, FunnelStep)
CONNECTION, EDGE = "RecordConnection", "RecordEdge"
# Where an answer has further figures: type, field, the type of its items.
_WITHIN: Mapping[str, Mapping[str, str]] = {
    "KpiAnswer": {"series": "Bucket", "breakdown": "Group"},
    "Group": {"series": "Bucket"},
    "FunnelAnswer": {"stages": "FunnelStep", "breakdown": "FunnelGroup"},
    "FunnelGroup": {"stages": "FunnelStep"},
}


@dataclass(frozen=True, slots=True)
class _List:
    """One list to read: its place in the answer, what is behind it, and the field that asks."""

    path: Path
    drill_down: DrillDown
    nodes: tuple[FieldNode, ...]
    parent: str


def records_field() -> Output:
    """The field of everything that has records behind it."""
    return Output(
        "records",
        "The records behind the number, by the instant at which they count, the earliest first.",
        TypeRef(CONNECTION),
        _resolve,
        (
            Input(
                "side",
                "Those that n counts, or those that the numerator counts; left out: BASE.",
                TypeRef("RecordSide"),
            ),
            *page_arguments(),
        ),
    )


def drill_types() -> tuple[ObjectType, ObjectType]:
    """The list of records behind a number."""
    return _CONNECTION_TYPE, _EDGE_TYPE


async def read_records(
    session: ReadSession,
    info: Info,
    types: Mapping[str, Declared],
    answers: Sequence[tuple[Path, object]],
) -> None:
    """Read every list of records that the field asks for, of each of its answers, by path.

    Errors: TOO_LARGE for too many lists. What is wrong with one list is told in its place.
    """
    document = Document.of(info)
    lists = [
        each
        for path, answer in answers
        for each in _lists(document, type(answer).__name__, tuple(info.field_nodes), answer, path)
    ]
    if len(lists) > MAX_LISTS:
        message = f"The question asks for {len(lists):,} lists of records, and {MAX_LISTS} are read at once at most."
        remedy = "Ask for the records of one figure at a time: with `where` for a group, with `period` for a bucket."
        raise AccordError(ErrorCode.TOO_LARGE, message, remedy)
    drill = _Drill(session, info.context.who, document, Reader(document, types), {})
    for each in lists:
        try:
            found: object = await drill.read(each)
        except AccordError as error:
            found = error
        info.context.drilled[each.path] = found


def _resolve(_source: object, info: Info, **_: object) -> object:
    found = info.context.drilled[tuple(info.path.as_list())]
    if isinstance(found, AccordError):
        raise found
    return found


def _lists(
    document: Document, type_name: str, nodes: tuple[FieldNode, ...], value: object, path: Path
) -> Iterator[_List]:
    """The lists that are asked of a figure and of all that is in it."""
    within = _WITHIN.get(type_name, {})
    for key, selected in document.fields(nodes, type_name).items():
        name = selected[0].name.value
        if name == "records":
            drill_down: DrillDown | None = getattr(value, "drill_down")  # noqa: B009 - of whichever figure has it
            if drill_down is None:
                raise TypeError(f"the figure at {path} has no drill-down")
            yield _List((*path, key), drill_down, tuple(selected), type_name)
        elif name in within:
            for place, item in enumerate(getattr(value, name)):
                yield from _lists(document, within[name], tuple(selected), item, (*path, key, place))


@dataclass(frozen=True, slots=True)
class _Drill:
    """Reads the lists of one root field. The same fields of many figures are read from the document once."""

    session: ReadSession
    who: Principal
    document: Document
    reader: Reader
    known: dict[tuple[int, str], tuple[Field, ...]]

    async def read(self, asked: _List) -> dict[str, object]:
        """One list, in the asked keys."""
        arguments = self.document.arguments(asked.parent, asked.nodes[0])
        parts = self.document.fields(asked.nodes, CONNECTION)
        is_last = arguments.get("last") is not None
        page = await read_page(
            self.session,
            asked.drill_down,
            arguments.get("side") or RecordSide.BASE,
            size=page_size("records", arguments),
            after=arguments.get("after"),
            before=arguments.get("before"),
            is_last=is_last,
            needs_total=any(selected[0].name.value == "totalCount" for selected in parts.values()),
        )
        nodes = await self._nodes(asked.drill_down.table, parts, page)
        return {key: self._part(key, selected, page, nodes, is_last=is_last) for key, selected in parts.items()}

    def _part(self, key: str, selected: list[FieldNode], page: RecordPage, nodes: "_Nodes", *, is_last: bool) -> object:
        match selected[0].name.value:
            case "totalCount":
                return page.total
            case "nodes":
                return nodes.of((key,), page)
            case "edges":
                return self._edges(key, selected, page, nodes)
            case "pageInfo":
                return self._page_info(selected, page, is_last=is_last)
            case _:
                return CONNECTION

    def _edges(self, key: str, selected: list[FieldNode], page: RecordPage, nodes: "_Nodes") -> list[dict[str, object]]:
        edges: list[dict[str, object]] = [{} for _ in page.records]
        for inner, fields in self.document.fields(selected, EDGE).items():
            match fields[0].name.value:
                case "cursor":
                    values: list[Any] = [each.cursor for each in page.records]
                case "at":
                    values = [each.at for each in page.records]
                case "node":
                    values = nodes.of((key, inner), page)
                case _:
                    values = [EDGE] * len(edges)
            for edge, value in zip(edges, values, strict=True):
                edge[inner] = value
        return edges

    def _page_info(self, selected: list[FieldNode], page: RecordPage, *, is_last: bool) -> dict[str, object]:
        found = {
            "hasNextPage": page.is_before_some or (page.has_more and not is_last),
            "hasPreviousPage": page.is_after_some or (page.has_more and is_last),
            "startCursor": page.records[0].cursor if page.records else None,
            "endCursor": page.records[-1].cursor if page.records else None,
        }
        named = self.document.fields(selected, "PageInfo").items()
        return {key: found.get(fields[0].name.value, "PageInfo") for key, fields in named}

    async def _nodes(self, table: str, parts: Mapping[str, list[FieldNode]], page: RecordPage) -> "_Nodes":
        """What is asked of the page's records, by the planner: links, lists and scope as everywhere."""
        wanted: dict[Path, tuple[Field, ...]] = {}
        for key, selected in parts.items():
            if selected[0].name.value == "nodes":
                wanted[key,] = self._fields(selected, table)
            elif selected[0].name.value == "edges":
                for inner, fields in self.document.fields(selected, EDGE).items():
                    if fields[0].name.value == "node":
                        wanted[key, inner] = self._fields(fields, table)
        ids = tuple({each.id for each in page.records})
        if not wanted or not ids:
            return _Nodes(table, tuple(wanted), {})
        row = (
            Nodes("id", (ColumnValue("id", "id"),)),
            *(Nodes(f"n{n}", fields) for n, fields in enumerate(wanted.values())),
        )
        rows = Page(len(ids), where=Comparison("id", "in", ids))
        found: Any = await read_selection(self.session, Connection(table, rows, (Edges("edges", row),)), self.who)
        return _Nodes(table, tuple(wanted), {edge["id"]["id"]: edge for edge in found["edges"]})

    def _fields(self, nodes: list[FieldNode], table: str) -> tuple[Field, ...]:
        place = (id(nodes[0]), table)
        if place not in self.known:
            self.known[place] = self.reader.record(nodes, table)
        return self.known[place]


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The records of a page by their id, each with what is asked of it in every place."""

    table: str
    places: tuple[Path, ...]
    rows: Mapping[str, Mapping[str, dict[str, object]]]

    def of(self, place: Path, page: RecordPage) -> list[object]:
        """The values of one place in the page's order; null for what may not be seen."""
        key, kind = f"n{self.places.index(place)}", {TYPE_KEY: SHAPES[self.table].type_name}
        rows = (self.rows.get(f"{self.table}_{each.id}") for each in page.records)
        return [None if row is None else row[key] | kind for row in rows]


_NODE_DOC = "The record: a Contact, a Deal, …; null where it may not be seen."
_CONNECTION_TYPE = ObjectType(
    CONNECTION,
    "A page of the records behind a number. Who counts twice is in it twice.",
    (
        Output(
            "nodes",
            "The records of the page; null for one that may not be seen.",
            TypeRef("Node", is_list=True, is_required=True, has_required_items=False),
            from_row,
        ),
        Output(
            "edges",
            "The records of the page, each with its instant and cursor.",
            TypeRef(EDGE).required.listed.required,
            from_row,
        ),
        Output("pageInfo", "Where the page lies in the list.", TypeRef("PageInfo").required, from_row),
        Output(
            "totalCount",
            "How many there are on all pages together: the number's n, or its numerator.",
            TypeRef("Int").required,
            from_row,
        ),
    ),
)
_EDGE_TYPE = ObjectType(
    EDGE,
    "A record behind a number, with the instant at which it counts.",
    (
        Output("cursor", "Its place in the list, for `after` and `before`.", TypeRef("String").required, from_row),
        Output(
            "at",
            "The instant at which it counts: it entered the stage, was closed, …",
            TypeRef("DateTime").required,
            from_row,
        ),
        Output("node", _NODE_DOC, TypeRef("Node"), from_row),
    ),
)
