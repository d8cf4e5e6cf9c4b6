"""The people of a preview: connections of those whom a stage gains, loses, or counts at another instant.

The lists are stored with the preview, so a page is read by keyset. What is selected of the people is read by the
planner, as in every list of records, with the rights of whoever reads. The reasons are found for one page at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.db import ReadSession
from api.graph.context import Info
from api.graph.declared import ObjectType, Output, TypeRef
from api.graph.derived.record_types import PAGE_INFO, TYPE_KEY
from api.graph.reading.page_value import read_page_size
from api.graph.reading.selection_reader import Path, RecordSelection
from api.metrics.preview.figures import PreviewBucket, PreviewStage
from api.metrics.preview.people_pages import ChangedPerson, PeoplePage, read_people
from api.metrics.preview.reasons import Reason, reasons_of
from api.plan.cost.response_records import require_few_records, response_records
from api.plan.list_arguments import page_of_ids
from api.plan.prepared_statements import read_selection
from api.plan.selection import ColumnValue, Connection, Edges, Nodes, RootField
from schema.accord_vocab import PersonChange
from schema.tables import SHAPES

CONNECTION, EDGE = "AccordPreviewPersonConnection", "AccordPreviewPersonEdge"
_TABLE = "contact"


@dataclass(frozen=True, slots=True)
class _PeopleList:
    """One page of changed people. `rows` has what is selected of them, by place and by id."""

    page: PeoplePage
    is_last: bool
    rows: Mapping[Path, Mapping[object, object]]
    reasons: Mapping[UUID, Reason]


@dataclass(frozen=True, slots=True)
class _PersonEdge:
    """One person of the page, selected by the field `edges` with the response key `key`."""

    listed: _PeopleList
    key: str
    person: ChangedPerson


async def people(source: PreviewStage | PreviewBucket, info: Info, *, change: PersonChange, **arguments: Any) -> object:  # noqa: ANN401 - coerced inputs
    """Read one page of the people of a stage or a bucket, with what is selected of it.

    Errors: those of the arguments; PREVIEW_EXPIRED if the lists are no longer kept.
    """
    document = info.context.document
    fields = document.collector.collect(info.field_nodes, CONNECTION).values()
    edges = {
        selected[0].name.value
        for nodes in fields
        if nodes[0].name.value == "edges"
        for selected in document.collector.collect(nodes, EDGE).values()
    }
    is_last = arguments.get("last") is not None
    async with info.context.snapshot() as session:
        page = await read_people(
            session,
            source.people,
            change,
            size=read_page_size("people", arguments),
            after=arguments.get("after"),
            before=arguments.get("before"),
            is_last=is_last,
            needs_total=any(nodes[0].name.value == "totalCount" for nodes in fields),
        )
        rows = await _rows(session, info, document.planned(info.field_nodes, CONNECTION), page)
        reasons = await reasons_of(session, source.people, page.people) if "reason" in edges else {}
    return _PeopleList(page, is_last, rows, reasons)


async def _rows(
    session: ReadSession, info: Info, selections: Mapping[Path, RecordSelection], page: PeoplePage
) -> dict[Path, dict[object, object]]:
    """Read the selected fields of the page's people, for every place in the document, by one statement of the planner.

    Errors: TOO_LARGE for lists within them that could have too many records; those of the statement.
    """
    ids = tuple(person.id for person in page.people)
    if not selections or not ids:
        return {}
    places = [Nodes(f"n{number}", selection.fields) for number, selection in enumerate(selections.values())]
    parts = Edges("edges", (Nodes("id", (ColumnValue("id", "id"),)), *places))
    listed = Connection(_TABLE, page_of_ids(ids, with_merged=True), (parts,))
    require_few_records(response_records((RootField(_TABLE, listed),)))
    read = await read_selection(session, listed, info.context.principal)
    info.context.redacted.update(read.redacted)
    found: Any = read.value
    kind = {TYPE_KEY: SHAPES[_TABLE].type_name}
    by_id = {edge["id"]["id"]: edge for edge in found["edges"]}
    visible = {id_: by_id[key] for id_ in ids if (key := f"{_TABLE}_{id_}") in by_id}
    return {
        path: {id_: row[place.key] | kind for id_, row in visible.items()}
        for path, place in zip(selections, places, strict=True)
    }


def _nodes(source: _PeopleList, info: Info) -> list[object]:
    rows = source.rows.get((str(info.path.key),), {})
    return [rows.get(person.id) for person in source.page.people]


def _edges(source: _PeopleList, info: Info) -> list[_PersonEdge]:
    return [_PersonEdge(source, str(info.path.key), person) for person in source.page.people]


def _node(source: _PersonEdge, info: Info) -> object:
    return source.listed.rows[source.key, str(info.path.key)].get(source.person.id)


def _reason(source: _PersonEdge, _info: Info) -> Reason | None:
    return source.listed.reasons.get(source.person.id)


def _page_info(source: _PeopleList, info: Info) -> dict[str, object]:
    page, is_last = source.page, source.is_last
    values = {
        "hasNextPage": page.is_before_some or (page.has_more and not is_last),
        "hasPreviousPage": page.is_after_some or (page.has_more and is_last),
        "startCursor": page.people[0].cursor if page.people else None,
        "endCursor": page.people[-1].cursor if page.people else None,
    }
    selected = info.context.document.collector.collect(info.field_nodes, PAGE_INFO)
    return {key: values.get(nodes[0].name.value) for key, nodes in selected.items()}


def people_types() -> tuple[ObjectType, ...]:
    """Return the types of the connection."""
    return (_CONNECTION_TYPE, _EDGE_TYPE)


_CONNECTION_TYPE = ObjectType(
    CONNECTION,
    "One page of the people whom a version of the accord gains, loses, or counts at another instant.",
    (
        Output(
            "nodes",
            "The people of the page; null in place of a person who is not visible to you.",
            TypeRef("Contact", is_required=True, is_list=True, has_required_items=False),
            _nodes,
        ),
        Output(
            "edges",
            "The people of the page, with the two instants, the reason and their cursors.",
            TypeRef(EDGE).required.listed.required,
            _edges,
        ),
        Output("pageInfo", "The position of the page in the list.", TypeRef(PAGE_INFO).required, _page_info),
        Output(
            "totalCount",
            "The number of people over all pages.",
            TypeRef("Int").required,
            lambda source, _info: source.page.total,
        ),
    ),
)
_EDGE_TYPE = ObjectType(
    EDGE,
    "A person whom the two versions count differently in a stage, and why.",
    (
        Output(
            "cursor",
            "The person's position in the list, for `after` and `before`.",
            TypeRef("String").required,
            lambda source, _info: source.person.cursor,
        ),
        Output(
            "instantBefore",
            "The first moment at which the rule is met by the version that is compared to, inside the period or not;"
            " null if it never is.",
            TypeRef("DateTime"),
            lambda source, _info: source.person.instant_before,
        ),
        Output(
            "instantAfter",
            "The first moment at which the rule is met by the previewed version, inside the period or not; null if it"
            " never is.",
            TypeRef("DateTime"),
            lambda source, _info: source.person.instant_after,
        ),
        Output(
            "reason",
            "Why the versions differ, as a sentence: the part of the rule that decides at the earlier of the two"
            " instants.",
            TypeRef("String"),
            lambda source, info: None if (found := _reason(source, info)) is None else found.sentence,
        ),
        Output(
            "node",
            "The person; null if they are not visible to you.",
            TypeRef("Contact"),
            _node,
        ),
    ),
)
