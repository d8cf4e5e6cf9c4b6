"""The root field `accordVersions`: a connection of all versions of the accord."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from api.accord.stored_versions import StoredVersion, VersionPage, version_page
from api.errors import AccordError, ErrorCode
from api.graph.accord.accord_types import ACCORD, AccordPart, shown_accords
from api.graph.context import Info
from api.graph.declared import Input, ObjectType, Output, TypeRef
from api.graph.derived.record_types import PAGE_INFO, page_arguments
from api.graph.reading.page_value import read_page_size
from api.plan.json_objects import require_cursor_length
from schema.accord_vocab import AccordStatus

CONNECTION, EDGE = "AccordVersionConnection", "AccordVersionEdge"
_LIST = "accord_version number-"  # cursors name the list and the order that they belong to
_LARGEST = 2**31


@dataclass(frozen=True, slots=True)
class _ShownPage:
    """A page, and the values of the type Accord for its versions."""

    page: VersionPage
    accords: list[AccordPart]


def version_fields() -> tuple[Output, ...]:
    """Return the root field."""
    arguments = (
        *page_arguments(),
        Input(
            "status",
            "Only versions with one of these statuses. If left out or null: all.",
            TypeRef(AccordStatus.__name__).listed,
        ),
    )
    doc = (
        "The versions of the accord, newest first: those in force, those before them, and those that are proposed."
        " Everybody reads all of them, drafts included."
    )
    return (Output("accordVersions", doc, TypeRef(CONNECTION).required, _versions, arguments),)


async def _versions(
    _source: object,
    info: Info,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    status: Sequence[AccordStatus] | None = None,
) -> _ShownPage:
    size = read_page_size("accordVersions", {"first": first, "last": last})
    async with info.context.snapshot() as session:
        page = await version_page(
            session,
            size=size,
            after=None if after is None else _number("after", after),
            before=None if before is None else _number("before", before),
            is_last=last is not None,
            status=status,
        )
    return _ShownPage(page, shown_accords(page.versions))


def _cursor(version: StoredVersion) -> str:
    return base64.b64encode(orjson.dumps([_LIST, version.number])).decode()


def _number(argument: str, cursor: str) -> int:
    require_cursor_length(cursor, argument)
    try:
        name, number = orjson.loads(base64.b64decode(cursor, validate=True))
        if name == _LIST and type(number) is int and 0 <= number < _LARGEST:
            return number
    except (binascii.Error, ValueError, TypeError):
        pass  # raised below: the remedy is the same for a malformed cursor and for that of another list
    end = "endCursor" if argument == "after" else "startCursor"
    raise AccordError(
        ErrorCode.BAD_INPUT,
        f"`{argument}` is not a cursor of `accordVersions`.",
        f"Take it from `pageInfo.{end}` or an edge's `cursor` of the same list.",
    )


def _page_info(source: _ShownPage, info: Info) -> dict[str, object]:
    page = source.page
    values = {
        "hasNextPage": page.has_next,
        "hasPreviousPage": page.has_previous,
        "startCursor": _cursor(page.versions[0]) if page.versions else None,
        "endCursor": _cursor(page.versions[-1]) if page.versions else None,
    }
    selected = info.context.document.collector.collect(info.field_nodes, PAGE_INFO)
    return {key: values.get(nodes[0].name.value) for key, nodes in selected.items()}


CONNECTION_TYPES = (
    ObjectType(
        CONNECTION,
        "One page of the versions of the accord.",
        (
            Output(
                "nodes",
                "The versions of the page.",
                TypeRef(ACCORD).required.listed.required,
                lambda source, _info: source.accords,
            ),
            Output(
                "edges",
                "The versions of the page, with their cursors.",
                TypeRef(EDGE).required.listed.required,
                lambda source, _info: source.accords,
            ),
            Output("pageInfo", "The position of the page in the list.", TypeRef(PAGE_INFO).required, _page_info),
            Output(
                "totalCount",
                "The number of versions over all pages.",
                TypeRef("Int").required,
                lambda source, _info: source.page.total,
            ),
        ),
    ),
    ObjectType(
        EDGE,
        "A version of the accord, with its cursor.",
        (
            Output(
                "cursor",
                "The version's position in the list, for `after` and `before`.",
                TypeRef("String").required,
                lambda accord, _info: _cursor(accord.version),
            ),
            Output("node", "The version.", TypeRef(ACCORD).required, lambda accord, _info: accord),
        ),
    ),
)
