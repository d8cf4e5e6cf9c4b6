"""The events of rows that undoing an import changes: collected in a temporary table, and written to the outbox at last.

So readers of changes follow an undo like any other write, and the evaluation knows whom it concerns.
"""

from api.access.scope import subject_links
from api.db import WriteSession
from api.funnel.following.concerned import LINKED
from api.funnel.journeys.small_tables import outdate_sums
from api.intake.evaluate_import import evaluate_written
from api.intake.record_events import ended_or_changed, event_id, new_owner
from api.outbox.positions import expire_cursors
from api.progress import Progress
from api.sql import Sql, name
from schema.base import TableShape
from schema.writes.changes import ChangeType

# To follow more changes than these takes a reader longer than to copy the records anew.
MOST_EVENTS = 200_000
_COLUMNS = "change_type, record_type, record_id, contact_id, former_contact_id, former_owner_id, has_new_owner"


async def create_event_table(session: WriteSession) -> None:
    """Create the temporary table of the events; it ends with the transaction."""
    await session.script(
        "create temporary table undone_event (change_type text not null, record_type text not null,"
        " record_id uuid not null, contact_id uuid, former_contact_id uuid, former_owner_id uuid,"
        " has_new_owner boolean not null) on commit drop"
    )


def ended_columns(shape: TableShape) -> Sql:
    """Return what a statement that ends rows `t` returns for `insert_events`."""
    return _event_columns(shape, Sql("{}::text", ChangeType.DELETED.value))


def restored_columns(shape: TableShape) -> Sql:
    """Return what a statement that changes rows `t` returns for `insert_events`; `f` is a row as it was before."""
    return _event_columns(shape, ended_or_changed(shape), *new_owner(shape))


def moved_columns(shape: TableShape, contact: Sql) -> Sql:
    """Return what a statement that removes facts `t` returns for `insert_events` if they come back to a `contact`."""
    type_, id_ = ChangeType.CHANGED.value, name(event_id(shape))
    values = Sql("{}::text as change_type, {}::text as record_type, t.{} as record_id", type_, shape.name, id_)
    former = Sql("t.contact_id as former_contact_id, null::uuid as former_owner_id, false as has_new_owner")
    return Sql("{}, {} as contact_id, {}", values, contact, former)


def insert_events(rows: str) -> Sql:
    """Return the insert of the events of the rows of a common table expression."""
    return Sql(f"insert into undone_event ({_COLUMNS}) select {_COLUMNS} from {{}}", name(rows))


async def evaluate_undone(session: WriteSession, progress: Progress) -> None:
    """Write the events to the outbox, and evaluate the contacts whom they concern. The last step of an undo.

    Shapes: rows of undone_event -> rows of outbox_event, or expired cursors if there are more than `MOST_EVENTS`; and
            what the evaluation writes.
    """
    events = await session.value(Sql("select count(*) from undone_event"))
    if events <= MOST_EVENTS:
        await session.run(
            Sql(f"insert into outbox_event (id, {_COLUMNS}) select gen_random_uuid(), {_COLUMNS} from undone_event")
        )
    tables = [row[0] for row in await session.rows(Sql("select distinct record_type from undone_event order by 1"))]
    await outdate_sums(session, tables)
    await evaluate_written(session, {table: _concerned_ids(table) for table in tables}, progress)
    if events > MOST_EVENTS:
        await expire_cursors(session)


def _concerned_ids(table: str) -> Sql:
    """The ids of changed records, or for facts of the contacts that have or had them."""
    if table == "contact" or table in LINKED:
        return Sql("select record_id from undone_event where record_type = {}", table)
    return Sql(
        "select contact_id from undone_event where record_type = {} and contact_id is not null"
        " union select former_contact_id from undone_event where record_type = {} and former_contact_id is not null",
        *(table, table),
    )


def _event_columns(
    shape: TableShape, type_: Sql, former_owner: Sql | None = None, has_new_owner: Sql | None = None
) -> Sql:
    is_fact = any(link == "contact_id" for link, _ in subject_links(shape.name))
    return Sql(
        "{} as change_type, {}::text as record_type, t.{} as record_id, {} as contact_id,"
        " null::uuid as former_contact_id, {} as former_owner_id, {} as has_new_owner",
        *(type_, shape.name, name(event_id(shape)), Sql("t.contact_id" if is_fact else "null::uuid")),
        *(former_owner or Sql("null::uuid"), has_new_owner or Sql("false")),
    )
