"""Merging companies that are one, and undoing it."""

from dataclasses import dataclass

from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.people.merge_records import merge_records
from api.workflows.people.unmerge_records import unmerge_record
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class MergeCompanies:
    """The companies that are one."""

    survivor: Reference = argument("The company that remains.", table="company")
    merged: tuple[Reference, ...] = argument("The companies to merge into it, at most 100.", table="company")
    expected_version: int | None = argument(
        "The version of the survivor that you read; not compared if left out.", default=None
    )


@dataclass(frozen=True, slots=True)
class UnmergeCompanies:
    """The company that is a company of its own again."""

    company: Reference = argument(
        "The merged company, by its id: its external keys lead to its survivor.", table="company"
    )


async def merge_companies(work: UnitOfWork, do: MergeCompanies) -> Outcome:
    """Merge companies that are one into one of them. The survivor keeps its values, and takes those that it does not
    have. Contacts, deals and subsidiaries of the others belong to it from now on; their past stays as it was. External
    keys of all of them lead to the survivor. `unmergeCompanies` undoes it.

    Shapes: companies -> one survivor. Writes company, contact, deal, their versions, record_merge.
    Errors: NOT_ALLOWED for a company out of reach; TOO_LARGE; user errors NOT_FOUND, DELETED, MERGED, STALE_VERSION,
            CIRCLE, DUPLICATE, REQUIRED, TOO_LONG.
    """
    return await merge_records(work, "company", do.survivor, do.merged, do.expected_version)


async def unmerge_companies(work: UnitOfWork, do: UnmergeCompanies) -> Outcome:
    """Undo the merge of a company. It gets back contacts, deals and subsidiaries, and the survivor loses what it took
    from it, unless that was changed since. What was added to the survivor since stays with the survivor, and so does a
    subsidiary that stands above the company by now.

    Shapes: one company -> the company and its former survivor. Writes company, contact, deal, their versions,
            record_merge.
    Errors: NOT_ALLOWED if the survivor is out of reach; TOO_LARGE; user errors NOT_FOUND, WRONG_STATE, MERGED.
    """
    return await unmerge_record(work, "company", do.company, "company")
