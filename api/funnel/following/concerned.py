"""Whom changed records concern: the contacts whose stage entries may follow from other facts now."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from api.db import WriteSession
from api.funnel.following.evaluation_locks import lock_sources
from api.outbox.record_changes import RecordChange
from api.sql import Sql
from schema.writes.changes import ChangeType

# The contacts that a source concerns: those that are or ever were linked to one of the rows.
LINKED = {
    "company": "select contact_id from contact_version where company_id = any({})",
    "campaign": "select contact_id from touchpoint where campaign_id = any({})",
    "deal": "select contact_id from deal_contact where deal_id = any({})",
    "pipeline_stage": (
        "select r.contact_id from deal_version v join deal_contact r on r.deal_id = v.deal_id"
        " where v.pipeline_stage_id = any({})"
    ),
    "pipeline": (
        "select r.contact_id from pipeline_stage s join deal_version v on v.pipeline_stage_id = s.id"
        " join deal_contact r on r.deal_id = v.deal_id where s.pipeline_id = any({})"
    ),
}


@dataclass(frozen=True, slots=True)
class Concerned:
    """The contacts that changes concern, and the sources that were changed, by table."""

    contacts: frozenset[UUID]
    sources: Mapping[str, frozenset[UUID]]


async def concerned_contacts(
    session: WriteSession,
    read: Mapping[str, frozenset[str]],
    changes: Sequence[RecordChange],
    deals: frozenset[UUID] = frozenset(),
) -> Concerned:
    """Find the contacts that changes concern, and lock the sources that were changed or linked.

    `read` has the columns that the accord reads: a change of others concerns nobody. The changes are written already,
    so that no writer of the same sources is missed. `deals` are locked as if they were changed.

    Shapes: changes -> Concerned; of merged contacts, those that the changes name.
    Errors: asyncpg.LockNotAvailableError after `lock_timeout`.
    """
    contacts: set[UUID] = set()
    sources: defaultdict[str, set[UUID]] = defaultdict(set)
    linked: set[UUID] = set()
    for change in changes:
        if not _is_read(change, read):
            continue
        if change.record_type in LINKED:
            sources[change.record_type].add(change.record_id)
        else:
            contacts.update(_contacts_of(change))
        if change.record_type == "deal_contact":
            linked.add(change.record_id)  # a role is known by its deal, and by its contact
        linked.update(identifier for table in LINKED if table in read for identifier in _values(change, f"{table}_id"))
    changed = {identifier for ids in sources.values() for identifier in ids} | deals
    await lock_sources(session, changed=changed, linked=linked - changed)
    for table, ids in sources.items():
        contacts |= await linked_contacts_of(session, table, Sql("{}::uuid[]", list(ids)))
    return Concerned(frozenset(contacts), {table: frozenset(ids) for table, ids in sources.items()})


async def linked_contacts_of(session: WriteSession, table: str, ids: Sql) -> frozenset[UUID]:
    """Find the contacts that are or ever were linked to rows of a table of sources; `ids` is an array or a select."""
    rows = await session.rows(Sql("select distinct contact_id from ({}) linked", Sql(LINKED[table], ids)))
    return frozenset(row["contact_id"] for row in rows)


def _is_read(change: RecordChange, read: Mapping[str, frozenset[str]]) -> bool:
    """Whether the accord reads what the change changed."""
    columns = read.get(change.record_type)
    if columns is None:
        return False
    # A change that is none of values, such as a merge or a deletion, may begin or end what the record counts for.
    return change.change_type is not ChangeType.CHANGED or not columns.isdisjoint({*change.before, *change.after})


def _contacts_of(change: RecordChange) -> Iterator[UUID]:
    """The contacts that a change of a contact, or of a fact about one, names."""
    if change.contact_id is not None:
        yield change.contact_id
    if change.record_type == "contact":
        yield change.record_id
        yield from _values(change, "merged_into_id")
    else:
        yield from _values(change, "contact_id")


def _values(change: RecordChange, column: str) -> Iterator[UUID]:
    """The ids that a column had before the change, or has after it."""
    for values in (change.before, change.after):
        value = values.get(column)
        if isinstance(value, UUID):
            yield value
