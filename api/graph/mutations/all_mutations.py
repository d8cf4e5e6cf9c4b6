"""All mutations of the contract. A new one has to be added here."""

from api.graph.mutations.access_mutations import ACCESS_MUTATIONS
from api.graph.mutations.accord_mutations import ACCORD_MUTATIONS
from api.graph.mutations.deal_mutations import DEAL_MUTATIONS
from api.graph.mutations.handoff_mutations import HANDOFF_MUTATIONS
from api.graph.mutations.import_mutations import IMPORT_MUTATIONS
from api.graph.mutations.mutation import Mutation
from api.graph.mutations.people_mutations import PEOPLE_MUTATIONS
from api.graph.mutations.record_mutations import record_mutations
from api.graph.mutations.touchpoint_mutations import TOUCHPOINT_MUTATIONS

MUTATIONS: tuple[Mutation, ...] = (
    *record_mutations(),
    *DEAL_MUTATIONS,
    *TOUCHPOINT_MUTATIONS,
    *HANDOFF_MUTATIONS,
    *PEOPLE_MUTATIONS,
    *IMPORT_MUTATIONS,
    *ACCESS_MUTATIONS,
    *ACCORD_MUTATIONS,
)
