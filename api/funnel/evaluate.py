"""The full rebuild: derive the stage entries of every contact, and store them as the current evaluation."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from api.access.evaluation import CURRENT_EVALUATION, is_current
from api.accord.in_force import accord_periods
from api.db import WriteSession
from api.funnel.derivation import derived_entries
from api.funnel.entry_events import write_differing_entries
from api.funnel.following.compiled_accord import CurrentEvaluation, compiled_accord
from api.funnel.following.concerned import LINKED, linked_contacts_of
from api.funnel.following.evaluation_locks import lock_evaluation, lock_storing
from api.funnel.following.follow_deals import DEALS_OF, deals_of, store_deals
from api.funnel.following.people import people_of
from api.funnel.following.reevaluate import EntryChanges, evaluate_people
from api.funnel.journeys.deal_rows import deal_rows
from api.funnel.journeys.deal_spans import deal_spans
from api.funnel.journeys.journey_rows import entry_rows, handoff_rows
from api.funnel.journeys.journey_tables import DEALS, ENTRIES, HANDOFFS, SPANS
from api.funnel.journeys.stored_journeys import all_journeys
from api.funnel.ladder import Ladder
from api.funnel.lifetimes import VisibleFacts, bound_instant
from api.funnel.stored_entries import stored_whole
from api.funnel.wake_ups import wake_up_rows
from api.outbox.positions import expire_cursors
from api.progress import Progress
from api.sql import Sql, name
from api.telemetry.instruments import ENTRIES_WRITTEN
from schema.accord_vocab import Reading
from schema.base import new_id

# The columns by which statements find and join rows. To analyze all the others takes as long again, and autovacuum does
# it soon: PostgreSQL does not count this as an analysis of the table.
_ANALYZE_ENTRIES = (
    "analyze stage_entry"
    " (evaluation_id, contact_id, stage, rank, occurrence, entered_at, own_at, exited_at, present_at)"
)
_ANALYZE_JOURNEYS = (
    "analyze journey (evaluation_id, contact_id, stage, counted_at, is_entry, is_own, not_counted, merged_count);"
    " analyze handoff_journey (evaluation_id, contact_id, handoff_id, counted_at, status, not_counted, merged_count);"
    " analyze deal_journey"
    " (evaluation_id, deal_id, event, counted_at, outcome, customer, not_counted, is_negative);"
    " analyze deal_span (evaluation_id, deal_id, starts_at, ends_at, not_counted)"
)
_WATERMARK = Sql(
    "select max(at) from ("
    + " union all ".join(
        f"select max(recorded_at) as at from {table}"
        for table in ("contact_version", "company_version", "deal_version", "touchpoint", "handoff")
    )
    + " union all select max(decision_recorded_at) from handoff"
    + ") facts"
)


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """The stored evaluation, and its number of entries by stage key, from the lowest stage up; dropped stages count.

    `watermark` is when the latest fact was recorded; None without facts.
    """

    evaluation_id: UUID
    as_of: datetime
    watermark: datetime | None
    entries: dict[str, int]


@dataclass(frozen=True, slots=True)
class TouchedPeople:
    """The contacts that writers touched while an evaluation ran, and the changes of their entries in it."""

    contacts: frozenset[UUID] = frozenset()
    changes: EntryChanges = ()


async def evaluate(
    session: WriteSession, *, as_of: datetime | None = None, progress: Progress | None = None
) -> EvaluationResult:
    """Judge every contact by the versions in force, and make the result the current evaluation.

    A transaction that brings a version into force calls `begin_evaluation`, changes the rows of `accord_version`, and
    calls this: readers see the former version and its entries until the commit, and then the new ones, all at once.
    Writers go on meanwhile, and re-evaluate what they change in the evaluation before. They wait for the last step
    alone, in which the contacts that they touched are evaluated once more. The entries of the evaluation before stay
    until `discard_former_entries`: deleting them here would keep the writers waiting.

    Shapes: facts + versions in force -> stage entries. Writes evaluation (1), stage_entry, wake_up and journeys (all),
            and outbox_event for entries that differ from those before. The first evaluation expires cursors instead.
    Units:  instants UTC; facts later than `as_of` (default: now, by the server's clock) do not count.
    Errors: NO_ACCORD; ValueError in a transaction whose statements all read one snapshot: it would miss those changes.
    Source: api/README.md, "The evaluator".
    """
    # The versions are read under the lock, so that the result stored last is judged by the versions in force then.
    await begin_evaluation(session)
    former: UUID | None = await session.value(Sql("select {}", CURRENT_EVALUATION))
    compiled = compiled_accord(await accord_periods(session))
    started_at = await session.value(Sql("select clock_timestamp()"))
    evaluated_at = as_of or started_at
    async with derived_entries(session, compiled.periods, evaluated_at, progress) as derived:
        evaluation_id = await _store(session, compiled.periods[-1].version_id, started_at, derived)
        has_merged = await session.value(Sql("select exists (select from funnel_merged)"))
        facts = VisibleFacts(bound_instant(evaluated_at), has_merged)
        await store_journeys(session, evaluation_id, compiled.ladder, facts)
        wake_ups = await _stored_wake_ups(session, wake_up_rows(compiled.ladder, facts))
    if former is not None:
        await write_differing_entries(session, former, evaluation_id)
    await lock_storing(session)
    await session.run(Sql("delete from wake_up"))
    await session.run(Sql("insert into wake_up (contact_id, due_at) {}", wake_ups))
    await session.script("drop table funnel_wake_up")
    touched = await evaluate_touched(session, CurrentEvaluation(evaluation_id, compiled), as_of)
    if former is not None and touched.contacts:
        await write_differing_entries(session, former, evaluation_id, touched.contacts)
    result = await _made_current(session, compiled.ladder, evaluation_id, evaluated_at)
    if former is None:
        await expire_cursors(session)  # everybody enters stages at once
    return result


async def begin_evaluation(session: WriteSession) -> None:
    """Begin an evaluation: from here on, writers list the contacts that they touch.

    A transaction that writes records first, such as an import, begins before it locks any of them: this waits for the
    writers at work, which may wait for rows. Evaluations wait for each other here; readers do not wait, and read the
    evaluation before. To begin again in the same transaction is harmless.

    Errors: ValueError in a transaction whose statements all read one snapshot.
    """
    if await session.value(Sql("select current_setting('transaction_isolation')")) != "read committed":
        raise ValueError("an evaluation needs the isolation level READ COMMITTED")
    await lock_evaluation(session)


async def evaluate_touched(
    session: WriteSession, evaluation: CurrentEvaluation, as_of: datetime | None = None
) -> TouchedPeople:
    """Evaluate the contacts again whose facts writers changed since the evaluation began to read.

    Writers must be kept from storing. The contacts that are linked to a touched source are looked up here, because the
    writer does not see the links that an import has not committed.
    """
    touched: set[UUID] = set()
    deals: set[UUID] = set()
    tables = await session.rows(
        Sql("select record_type, array_agg(distinct record_id) as ids from touched_record group by record_type")
    )
    for table, ids in tables:
        if table in LINKED:
            touched |= await linked_contacts_of(session, table, Sql("{}::uuid[]", ids))
        else:
            touched.update(ids)
        if table in DEALS_OF:
            deals |= await deals_of(session, table, Sql("{}::uuid[]", ids))
    await store_deals(session, evaluation, deals)
    if not touched:
        return TouchedPeople()
    now = await session.value(Sql("select clock_timestamp()"))
    people = await people_of(session, touched)
    changes = await evaluate_people(session, evaluation, people, as_of or now)
    await session.script("delete from touched_record")
    return TouchedPeople(frozenset(people.contacts), changes)


async def discard_former_entries(session: WriteSession) -> int:
    """Delete the entries of evaluations that are no longer current; the number of entries.

    An evaluation that runs is not touched: its rows are not visible before it is current.
    """
    # `in`, not `<>` the current one: an index finds the entries of some evaluations, and not all but one. Those of
    # other readings have no `finished_at` before they are kept, and `last_read_at` while they are.
    former = Sql("select id from evaluation where not is_current and last_read_at is null and finished_at is not null")
    for table in (ENTRIES, HANDOFFS, DEALS, SPANS):
        await session.run(Sql("delete from {} where evaluation_id in ({})", name(table.name), former))
    deleted = await session.run(Sql("delete from stage_entry where evaluation_id in ({})", former))
    entries = int(deleted.rpartition(" ")[2])
    if entries:
        await session.script(f"{_ANALYZE_ENTRIES}; {_ANALYZE_JOURNEYS}")
    return entries


async def _stored_wake_ups(session: WriteSession, rows: Sql) -> Sql:
    """Store wake-ups in a temp table while the tables of the derivation exist; returns the select that reads it."""
    await session.script(
        "create temp table funnel_wake_up (contact_id uuid not null, due_at timestamptz not null) on commit drop"
    )
    await session.run(Sql("insert into funnel_wake_up (contact_id, due_at) {}", rows))
    return Sql("select contact_id, due_at from funnel_wake_up")


async def _store(session: WriteSession, version_id: UUID, started_at: datetime, derived: Sql) -> UUID:
    """Store the derived entries as an evaluation that is not current yet."""
    evaluation_id = new_id()
    await session.run(
        Sql(
            "insert into evaluation (id, reading, accord_version_id, started_at, has_journeys)"
            " values ({}, {}, {}, {}, true)",
            evaluation_id,
            Reading.IN_FORCE.value,
            version_id,
            started_at,
        )
    )
    await session.run(stored_whole(evaluation_id, derived))
    await session.script(_ANALYZE_ENTRIES)
    return evaluation_id


async def store_journeys(session: WriteSession, evaluation_id: UUID, ladder: Ladder, facts: VisibleFacts) -> None:
    """Store the journeys of everybody, from the stored entries of an evaluation.

    Reads `funnel_merged` if `facts` have merged contacts. Writes journey, handoff_journey, deal_journey and
    deal_span (all).
    """
    entries = Sql("select * from stage_entry where evaluation_id = {}", evaluation_id)
    await session.run(all_journeys(ENTRIES, evaluation_id, entry_rows(ladder, entries, facts)))
    await session.run(all_journeys(HANDOFFS, evaluation_id, handoff_rows(ladder, facts)))
    await session.run(all_journeys(DEALS, evaluation_id, deal_rows(ladder)))
    await session.run(all_journeys(SPANS, evaluation_id, deal_spans(ladder)))
    await session.script(_ANALYZE_JOURNEYS)


async def _made_current(
    session: WriteSession, ladder: Ladder, evaluation_id: UUID, evaluated_at: datetime
) -> EvaluationResult:
    """Make an evaluation the current one: readers see it when the transaction commits."""
    await session.run(Sql("update evaluation v set is_current = false where {}", is_current("v")))
    watermark = await session.value(
        Sql(
            "update evaluation set is_current = true, watermark = ({}), finished_at = clock_timestamp() where id = {}"
            " returning watermark",
            _WATERMARK,
            evaluation_id,
        )
    )
    counts = await _counts(session, ladder, evaluation_id)
    session.after_commit(partial(ENTRIES_WRITTEN.inc, sum(counts.values())))
    return EvaluationResult(evaluation_id, evaluated_at, watermark, counts)


async def _counts(session: WriteSession, ladder: Ladder, evaluation_id: UUID) -> dict[str, int]:
    rows = await session.rows(
        Sql("select stage, count(*) as n from stage_entry where evaluation_id = {} group by stage", evaluation_id)
    )
    counted = {row["stage"]: row["n"] for row in rows}
    return {rung.key: counted.get(rung.key, 0) for rung in ladder.rungs}
