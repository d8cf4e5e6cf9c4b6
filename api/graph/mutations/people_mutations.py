"""The mutations of people and companies as a whole: merging them, undoing merges, and erasing a person."""

from api.graph.declared import TypeRef
from api.graph.mutations.command_mutation import command_mutation
from api.graph.mutations.mutation import Mutation, PayloadRecord, outcome_value, record_of
from api.workflows.people.erase_person import ErasePerson, erase_person
from api.workflows.people.merge_companies import (
    MergeCompanies,
    UnmergeCompanies,
    merge_companies,
    unmerge_companies,
)
from api.workflows.people.merge_contacts import MergeContacts, UnmergeContacts, merge_contacts, unmerge_contacts
from schema.access.rights import Permission

_MERGING = Permission.MERGE_RECORDS
_FILES = "How many files of rejected rows on this machine held something of the person; null if nothing was written."


def _survivor(table: str) -> PayloadRecord:
    return PayloadRecord("survivor", table, "The record that it was merged into; null if nothing was written.")


PEOPLE_MUTATIONS: tuple[Mutation, ...] = (
    command_mutation(MergeContacts, merge_contacts, _MERGING, (record_of("contact"),)),
    command_mutation(UnmergeContacts, unmerge_contacts, _MERGING, (record_of("contact"), _survivor("contact"))),
    command_mutation(MergeCompanies, merge_companies, _MERGING, (record_of("company"),)),
    command_mutation(
        ErasePerson,
        erase_person,
        Permission.ERASE_PEOPLE,
        (record_of("contact"),),
        (outcome_value("files_changed", _FILES, TypeRef("Int")),),
    ),
    command_mutation(UnmergeCompanies, unmerge_companies, _MERGING, (record_of("company"), _survivor("company"))),
)
