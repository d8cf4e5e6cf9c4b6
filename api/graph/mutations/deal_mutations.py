"""The mutations of deals that are verbs."""

from api.graph.mutations.command_mutation import command_mutation
from api.graph.mutations.mutation import Mutation, record_of
from api.workflows.deals.move_deal import MoveDeal, move_deal
from schema.access.rights import Permission

DEAL_MUTATIONS: tuple[Mutation, ...] = (
    command_mutation(MoveDeal, move_deal, Permission.EDIT_RECORDS, (record_of("deal"),)),
)
