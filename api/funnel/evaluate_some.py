"""The evaluation of some contacts by a job that wrote their facts, such as an import: other writers go on meanwhile."""

from collections.abc import Collection
from uuid import UUID

from api.db import WriteSession
from api.funnel.entry_events import write_entry_events
from api.funnel.evaluate import evaluate_touched
from api.funnel.following.compiled_accord import CurrentEvaluation
from api.funnel.following.evaluation_locks import lock_storing
from api.funnel.following.many_contacts import derive_many, store_many
from api.funnel.following.people import people_of
from api.funnel.following.reevaluate import entry_changes_of
from api.progress import Progress
from api.sql import Sql


async def evaluate_some(
    session: WriteSession,
    current: CurrentEvaluation,
    contacts: Collection[UUID],
    progress: Progress | None = None,
) -> int:
    """Evaluate some contacts again in the current evaluation; how many people that were.

    The caller has called `begin_evaluation` before it looked whom its facts concern.
    As `evaluate`, it keeps writers waiting for its last step alone. That step stores the entries that differ, so that
    it is longer than the last step of `evaluate`.

    Shapes: contacts -> stage_entry and wake_up of these contacts, and outbox_event of the entries that changed.
    Errors: as `evaluate`.
    """
    people = await people_of(session, contacts)
    now = await session.value(Sql("select clock_timestamp()"))
    await derive_many(session, current.compiled, people, now, progress)
    await lock_storing(session)
    changes = entry_changes_of(await store_many(session, current.id, people))
    touched = await evaluate_touched(session, current)
    await write_entry_events(session, (*changes, *touched.changes))
    return len(people.contacts)
