"""Stage entries follow the changes of records, in the transaction that makes the changes."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from asyncpg import Record

from api.db import WriteSession
from api.funnel.following.compiled_accord import current_evaluation, evaluation_now, evaluation_of
from api.funnel.following.concerned import concerned_contacts
from api.funnel.following.follow_deals import concerned_deals, store_deals
from api.funnel.following.reevaluate import EntryChange, EntryChangeKind, reevaluate
from api.funnel.journeys.small_tables import outdate_sums
from api.outbox.record_changes import RecordChange
from schema.tables import SHAPES
from schema.writes.changes import ChangeType

_TYPES = {
    EntryChangeKind.ENTERED: ChangeType.ENTERED,
    EntryChangeKind.CHANGED: ChangeType.ENTERED,
    EntryChangeKind.EXITED: ChangeType.LEFT,
    EntryChangeKind.REMOVED: ChangeType.LEFT,
}
_ALL_COLUMNS: Mapping[str, frozenset[str]] = MappingProxyType(
    {table: frozenset(column.name for column in shape.columns) for table, shape in SHAPES.items()}
)


async def follow_changes(
    session: WriteSession, changes: Sequence[RecordChange], evaluation: Record | None = None
) -> tuple[RecordChange, ...]:
    """Evaluate the contacts again that changes concern. The changes are written, and nothing later waits for a lock.

    `evaluation` has the columns of `EVALUATION_NOW`, as the statement read them that wrote the last change; it is read
    if left out. While another transaction evaluates the funnel, its accord may read more than that of the current
    evaluation: every change then concerns its contacts.

    Shapes: changes of records -> changes of stages, as the outbox has them. Writes what `reevaluate` writes, and
            deal_journey and deal_span; nothing before the first evaluation begins.
    Errors: asyncpg.LockNotAvailableError if a lock is not free within the `lock_timeout` of the session.
    """
    now = evaluation or await evaluation_now(session)
    current = await evaluation_of(session, now)
    if now["is_evaluating"]:
        columns = _ALL_COLUMNS
    elif current is not None:
        columns = current.compiled.columns
    else:
        return ()
    await outdate_sums(session, (change.record_type for change in changes))
    deals = await concerned_deals(session, changes)
    concerned = await concerned_contacts(session, columns, changes, deals)
    sources = {**concerned.sources, "deal": deals | concerned.sources.get("deal", frozenset())}
    entries = await reevaluate(session, concerned.contacts, sources={it: ids for it, ids in sources.items() if ids})
    if deals:
        # Whoever waited for a lock may find another evaluation.
        latest = await current_evaluation(session)
        if latest is not None:
            await store_deals(session, latest, deals)
    return tuple(map(entry_event, entries))


def entry_event(change: EntryChange) -> RecordChange:
    """Return the event of a changed entry. An entry with other instants is reported as entered, once more."""
    return RecordChange(
        _TYPES[change.kind], "contact", change.contact_id, contact_id=change.contact_id, stage=change.stage
    )
