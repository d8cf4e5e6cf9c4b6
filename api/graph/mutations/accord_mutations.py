"""The mutations of versions of the accord."""

from api.graph.declared import Output, TypeRef
from api.graph.derived.naming import camel
from api.graph.mutations.command_mutation import command_mutation
from api.graph.mutations.mutation import Mutation, outcome_value
from api.workflows.accord.activate_accord import ActivateAccord, activate_accord
from api.workflows.accord.comment_accord import (
    COMMENT_ID,
    CommentAccord,
    RequestAccordChanges,
    comment_accord,
    request_accord_changes,
)
from api.workflows.accord.edit_accord import EditAccord, edit_accord
from api.workflows.accord.propose_accord import ProposeAccord, propose_accord
from api.workflows.accord.resolve_comment import ResolveComment, resolve_comment
from api.workflows.accord.revoke_signature import RevokeSignature, revoke_signature
from api.workflows.accord.sign_accord import SignAccord, sign_accord
from api.workflows.accord.submit_accord import SubmitAccord, submit_accord
from api.workflows.accord.versions import NUMBER
from api.workflows.accord.withdraw_accord import WithdrawAccord, withdraw_accord
from schema.access.rights import Permission

# The payload's field `accord` is read after the commit, as the root field of that name with this number.
_ACCORD = Output(
    "accord",
    "The version as it is now; null if nothing was written.",
    TypeRef("Accord"),
    lambda outcome, _info: outcome.values.get(NUMBER),
)
_COMMENT_ID = outcome_value(
    camel(COMMENT_ID), "The id of the comment; null if nothing was written.", TypeRef("ID"), COMMENT_ID
)
_EDIT, _SIGN, _ACTIVATE = Permission.EDIT_ACCORD, Permission.SIGN_ACCORD, Permission.ACTIVATE_ACCORD

ACCORD_MUTATIONS: tuple[Mutation, ...] = (
    command_mutation(ProposeAccord, propose_accord, _EDIT, (), (_ACCORD,)),
    command_mutation(EditAccord, edit_accord, _EDIT, (), (_ACCORD,)),
    command_mutation(SubmitAccord, submit_accord, _EDIT, (), (_ACCORD,)),
    command_mutation(RequestAccordChanges, request_accord_changes, _EDIT, (), (_ACCORD, _COMMENT_ID)),
    command_mutation(WithdrawAccord, withdraw_accord, _EDIT, (), (_ACCORD,)),
    command_mutation(SignAccord, sign_accord, _SIGN, (), (_ACCORD,)),
    command_mutation(RevokeSignature, revoke_signature, _SIGN, (), (_ACCORD,)),
    command_mutation(ActivateAccord, activate_accord, _ACTIVATE, (), (_ACCORD,)),
    command_mutation(CommentAccord, comment_accord, _EDIT, (), (_ACCORD, _COMMENT_ID)),
    command_mutation(ResolveComment, resolve_comment, _EDIT, (), (_ACCORD,)),
)
