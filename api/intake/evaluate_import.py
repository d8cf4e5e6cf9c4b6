"""Evaluates the funnel after an import: everybody, or only those whom the import concerns where that is cheaper."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from api.accord.in_force import accord_in_force
from api.db import WriteSession
from api.funnel.evaluate import begin_evaluation, evaluate
from api.funnel.evaluate_some import evaluate_some
from api.funnel.following.compiled_accord import CurrentEvaluation, current_evaluation
from api.funnel.following.concerned import LINKED, linked_contacts_of
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

    Everybody is evaluated if the import concerns more than `LARGEST_SHARE` of all contacts, and if there is no
    evaluation by the accord in force.

    Shapes: the merged records of this transaction -> EvaluatedPeople. Writes what the evaluation writes.
    Errors: as `evaluate`.
    """
    await begin_evaluation(session)
    count = await session.value(Sql("select count(*) from contact"))
    current = await current_evaluation(session)
    if current is not None and current.compiled.periods[-1].version_id == (await accord_in_force(session)).id:
        contacts = await _concerned(session, tables, current)
        if len(contacts) <= LARGEST_SHARE * count:
            evaluated = await evaluate_some(session, current, contacts, progress) if contacts else 0
            return EvaluatedPeople(evaluated, count)
    await evaluate(session, progress=progress)
    return EvaluatedPeople(count, count)


async def _concerned(session: WriteSession, tables: Collection[str], current: CurrentEvaluation) -> frozenset[UUID]:
    """Find the contacts that the written records concern."""
    read: Mapping[str, frozenset[str]] = current.compiled.columns
    found: set[UUID] = set()
    for table in tables:
        if table in LINKED and table in read:
            found |= await linked_contacts_of(session, table, await written_rows(session, table, Sql("n.id")))
        elif table == "contact":
            ids = await written_rows(session, table, Sql("n.id"))
            found |= await _ids(session, ids)
            # Whom a contact was merged into before evaluates fewer facts now.
            former = (
                "select merged_into_id from contact_version where merged_into_id is not null and contact_id in ({})"
            )
            found |= await _ids(session, Sql(former, ids))
        elif table in read:
            found |= await _ids(session, await written_rows(session, table, Sql("n.contact_id")))
    if await session.value(Sql("select to_regclass({}) is not null", f"pg_temp.{MOVED_FACTS}")):
        found |= await _ids(session, Sql("select contact_id from {}", name(MOVED_FACTS)))
    return frozenset(found)


async def _ids(session: WriteSession, select: Sql) -> frozenset[UUID]:
    return frozenset(row[0] for row in await session.rows(Sql("select distinct * from ({}) ids", select)))
