"""The mutations of access: API keys, what members may do, and members who leave."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from api.access.credentials.grants import Grant
from api.errors import AccordError
from api.graph.declared import Input, Output, TypeRef
from api.graph.derived.naming import camel
from api.graph.mutations.mutation import Mutation, PayloadRecord, outcome_value, record_of
from api.graph.mutations.record_inputs import REFERENCE, optional_version_input, read_reference
from api.identity.ids import parse_id
from api.workflows.access.access_rules import rejected
from api.workflows.access.create_key import TOKEN, CreateKey, create_key
from api.workflows.access.deactivate_member import TAKEN_OVER, DeactivateMember, deactivate_member, handed_on_value
from api.workflows.access.revoke_key import RevokeKey, revoke_key
from api.workflows.access.rotate_key import RotateKey, rotate_key
from api.workflows.access.set_member_access import SetMemberAccess, set_member_access
from api.workflows.outcome import Outcome
from api.workflows.records.references import resolve_references
from api.workflows.unit_of_work import UnitOfWork, Workflow
from schema.access.rights import Permission
from schema.tables import SHAPES
from schema.writes.user_errors import UserErrorCode

_RunOn = Callable[[UnitOfWork, UUID], Awaitable[Outcome]]
"""A workflow on the record with an id."""

_KEY, _MEMBER = "api_key", "member"
_STRING, _REFERENCE = TypeRef("String"), TypeRef(REFERENCE)
_KEY_ID = Input("id", "The id of the key.", TypeRef("ID").required)
_TOKEN = outcome_value(
    TOKEN, "The token. It is shown only now: keep it. Null in a repetition, and if nothing was written.", _STRING
)


def access_mutations() -> tuple[Mutation, ...]:
    """Return the mutations of access."""
    needs = Permission.MANAGE_ACCESS
    return (
        Mutation(
            "createApiKey",
            "Create an API key. Nobody grants more than they have.",
            needs,
            (
                Input("name", "What the key is for.", _STRING.required),
                Input("member", "The member whose key it is. If left out, it is a machine's.", _REFERENCE),
                *_grant_inputs(
                    "If left out, what the member may do; for a machine, a viewer of all records without rights."
                ),
                Input("expiresAt", "When it expires. If left out, it does not.", TypeRef("DateTime")),
            ),
            _prepare_create,
            (record_of(_KEY),),
            (_TOKEN,),
        ),
        Mutation(
            "rotateApiKey",
            "Make the successor of an API key, which allows the same. The old key works beside it for a while.",
            needs,
            (
                _KEY_ID,
                Input("overlap", "How long the old key still works: a day if left out.", TypeRef("Duration")),
            ),
            _prepare_rotate,
            (record_of(_KEY), PayloadRecord("rotated", _KEY, "The old key, with the end of its time.")),
            (_TOKEN,),
        ),
        Mutation(
            "revokeApiKey",
            "Revoke an API key: it ends at once.",
            needs,
            (_KEY_ID,),
            lambda given: _on_key(given, lambda work, id_: revoke_key(work, RevokeKey(id_))),
            (record_of(_KEY),),
        ),
        *_member_mutations(needs),
    )


def _member_mutations(needs: Permission) -> tuple[Mutation, ...]:
    member = Input("member", "The member.", _REFERENCE.required)
    return (
        Mutation(
            "setMemberAccess",
            "Set what a member may do when they sign in. Their keys never allow more.",
            needs,
            (
                member,
                *_grant_inputs("If left out, none.", is_required=True),
                Input(
                    "email",
                    "The e-mail address by which an identity provider knows the member. If left out, it stays as it is;"
                    " at first it is that of their record.",
                    _STRING,
                ),
            ),
            _prepare_access,
            (record_of(_MEMBER),),
        ),
        Mutation(
            "removeMemberAccess",
            "Take a member's access away: their sessions end at once, and their keys no longer work.",
            needs,
            (member,),
            lambda given: _on_member(given, lambda work, id_: set_member_access(work, SetMemberAccess(id_, None))),
            (record_of(_MEMBER),),
        ),
        Mutation(
            "deactivateMember",
            "Deactivate a member who leaves: their keys and sessions end at once. A successor takes over their"
            " contacts, companies, open deals and undecided handoffs. History keeps their name.",
            needs,
            (
                Input("id", "The id of the member.", TypeRef("ID").required),
                Input("successor", "The member who takes their records over. If left out, nobody.", _REFERENCE),
                optional_version_input(),
            ),
            _prepare_deactivate,
            (record_of(_MEMBER), PayloadRecord("successor", _MEMBER, "The member who took the records over.")),
            tuple(_handed_on_fields()),
        ),
    )


def _handed_on_fields() -> list[Output]:
    return [
        outcome_value(
            camel(handed_on_value(table)),
            f"The number of {SHAPES[table].type_name} rows that were handed on.",
            TypeRef("Int"),
            handed_on_value(table),
        )
        for table in TAKEN_OVER
    ]


def _grant_inputs(otherwise: str, *, is_required: bool = False) -> tuple[Input, ...]:
    level, reach = TypeRef("AccessLevel"), TypeRef("Reach")
    words = "" if is_required else f" {otherwise}"
    return (
        Input("level", f"The access level: what may be done.{words}", level.required if is_required else level),
        Input("reach", f"The reach: which records.{words}", reach.required if is_required else reach),
        Input("rights", f"The rights beside the level. {otherwise}", TypeRef("Right").listed),
    )


def _prepare_create(given: Mapping[str, Any]) -> Workflow:
    rights = given.get("rights")

    async def workflow(work: UnitOfWork) -> Outcome:
        member_id = await _named_member(work, given, "member")
        do = CreateKey(
            given["name"],
            member_id,
            given.get("level"),
            given.get("reach"),
            None if rights is None else frozenset(rights),
            given.get("expiresAt"),
        )
        return await create_key(work, do)

    return workflow


def _prepare_rotate(given: Mapping[str, Any]) -> Workflow:
    overlap = given.get("overlap")
    if overlap is None:
        overlap = timedelta(days=1)
    return _on_key(given, lambda work, id_: rotate_key(work, RotateKey(id_, overlap)))


def _prepare_access(given: Mapping[str, Any]) -> Workflow:
    grant = Grant(given["level"], given["reach"], frozenset(given.get("rights") or ()))
    email = given.get("email")
    return _on_member(given, lambda work, id_: set_member_access(work, SetMemberAccess(id_, grant, email)))


def _prepare_deactivate(given: Mapping[str, Any]) -> Workflow:
    async def workflow(work: UnitOfWork) -> Outcome:
        member_id = _given_id(given, _MEMBER)
        successor_id = await _named_member(work, given, "successor")
        return await deactivate_member(work, DeactivateMember(member_id, successor_id, given.get("expectedVersion")))

    return workflow


def _on_key(given: Mapping[str, Any], run: _RunOn) -> Workflow:
    async def workflow(work: UnitOfWork) -> Outcome:
        return await run(work, _given_id(given, _KEY))

    return workflow


def _on_member(given: Mapping[str, Any], run: _RunOn) -> Workflow:
    async def workflow(work: UnitOfWork) -> Outcome:
        return await run(work, await _required_member(work, given))

    return workflow


def _given_id(given: Mapping[str, Any], table: str) -> UUID:
    try:
        return parse_id(table, given["id"])
    except AccordError as error:
        raise rejected(("id",), UserErrorCode.INVALID, error.message) from error


async def _required_member(work: UnitOfWork, given: Mapping[str, Any]) -> UUID:
    found = await _named_member(work, given, "member")
    if found is None:
        raise rejected(("member",), UserErrorCode.REQUIRED, "Name a member.")
    return found


async def _named_member(work: UnitOfWork, given: Mapping[str, Any], name: str) -> UUID | None:
    """Return the member that a reference in the input names; None without one. Errors: Rejected if there is none."""
    try:
        reference = read_reference(_MEMBER, given.get(name))
    except AccordError as error:
        raise rejected((name, "id"), UserErrorCode.INVALID, error.message) from error
    if reference is None:
        return None
    row = (await resolve_references(work, _MEMBER, [reference])).get(reference)
    if row is None:
        raise rejected((name,), UserErrorCode.NOT_FOUND, "There is no member with this id or external key.")
    found: UUID = row["id"]
    return found
