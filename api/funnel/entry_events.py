"""Events of stage entries that a job changes, such as a rebuild: written to the outbox by one statement."""

from collections.abc import Collection
from uuid import UUID

from api.db import WriteSession
from api.funnel.following.follow_changes import entry_event
from api.funnel.following.reevaluate import EntryChanges
from api.funnel.stored_entries import VISIBLE, differing_entries
from api.outbox.record_changes import Author, write_changes
from api.sql import Sql
from schema.writes.changes import ChangeType

_ENTERED, _LEFT = ChangeType.ENTERED.value, ChangeType.LEFT.value
_WRITTEN = (
    "insert into outbox_event (id, change_type, record_type, record_id, contact_id, stage)"
    " select gen_random_uuid(), {}, 'contact', e.contact_id, e.contact_id, e.stage from ({}) e"
)
_AUTHOR = Author("Accord", "evaluate")  # the audit has no entries, so that nothing is written of it


async def write_entry_events(session: WriteSession, changes: EntryChanges) -> None:
    """Write an event for each changed entry. Shapes: changes of entries -> rows of outbox_event."""
    await write_changes(session, _AUTHOR, (), tuple(map(entry_event, changes)))


async def write_differing_entries(
    session: WriteSession, former_id: UUID, evaluation_id: UUID, contacts: Collection[UUID] | None = None
) -> None:
    """Write an event for each entry in which two evaluations differ, of some contacts or of all.

    As for a single contact, an entry with other instants is reported as entered, once more. One that another version
    of the accord judges alike is not reported.

    Shapes: the entries of two evaluations -> rows of outbox_event: ENTERED, or LEFT if it ended or is gone.
    """
    among = Sql("true") if contacts is None else Sql("contact_id = any({}::uuid[])", list(contacts))
    former, present = (
        Sql("select * from stage_entry where evaluation_id = {}::uuid and {}", id_, among)
        for id_ in (former_id, evaluation_id)
    )
    is_left = Sql(
        "e.rank is null or (e.stored_rank is not null and e.stored_exited_at is null and e.exited_at is not null)"
    )
    type_ = Sql("case when {} then {} else {} end", is_left, _LEFT, _ENTERED)
    await session.run(Sql(_WRITTEN, type_, differing_entries(former, present, VISIBLE)))
