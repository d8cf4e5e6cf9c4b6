"""Erasing a person: everything that identifies them goes, everywhere; what was counted stays counted."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from api.db import AdvisoryLock
from api.identity.erased_keys import address_text, keep_erased, key_text
from api.intake.external_keys import ADDED_KEY
from api.sql import Sql, join, name
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.people.erased_columns import erased_values, fact_tables
from api.workflows.people.erased_files import erase_in_files, identifiers_of, reject_folders
from api.workflows.people.erased_history import redact_contacts
from api.workflows.people.locked_family import lock_reached, referred_ids
from api.workflows.records.record_input import Reference
from api.workflows.records.stored_rows import lock_rows, merged_ids, survivors_of
from api.workflows.unit_of_work import UnitOfWork
from schema.corrections import correction_name
from schema.tables import SHAPES
from schema.writes.changes import ChangeType
from schema.writes.erasure_reasons import ErasureReason
from schema.writes.user_errors import UserErrorCode

MAX_REFERENCE = 64
# A number, and no place for a name or an address: neither spaces nor @.
_REFERENCE = re.compile(rf"[A-Za-z0-9_./#:-]{{1,{MAX_REFERENCE}}}")


@dataclass(frozen=True, slots=True)
class ErasePerson:
    """The person to erase."""

    contact: Reference = argument(
        "The contact. Those that are merged with it are the same person, and are erased, too.", table="contact"
    )
    reason: ErasureReason | None = argument(
        "Why the person is erased. If left out or null: REQUESTED. The contact and the audit keep it.", default=None
    )
    reference: str | None = argument(
        "The number of the request or ticket, such as DSR-2041, without any personal data: letters, digits and"
        f" - _ . / # : only, {MAX_REFERENCE} characters at most. The contact and the audit keep it.",
        default=None,
    )

    @property
    def kept(self) -> dict[str, object]:
        """The columns that say why the person was erased."""
        reason = self.reason or ErasureReason.REQUESTED
        return {"erasure_reason": reason.value, "erasure_reference": self.reference}


async def erase_person(work: UnitOfWork, do: ErasePerson) -> Outcome:
    """Erase a person. Names, addresses, telephone numbers, job titles and notes are replaced in the contact, its
    history, its handoffs, the audit and the files of rejected rows, and its external keys are removed. What was counted
    stays counted. Later imports skip the person, by keyed hashes of addresses and keys. This cannot be undone.

    Shapes: one contact -> the contact, and all merged with it. Writes contact, contact_version, touchpoint, handoff
            and their former rows, audit_event, record_merge, import_change, external_key, erased_key, erasure_secret;
            files of rejected rows.
    Errors: NOT_ALLOWED if a contact that is merged with it is out of reach; BUSY during an import; user errors
            NOT_FOUND, ERASED, INVALID.
    """
    # An import that has read its rows already would bring the person back.
    await work.session.lock(AdvisoryLock.LOADING)
    people = await _person(work, do.contact)
    if do.reference is not None and not _REFERENCE.fullmatch(do.reference):
        message = f"A reference has letters, digits and - _ . / # : only, and {MAX_REFERENCE} characters at most."
        work.reject(("reference",), UserErrorCode.INVALID, f"{message} It must not name the person.")
    work.require_valid()
    identifiers = await identifiers_of(work.session, people)
    await keep_erased(
        work.session,
        [*map(address_text, identifiers.emails), *(key_text(key.source, key.external_id) for key in identifiers.keys)],
    )
    await _remove_keys(work, people)
    await _redact_audit(work, people)
    await _redact_imports(work, people)
    await _redact_facts(work, people)
    await _redact_contacts(work, people, do.kept)
    for id_ in people:
        work.record(ChangeType.ERASED, "contact", id_, before=dict.fromkeys(do.kept), after=do.kept)
    files = await asyncio.to_thread(erase_in_files, await reject_folders(work.session), identifiers)
    return Outcome({"contact": people[0]}, values={"files_changed": files})


async def _person(work: UnitOfWork, reference: Reference) -> list[UUID]:
    """Return the ids of all contacts that are one person, locked, the survivor first; note what is wrong."""
    [named] = await referred_ids(work, SHAPES["contact"], [reference])
    stored = {} if named is None else await lock_rows(work, "contact", {named})
    if named is None or named not in stored:
        work.reject(("contact",), UserErrorCode.NOT_FOUND, "No record that you reach has this id or external key.")
        return []
    survivor = (await survivors_of(work, "contact", [named])).get(named, named)
    people = sorted(await merged_ids(work, "contact", survivor), key=lambda id_: id_ != survivor)
    rows = await lock_reached(work, SHAPES["contact"], people)
    if all(row["erased_at"] is not None for row in rows.values()):
        work.reject(("contact",), UserErrorCode.ERASED, "This person was erased before.")
    return people


async def _remove_keys(work: UnitOfWork, people: Sequence[UUID]) -> None:
    """Remove the external keys of the contacts and of their facts: by them other systems know the person."""
    await work.session.run(
        Sql("delete from external_key where entity = 'contact' and record_id = any({}::uuid[])", people)
    )
    for shape in fact_tables():
        if shape.has_id:
            facts = Sql("select id from {} where contact_id = any({}::uuid[])", name(shape.name), people)
            await work.session.run(
                Sql("delete from external_key where entity = {} and record_id in ({})", shape.name, facts)
            )


async def _redact_contacts(work: UnitOfWork, people: Sequence[UUID], kept: Mapping[str, object]) -> None:
    """Redact the contacts and their versions in place: no new version begins."""
    session = work.session
    await session.script("set local accord.history_is_given = on")
    await redact_contacts(session, people)
    erased = join(", ", (Sql("{} = {}", name(column), value) for column, value in kept.items()))
    erased = Sql("erased_at = {}, {}", work.started_at, erased)
    written = Sql("{}, updated_at = now(), row_version = row_version + 1", erased)
    await session.run(Sql("update contact set {} where id = any({}::uuid[])", written, people))
    is_last = Sql("contact_id = any({}::uuid[]) and valid_to is null", people)
    await session.run(Sql("update contact_version set {} where {}", erased, is_last))
    await session.script("set local accord.history_is_given = off")


async def _redact_facts(work: UnitOfWork, people: Sequence[UUID]) -> None:
    """Redact the facts and their former rows in place: nothing is kept of the values."""
    await work.session.script("set local accord.corrections_are_kept = off")
    is_theirs = Sql("contact_id = any({}::uuid[])", people)
    for shape in fact_tables():
        tables = (shape.name, correction_name(shape.name)) if shape.keeps_corrections else (shape.name,)
        for table in tables if erased_values(shape.name) else ():
            await work.session.run(Sql("update {} set {} where {}", name(table), _assigned(shape.name), is_theirs))
    await work.session.script("set local accord.corrections_are_kept = on")


def _assigned(table: str) -> Sql:
    """Return the assignments of placeholders to all columns that have a value."""
    return join(
        ", ",
        (
            Sql("{} = case when {} is not null then {} end", name(column), name(column), value)
            for column, value in erased_values(table).items()
        ),
    )


def _erased_records(people: Sequence[UUID]) -> Iterator[tuple[str, list[str], Sql]]:
    """Yield the tables with values to erase, the columns with such values, and a select of the ids of the rows."""
    for table in ("contact", *(shape.name for shape in fact_tables() if shape.has_id)):
        columns = list(erased_values(table))
        if columns:
            link = name("id" if table == "contact" else "contact_id")
            yield table, columns, Sql("select id from {} where {} = any({}::uuid[])", name(table), link, people)


async def _redact_imports(work: UnitOfWork, people: Sequence[UUID]) -> None:
    """Remove from what imports keep for their undoing the values, and the keys that they gave to the person."""
    for table, columns, ids in _erased_records(people):
        await work.session.run(
            Sql(
                "update import_change set before = before - {}::text[], after = after - {}::text[]"
                " where record_type = {} and row_key ->> 'id' in (select id::text from ({}) erased)",
                *(columns, columns, table, ids),
            )
        )
    await work.session.run(
        Sql(
            "delete from import_change where record_type = {} and after ->> 'record_id' = any({}::text[])",
            *(ADDED_KEY, [str(id_) for id_ in people]),
        )
    )


async def _redact_audit(work: UnitOfWork, people: Sequence[UUID]) -> None:
    """Remove the values from the audit, and from what merges keep."""
    for table, columns, ids in _erased_records(people):
        await work.session.run(
            Sql(
                "update audit_event set before = before - {}::text[], after = after - {}::text[]"
                " where record_type = {} and changed_id in ({})",
                *(columns, columns, table, ids),
            )
        )
    await work.session.run(
        Sql(
            "update record_merge set filled = filled - {}::text[] where record_id = any({}::uuid[])"
            " or survivor_id = any({}::uuid[])",
            *(list(erased_values("contact")), people, people),
        )
    )
