"""The mutations of access: API keys, what members may do, and members who leave."""

from api.graph.declared import Output, TypeRef
from api.graph.derived.naming import camel
from api.graph.mutations.command_mutation import command_mutation
from api.graph.mutations.mutation import Mutation, PayloadRecord, outcome_value, record_of
from api.workflows.access.create_api_key import TOKEN, CreateApiKey, create_api_key
from api.workflows.access.deactivate_member import TAKEN_OVER, DeactivateMember, deactivate_member, handed_on_value
from api.workflows.access.end_member_sessions import SESSIONS_ENDED, EndMemberSessions, end_member_sessions
from api.workflows.access.revoke_api_key import RevokeApiKey, revoke_api_key
from api.workflows.access.rotate_api_key import RotateApiKey, rotate_api_key
from api.workflows.access.set_member_access import (
    RemoveMemberAccess,
    SetMemberAccess,
    remove_member_access,
    set_member_access,
)
from schema.access.rights import Permission
from schema.tables import SHAPES

_MANAGE = Permission.MANAGE_ACCESS
_KEY, _MEMBER = record_of("api_key"), record_of("member")
_TOKEN = outcome_value(
    TOKEN,
    "The token. It is shown only now: keep it. Null in a repetition, and if nothing was written.",
    TypeRef("String"),
)
_SESSIONS_ENDED = outcome_value(
    camel(SESSIONS_ENDED), "The number of sessions that ended.", TypeRef("Int"), SESSIONS_ENDED
)


def _handed_on(table: str) -> Output:
    doc = f"The number of {SHAPES[table].type_name} rows that were handed on; null without a successor."
    return outcome_value(camel(handed_on_value(table)), doc, TypeRef("Int"), handed_on_value(table))


ACCESS_MUTATIONS: tuple[Mutation, ...] = (
    command_mutation(CreateApiKey, create_api_key, _MANAGE, (_KEY,), (_TOKEN,)),
    command_mutation(
        RotateApiKey,
        rotate_api_key,
        _MANAGE,
        (_KEY, PayloadRecord("rotated", "api_key", "The old key, with the end of its time.")),
        (_TOKEN,),
    ),
    command_mutation(RevokeApiKey, revoke_api_key, _MANAGE, (_KEY,)),
    command_mutation(SetMemberAccess, set_member_access, _MANAGE, (_MEMBER,)),
    command_mutation(RemoveMemberAccess, remove_member_access, _MANAGE, (_MEMBER,)),
    command_mutation(EndMemberSessions, end_member_sessions, _MANAGE, (_MEMBER,), (_SESSIONS_ENDED,)),
    command_mutation(
        DeactivateMember,
        deactivate_member,
        _MANAGE,
        (_MEMBER, PayloadRecord("successor", "member", "The member who took the records over.")),
        tuple(map(_handed_on, TAKEN_OVER)),
    ),
)
