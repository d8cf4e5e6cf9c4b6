"""The mutations of handoffs."""

from api.graph.mutations.command_mutation import command_mutation
from api.graph.mutations.mutation import Mutation, record_of
from api.workflows.handoffs.accept_handoff import AcceptHandoff, accept_handoff
from api.workflows.handoffs.hand_off import HandOff, hand_off
from api.workflows.handoffs.reject_handoff import RejectHandoff, reject_handoff
from api.workflows.handoffs.resubmit_handoff import ResubmitHandoff, resubmit_handoff
from api.workflows.handoffs.return_handoff import ReturnHandoff, return_handoff
from schema.access.rights import Permission

_HANDOFF = (record_of("handoff"),)

HANDOFF_MUTATIONS: tuple[Mutation, ...] = (
    command_mutation(HandOff, hand_off, Permission.EDIT_RECORDS, _HANDOFF),
    command_mutation(AcceptHandoff, accept_handoff, Permission.EDIT_RECORDS, _HANDOFF),
    command_mutation(RejectHandoff, reject_handoff, Permission.EDIT_RECORDS, _HANDOFF),
    command_mutation(ReturnHandoff, return_handoff, Permission.EDIT_RECORDS, _HANDOFF),
    command_mutation(ResubmitHandoff, resubmit_handoff, Permission.EDIT_RECORDS, _HANDOFF),
)
