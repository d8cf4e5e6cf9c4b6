"""Re-evaluation of some contacts, in the transaction that changed their facts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from asyncpg import Record

from api.db import WriteSession
from api.funnel.compiled_accord import CurrentEvaluation, current_evaluation
from api.funnel.contact_statement import ContactStatement
from api.funnel.derivation import derived_entries, use_nested_loops
from api.funnel.evaluation_locks import WriterLocks, lock_contacts
from api.funnel.lifetimes import VisibleFacts, bound_instant
from api.funnel.people import People, people_of
from api.funnel.stored_entries import COMPARED, KEY, differing_entries, entry_changes, with_tables, writing_tables
from api.funnel.wake_ups import wake_up_rows, wake_up_tables
from api.sql import Sql, bound_values

# Above this number of contacts the derivation through temporary tables is faster than one statement. See README.
MOST_IN_ONE_STATEMENT = 250


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
    session: WriteSession, contacts: Collection[UUID], *, as_of: datetime | None = None
) -> EntryChanges:
    """Evaluate some contacts again, by the accord of the current evaluation, and store the entries that differ.

    The caller has written its facts; of what it does after that, nothing may wait for a lock. Contacts that were merged
    are evaluated with their survivors. Without a current evaluation there is nothing to do.

    Shapes: contacts -> the changes of their entries. Writes stage_entry, wake_up, and touched_contact while an
            evaluation of all contacts runs.
    Units:  instants UTC; facts later than `as_of` (default: now, by the server's clock) do not count.
    Errors: asyncpg.LockNotAvailableError if a lock is not free within the `lock_timeout` of the session.
    Source: api/README.md, "The evaluator".
    """
    if not contacts:
        return ()
    locks, people = await _locked_people(session, contacts)
    current = await current_evaluation(session)
    if current is None:
        return ()
    if locks.is_evaluating:
        touched = Sql("insert into touched_contact (contact_id) select unnest({}::uuid[])", list(people.contacts))
        await session.run(touched)
    return await evaluate_people(session, current, people, as_of or locks.as_of)


async def evaluate_people(
    session: WriteSession, current: CurrentEvaluation, people: People, as_of: datetime
) -> EntryChanges:
    """Evaluate people whose locks are held, and store the entries that differ."""
    if len(people.contacts) > MOST_IN_ONE_STATEMENT:
        rows = await _through_tables(session, current, people, as_of)
    else:
        statement = current.compiled.statement(has_merged=people.has_merged)
        rows = await _in_one_statement(session, statement, current.id, people, as_of)
    return tuple(
        EntryChange(row["contact_id"], row["stage"], row["occurrence"], EntryChangeKind(row["kind"])) for row in rows
    )


async def _locked_people(session: WriteSession, contacts: Collection[UUID]) -> tuple[WriterLocks, People]:
    """Lock contacts with all that are merged with them."""
    locks = await lock_contacts(session, contacts)
    people = await people_of(session, contacts)
    # A merge that was committed while this waited for its locks joins more contacts. To wait for their locks out of
    # order can end in a deadlock, which PostgreSQL resolves; that needs three writers of one person at one moment.
    locked = frozenset(contacts)
    while not people.contacts <= locked:
        locked = people.contacts
        locks = await lock_contacts(session, locked)
        people = await people_of(session, locked)
    return locks, people


async def _in_one_statement(
    session: WriteSession, statement: ContactStatement, evaluation_id: UUID, people: People, as_of: datetime
) -> list[Record]:
    """Run the statement for a few contacts, prepared once for each connection."""
    # Planning takes ten times as long as running the plan, and for a few contacts no other plan is better.
    await session.script("set local plan_cache_mode = force_generic_plan")
    parameters = {"contacts": list(people.contacts), "as_of": as_of, "evaluation": evaluation_id}
    return await session.connection.fetch(statement.text, *bound_values(statement.values, parameters))


async def _through_tables(
    session: WriteSession, current: CurrentEvaluation, people: People, as_of: datetime
) -> list[Record]:
    """Derive the entries of many contacts through temporary tables."""
    concerned = Sql("{}::uuid[]", list(people.contacts))
    evaluation_id = Sql("{}::uuid", current.id)
    async with derived_entries(session, current.compiled.periods, as_of, concerned=concerned) as derived:
        # Stored first: where they are derived and compared by one statement, the planner misjudges their number.
        columns = ", ".join((*KEY, *COMPARED))
        await session.script(
            f"create temp table funnel_derived on commit drop as select {columns} from stage_entry where false"
        )
        await session.run(Sql(f"insert into funnel_derived ({columns}) select {columns} from ({{}}) d", derived))
        await session.script("analyze funnel_derived")
        await use_nested_loops(session, is_on=True)
        facts = VisibleFacts(bound_instant(as_of), people.has_merged, concerned)
        stored = Sql(
            "select * from stage_entry where evaluation_id = {} and {}", evaluation_id, facts.among("contact_id")
        )
        tables = (
            ("differing", differing_entries(stored, Sql("select * from funnel_derived"))),
            *writing_tables(evaluation_id, "differing"),
            *wake_up_tables(wake_up_rows(current.compiled.ladder, facts), facts.among("w.contact_id")),
        )
        rows = await session.rows(Sql("{}\n{}", with_tables(tables), entry_changes("differing")))
        await session.script("drop table funnel_derived")
    return rows
