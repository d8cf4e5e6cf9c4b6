"""Merging contacts that are one person, and undoing it."""

from dataclasses import dataclass

from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.people.merge_records import merge_records
from api.workflows.people.unmerge_records import unmerge_record
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class MergeContacts:
    """The contacts that are one person."""

    survivor: Reference = argument("The contact that remains.", table="contact")
    merged: tuple[Reference, ...] = argument("The contacts to merge into it, at most 100.", table="contact")
    expected_version: int | None = argument(
        "The version of the survivor that you read; not compared if left out.", default=None
    )


@dataclass(frozen=True, slots=True)
class UnmergeContacts:
    """The contact that is a person of its own again."""

    contact: Reference = argument(
        "The merged contact, by its id: its external keys lead to its survivor.", table="contact"
    )


async def merge_contacts(work: UnitOfWork, do: MergeContacts) -> Outcome:
    """Merge contacts that are one person into one of them. The survivor keeps its values, and takes those that it does
    not have; an opt-out of either holds. Touchpoints, roles, handoffs and stages count as the survivor's. External keys
    of all of them lead to the survivor. `unmergeContacts` undoes it.

    Shapes: contacts -> one survivor. Writes contact, contact_version, deal_contact, record_merge.
    Errors: NOT_ALLOWED for a contact out of reach; user errors NOT_FOUND, DELETED, MERGED, STALE_VERSION, CIRCLE,
            DUPLICATE, REQUIRED, TOO_LONG.
    """
    return await merge_records(work, "contact", do.survivor, do.merged, do.expected_version)


async def unmerge_contacts(work: UnitOfWork, do: UnmergeContacts) -> Outcome:
    """Undo the merge of a contact. It gets back its facts, and the survivor loses what it took from it, unless that was
    changed since. What was added to the survivor since stays with the survivor.

    Shapes: one contact -> the contact and its former survivor. Writes contact, contact_version, deal_contact,
            record_merge.
    Errors: NOT_ALLOWED if the survivor is out of reach; user errors NOT_FOUND, WRONG_STATE, MERGED.
    """
    return await unmerge_record(work, "contact", do.contact, "contact")
