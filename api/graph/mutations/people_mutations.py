"""The mutations of people and companies as a whole: merging them, and undoing merges."""

from api.graph.mutations.command_mutation import command_mutation
from api.graph.mutations.mutation import Mutation, PayloadRecord, record_of
from api.workflows.people.merge_companies import (
    MergeCompanies,
    UnmergeCompanies,
    merge_companies,
    unmerge_companies,
)
from api.workflows.people.merge_contacts import MergeContacts, UnmergeContacts, merge_contacts, unmerge_contacts
from schema.access.rights import Permission

_MERGING = Permission.MERGE_RECORDS


def _survivor(table: str) -> PayloadRecord:
    return PayloadRecord("survivor", table, "The record that it was merged into; null if nothing was written.")


PEOPLE_MUTATIONS: tuple[Mutation, ...] = (
    command_mutation(MergeContacts, merge_contacts, _MERGING, (record_of("contact"),)),
    command_mutation(UnmergeContacts, unmerge_contacts, _MERGING, (record_of("contact"), _survivor("contact"))),
    command_mutation(MergeCompanies, merge_companies, _MERGING, (record_of("company"),)),
    command_mutation(UnmergeCompanies, unmerge_companies, _MERGING, (record_of("company"), _survivor("company"))),
)
