"""Evaluates the funnel after an import: everybody, or only those whom the import concerns where that is cheaper."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from api.access.scope import subject_links
from api.accord.in_force import accord_in_force
from api.db import WriteSession
from api.funnel.evaluate import evaluate
from api.funnel.evaluate_some import evaluate_some
from api.funnel.following.compiled_accord import CurrentEvaluation, current_evaluation
from api.funnel.following.concerned import LINKED, linked_contacts_of
from api.funnel.following.follow_deals import DEALS_OF, deals_of, store_deals
from api.funnel.journeys.small_tables import outdate_sums
from api.intake.record_events import written_rows
from api.intake.upsert import MOVED_FACTS
from api.progress import Progress
from api.sql import Sql, name

# Measured with 100,000 contacts: some cost 0.1 ms of PostgreSQL each, everybody 6 s, so that half of them would be
# cheaper still. But writers wait while the entries of some are stored, and not while those of everybody are.
LARGEST_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class EvaluatedPeople:
    """How many contacts were evaluated, of how many."""

    contacts: int
    of: int


async def evaluate_import(session: WriteSession, tables: Collection[str], progress: Progress) -> EvaluatedPeople:
    """Evaluate the contacts whom the records concern that an import wrote to `tables`, or everybody.

    Shapes: the merged records of this transaction -> EvaluatedPeople. Writes what the evaluation writes.
    Errors: as `evaluate`.
    """
    await outdate_sums(session, tables)
    written = {
        table: await written_rows(session, table, Sql("n.id" if _is_known_by_id(table) else "n.contact_id"))
        for table in tables
        if _is_known_by_id(table) or _is_fact(table)
    }
    if await session.value(Sql("select to_regclass({}) is not null", f"pg_temp.{MOVED_FACTS}")):
        written[MOVED_FACTS] = Sql("select contact_id from {}", name(MOVED_FACTS))
    return await evaluate_written(session, written, progress)


async def evaluate_written(session: WriteSession, written: Mapping[str, Sql], progress: Progress) -> EvaluatedPeople:
    """Evaluate the contacts whom written records concern, or everybody.

    The caller has called `begin_evaluation` before it wrote records. Everybody is evaluated if the records concern more
    than `LARGEST_SHARE` of all contacts, and if there is no evaluation by the accord in force.

    Shapes: selects by table, of the ids of records, or for facts of their contacts -> EvaluatedPeople. Writes what the
            evaluation writes.
    Errors: as `evaluate`.
    """
    count = await session.value(Sql("select count(*) from contact"))
    current = await current_evaluation(session)
    if current is not None and current.compiled.periods[-1].version_id == (await accord_in_force(session)).id:
        contacts = await _concerned(session, written, current)
        if len(contacts) <= LARGEST_SHARE * count:
            evaluated = await evaluate_some(session, current, contacts, progress) if contacts else 0
            await store_deals(session, current, await _concerned_deals(session, written))
            return EvaluatedPeople(evaluated, count)
    await evaluate(session, progress=progress)
    return EvaluatedPeople(count, count)


def _is_known_by_id(table: str) -> bool:
    """Whether the contacts whom records of a table concern are found by the ids of the records."""
    return table == "contact" or table in LINKED


def _is_fact(table: str) -> bool:
    return any(link == "contact_id" for link, _ in subject_links(table))


async def _concerned(session: WriteSession, written: Mapping[str, Sql], current: CurrentEvaluation) -> frozenset[UUID]:
    """Find the contacts that written records concern."""
    read: Mapping[str, frozenset[str]] = current.compiled.columns
    found: set[UUID] = set()
    for table, ids in written.items():
        if table in LINKED:
            if table in read:
                found |= await linked_contacts_of(session, table, ids)
        elif table == "contact":
            found |= await _ids(session, ids)
            # Whom a contact was merged into before evaluates fewer facts now.
            former = (
                "select merged_into_id from contact_version where merged_into_id is not null and contact_id in ({})"
            )
            found |= await _ids(session, Sql(former, ids))
        elif table in read or table == MOVED_FACTS:
            found |= await _ids(session, ids)
    return frozenset(found)


async def _concerned_deals(session: WriteSession, written: Mapping[str, Sql]) -> frozenset[UUID]:
    """Find the deals whose journeys follow from written records: deals, their companies, and the people on them."""
    found: set[UUID] = set()
    for table, ids in written.items():
        owner = "contact" if table == "deal_contact" else table
        if owner in DEALS_OF:
            found |= await deals_of(session, owner, Sql("array({})", ids))
    return frozenset(found)


async def _ids(session: WriteSession, select: Sql) -> frozenset[UUID]:
    return frozenset(row[0] for row in await session.rows(Sql("select distinct * from ({}) ids", select)))
