"""Re-evaluation of many contacts: derived through temporary tables, then compared with what is stored, and stored."""

from datetime import datetime
from uuid import UUID

from asyncpg import Record

from api.db import WriteSession
from api.funnel.derivation import derived_entries, job_settings
from api.funnel.following.compiled_accord import CompiledAccord
from api.funnel.following.people import People
from api.funnel.journeys.journey_rows import contact_rows
from api.funnel.journeys.stored_journeys import contact_tables, one_of
from api.funnel.lifetimes import VisibleFacts, bound_instant
from api.funnel.stored_entries import COMPARED, KEY, differing_entries, entry_changes, with_tables, writing_tables
from api.funnel.wake_ups import wake_up_rows, wake_up_tables
from api.progress import Progress
from api.sql import Sql

_COLUMNS = ", ".join((*KEY, *COMPARED))


async def derive_many(
    session: WriteSession,
    compiled: CompiledAccord,
    people: People,
    as_of: datetime,
    progress: Progress | None = None,
) -> None:
    """Derive the entries and wake-ups of some people into temp tables, for `store_many`. Writes nothing permanent.

    Stored first, because where they are derived and compared by one statement, the planner misjudges their number.
    """
    concerned = Sql("{}::uuid[]", list(people.contacts))
    async with derived_entries(session, compiled.periods, as_of, progress, concerned=concerned) as derived:
        await session.script(
            f"create temp table funnel_derived on commit drop as select {_COLUMNS} from stage_entry where false;"
            " create temp table funnel_due on commit drop as select contact_id, due_at as at from wake_up where false"
        )
        await session.run(Sql(f"insert into funnel_derived select {_COLUMNS} from ({{}}) d", derived))
        await session.script("analyze funnel_derived")
        facts = VisibleFacts(bound_instant(as_of), people.has_merged, concerned)
        entries = Sql("select * from funnel_derived")
        journeys = contact_rows(compiled.ladder, entries, facts, facts.among("x.id"))
        await session.run(Sql("create temp table funnel_journeys on commit drop as {}", journeys))
        await session.run(Sql("insert into funnel_due {}", wake_up_rows(compiled.ladder, facts)))
    await session.script("analyze funnel_journeys; analyze funnel_due")


async def store_many(session: WriteSession, evaluation_id: UUID, people: People) -> list[Record]:
    """Store what `derive_many` derived for the same people, where it differs, and drop its temp tables.

    Shapes: one row per changed entry: contact_id, stage, occurrence, kind. Writes stage_entry, wake_up and journeys.
    """
    evaluation, ids = Sql("{}::uuid", evaluation_id), Sql("{}::uuid[]", list(people.contacts))
    stored = Sql("select * from stage_entry where evaluation_id = {} and contact_id = any({})", evaluation, ids)
    tables = (
        ("differing", differing_entries(stored, Sql("select * from funnel_derived"))),
        *writing_tables(evaluation, "differing", Sql("e.contact_id = any({})", ids)),
        *contact_tables(evaluation, "funnel_journeys", one_of(ids)),
        *wake_up_tables(Sql("select * from funnel_due"), Sql("w.contact_id = any({})", ids)),
    )
    async with job_settings(session, enable_nestloop="off"):
        rows = await session.rows(Sql("{}\n{}", with_tables(tables), entry_changes("differing")))
    await session.script("drop table funnel_derived, funnel_journeys, funnel_due")
    return rows
