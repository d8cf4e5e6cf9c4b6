"""The root field `viewer`: who the request comes from, and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.access.principal import Principal
from api.accord.stored_versions import versions_to_sign
from api.graph.accord.accord_types import ACCORD, AccordPart, shown_accords
from api.graph.context import Info
from api.graph.declared import ObjectType, Output, TypeRef
from api.plan.cost.response_records import require_few_records, response_records
from api.plan.prepared_statements import read_document
from api.plan.selection import OneRecord, RootField
from schema.access.rights import Permission, Reach, Right

VIEWER = "Viewer"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The principal of a request. `members` has what is selected of their record, by response key."""

    principal: Principal
    members: Mapping[str, object]


def viewer_fields() -> tuple[Output, ...]:
    """Return the root field about the caller."""
    return (Output("viewer", "Who you are, and what you may do.", TypeRef(VIEWER).required, _viewer),)


async def _viewer(_source: object, info: Info) -> Viewer:
    """Read the member's record by one statement of the planner, in every place that selects it.

    Errors: TOO_LARGE for lists that could have too many records; those of the statement.
    """
    context = info.context
    principal = context.principal
    if principal.member_id is None:
        return Viewer(principal, {})
    planned = context.document.planned(info.field_nodes, VIEWER)
    roots = [
        RootField(key, OneRecord(selection.table, principal.member_id, selection.fields))
        for (key,), selection in planned.items()
    ]
    require_few_records(response_records(roots))
    if not roots:
        return Viewer(principal, {})
    read = await read_document(context.database, roots, principal)
    context.redacted.update(read.redacted)
    return Viewer(principal, read.values)


async def _accords_to_sign(source: Viewer, info: Info) -> list[AccordPart]:
    who = source.principal
    if who.member_id is None or who.reach is not Reach.ALL or not who.may(Permission.SIGN_ACCORD):
        return []
    async with info.context.snapshot() as session:
        return shown_accords(await versions_to_sign(session, who.member_id))


VIEWER_TYPE = ObjectType(
    VIEWER,
    "Who a request comes from: a member, a machine with an API key, or the operator of the server's machine.",
    (
        Output(
            "name",
            "The name of the member, or of a machine's API key.",
            TypeRef("String").required,
            lambda viewer, _info: viewer.principal.name,
        ),
        Output(
            "member",
            "The member; null for a machine and for the local operator.",
            TypeRef("Member"),
            lambda viewer, info: viewer.members.get(str(info.path.key)),
        ),
        Output(
            "level",
            "The access level: what you may do.",
            TypeRef("AccessLevel").required,
            lambda viewer, _info: viewer.principal.level,
        ),
        Output(
            "reach",
            "The reach: which records.",
            TypeRef("Reach").required,
            lambda viewer, _info: viewer.principal.reach,
        ),
        Output(
            "rights",
            "The rights beside the level.",
            TypeRef("Right").required.listed.required,
            lambda viewer, _info: [right for right in Right if right in viewer.principal.rights],
        ),
        Output(
            "accordsToSign",
            "The versions of the accord that wait for your signature, newest first: those in review, and the"
            " provisional one in force, if nobody has signed them for your team. Empty for who is in neither marketing"
            " nor sales, or may not sign.",
            TypeRef(ACCORD).required.listed.required,
            _accords_to_sign,
        ),
    ),
)
