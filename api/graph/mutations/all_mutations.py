"""All mutations of the contract. A new one has to be added here."""

from api.graph.mutations.access_mutations import access_mutations
from api.graph.mutations.deal_mutations import DEAL_MUTATIONS
from api.graph.mutations.mutation import Mutation
from api.graph.mutations.record_mutations import record_mutations

MUTATIONS: tuple[Mutation, ...] = (*record_mutations(), *DEAL_MUTATIONS, *access_mutations())
