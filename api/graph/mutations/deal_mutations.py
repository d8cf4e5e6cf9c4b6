"""The mutations of deals that are verbs."""

from api.graph.declared import TypeRef
from api.graph.mutations.command_mutation import command_mutation
from api.graph.mutations.mutation import Mutation, outcome_value, record_of
from api.workflows.deals.close_deal import CloseDeal, close_deal
from api.workflows.deals.move_deal import MoveDeal, move_deal
from api.workflows.deals.remove_deal_role import RemoveDealRole, remove_deal_role
from api.workflows.deals.reopen_deal import ReopenDeal, reopen_deal
from api.workflows.deals.set_deal_role import SetDealRole, set_deal_role
from schema.access.rights import Permission

_DEAL, _CONTACT = record_of("deal"), record_of("contact")
_STATUS = (outcome_value("status", "What became of the deal.", TypeRef("WriteStatus")),)
_ROLE_STATUS = (outcome_value("status", "What became of the role.", TypeRef("WriteStatus")),)

DEAL_MUTATIONS: tuple[Mutation, ...] = (
    command_mutation(MoveDeal, move_deal, Permission.EDIT_RECORDS, (_DEAL,), _STATUS),
    command_mutation(CloseDeal, close_deal, Permission.EDIT_RECORDS, (_DEAL,)),
    command_mutation(ReopenDeal, reopen_deal, Permission.EDIT_RECORDS, (_DEAL,)),
    command_mutation(SetDealRole, set_deal_role, Permission.EDIT_RECORDS, (_DEAL, _CONTACT), _ROLE_STATUS),
    command_mutation(RemoveDealRole, remove_deal_role, Permission.EDIT_RECORDS, (_DEAL, _CONTACT)),
)
