"""Re-evaluation of some contacts, in the transaction that changed their facts."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from uuid import UUID

from asyncpg import Record

from api.db import WriteSession
from api.funnel.following.compiled_accord import CurrentEvaluation
from api.funnel.following.contact_statement import ContactStatement
from api.funnel.following.evaluation_locks import WriterLocks, lock_contacts
from api.funnel.following.many_contacts import derive_many, store_many
from api.funnel.following.people import People, evaluated_people
from api.sql import Sql, bound_values
from api.telemetry.instruments import ENTRIES_WRITTEN

# Measured up to here: one statement takes less than the derivation through temporary tables (see api/README.md).
MOST_IN_ONE_STATEMENT = 10_000


class EntryChangeKind(StrEnum):
    """What happened to a stage entry."""

    ENTERED = "ENTERED"  # it is new; it may have ended already
    EXITED = "EXITED"
    CHANGED = "CHANGED"  # an instant of it, or the way in which it began or ended
    REMOVED = "REMOVED"  # it does not follow from the facts any more


@dataclass(frozen=True, slots=True)
class EntryChange:
    """A change of one stage entry."""

    contact_id: UUID
    stage: str
    occurrence: int
    kind: EntryChangeKind


EntryChanges = tuple[EntryChange, ...]


async def reevaluate(
    session: WriteSession,
    contacts: Collection[UUID],
    *,
    sources: Mapping[str, Collection[UUID]] = MappingProxyType({}),
    as_of: datetime | None = None,
) -> EntryChanges:
    """Evaluate some contacts again, by the accord of the current evaluation, and store the entries that differ.

    The caller has written its facts; of what it does after that, nothing may wait for a lock. Contacts that were merged
    are evaluated with their survivors. Without a current evaluation there is nothing to do. `sources` are the changed
    records, by table, that may be linked to more contacts by an import that has not committed yet.

    Shapes: contacts -> the changes of their entries. Writes stage_entry, wake_up, and touched_record while a job
            evaluates contacts.
    Units:  instants UTC; facts later than `as_of` (default: now, by the server's clock) do not count.
    Errors: asyncpg.LockNotAvailableError if a lock is not free within the `lock_timeout` of the session.
    Source: api/README.md, "The evaluator".
    """
    if not contacts and not sources:
        return ()
    locks, people, current = await _locked_people(session, contacts)
    if locks.is_evaluating:
        await _list_touched(session, {**sources, "contact": people.contacts})
    if current is None or not people.contacts:
        return ()
    return await evaluate_people(session, current, people, as_of or locks.as_of)


async def evaluate_people(
    session: WriteSession, current: CurrentEvaluation, people: People, as_of: datetime
) -> EntryChanges:
    """Evaluate people whose locks are held, and store the entries that differ."""
    if len(people.contacts) > MOST_IN_ONE_STATEMENT:
        # The plans for many depend on how many.
        await session.script("set local plan_cache_mode = auto")
        await derive_many(session, current.compiled, people, as_of)
        rows = await store_many(session, current.id, people)
    else:
        statement = current.compiled.statement(has_merged=people.has_merged)
        rows = await _in_one_statement(session, statement, current.id, people, as_of)
    session.after_commit(partial(ENTRIES_WRITTEN.inc, len(rows)))
    return entry_changes_of(rows)


def entry_changes_of(rows: Iterable[Record]) -> EntryChanges:
    """Return the changes that the rows of `store_many`, or of the statement for a few contacts, report."""
    return tuple(
        EntryChange(row["contact_id"], row["stage"], row["occurrence"], EntryChangeKind(row["kind"])) for row in rows
    )


async def _list_touched(session: WriteSession, records: Mapping[str, Collection[UUID]]) -> None:
    """List records for the job that evaluates contacts at the same time."""
    await session.run(
        Sql(
            "insert into touched_record (record_type, record_id) select * from unnest({}::text[], {}::uuid[])",
            [table for table, ids in records.items() for _ in ids],
            [identifier for ids in records.values() for identifier in ids],
        )
    )


async def _locked_people(
    session: WriteSession, contacts: Collection[UUID]
) -> tuple[WriterLocks, People, CurrentEvaluation | None]:
    """Lock contacts with all that are merged with them. Return them with the evaluation that is current by then."""
    locks = await lock_contacts(session, contacts)
    if not contacts:
        return locks, People(frozenset(), has_merged=False), None
    people, current = await evaluated_people(session, contacts)
    # A merge that was committed while this waited for its locks joins more contacts. To wait for their locks out of
    # order can end in a deadlock, which PostgreSQL resolves; that needs three writers of one person at one moment.
    locked = frozenset(contacts)
    while not people.contacts <= locked:
        locked = people.contacts
        locks = await lock_contacts(session, locked)
        people, current = await evaluated_people(session, locked)
    return locks, people, current


async def _in_one_statement(
    session: WriteSession, statement: ContactStatement, evaluation_id: UUID, people: People, as_of: datetime
) -> list[Record]:
    """Run the statement for a few contacts, prepared once for each connection."""
    # Planning takes ten times as long as running the plan, and for a few contacts no other plan is better. Its joins
    # are of small sets, which the planner cannot know: without nested loops, their cost does not grow with the square.
    await session.script("set local plan_cache_mode = force_generic_plan; set local enable_nestloop = off")
    parameters = {"contacts": list(people.contacts), "as_of": as_of, "evaluation": evaluation_id}
    return await session.connection.fetch(statement.text, *bound_values(statement.values, parameters))
