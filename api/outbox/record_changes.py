"""Changes of records, written to the audit and to the outbox in the transaction that makes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from api.db import WriteSession
from api.sql import Sql
from schema.base import new_id
from schema.tables import SHAPES
from schema.writes.changes import ChangeType

# Records without an id of their own: a change has the id in this column, which is one of this table.
IDENTIFIED_BY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"deal_contact": ("deal_id", "deal"), "member_access": ("member_id", "member")}
)
_NOT_AUDITED = frozenset({"created_at", "updated_at", "row_version", "effective_at", "is_assumed"})


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A change of one record. `before` and `after` have the columns that differ, or all of a new record."""

    change_type: ChangeType
    record_type: str
    record_id: UUID
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    contact_id: UUID | None = None
    stage: str | None = None

    @property
    def has_new_owner(self) -> bool:
        """Whether the owner changed."""
        return "owner_id" in self.before and self.before["owner_id"] != self.after.get("owner_id")

    @property
    def former_owner_id(self) -> UUID | None:
        """The owner before the change, if it changed."""
        former = self.before.get("owner_id")
        return former if isinstance(former, UUID) and self.has_new_owner else None


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a change, by which mutation or command, in which request."""

    name: str
    action: str
    member_id: UUID | None = None
    request_id: str | None = None
    idempotency_key: str | None = None


_AUDIT = (
    "insert into audit_event (id, member_id, principal, action, request_id, idempotency_key, change_type, record_type,"
    " changed_id, before, after) select a.id, {}::uuid, {}::text, {}::text, {}::text, {}::text, a.change_type,"
    " a.record_type, a.record_id, a.before, a.after"
    " from unnest({}::uuid[], {}::text[], {}::text[], {}::uuid[], {}::jsonb[], {}::jsonb[])"
    " as a (id, change_type, record_type, record_id, before, after)"
)
_OUTBOX = (
    "insert into outbox_event (id, change_type, record_type, record_id, contact_id, stage, former_owner_id,"
    " has_new_owner) select * from unnest({}::uuid[], {}::text[], {}::text[], {}::uuid[], {}::uuid[], {}::text[],"
    " {}::uuid[], {}::bool[])"
)


async def write_changes(
    session: WriteSession, author: Author, changes: Sequence[RecordChange], entries: Sequence[RecordChange] = ()
) -> None:
    """Write changes to the audit and the outbox; `entries` into stages follow from facts, so only the outbox has them.

    Shapes: changes -> one row of audit_event and of outbox_event for each of `changes`, one of outbox_event for each of
    `entries`, in one statement. Call it after all locks are taken: the outbox orders events by when they are written.
    """
    if not changes and not entries:
        return
    events = (*changes, *entries)
    outbox = Sql(
        _OUTBOX,
        [new_id() for _ in events],
        [change.change_type.value for change in events],
        [change.record_type for change in events],
        [change.record_id for change in events],
        [change.contact_id for change in events],
        [change.stage for change in events],
        [change.former_owner_id for change in events],
        [change.has_new_owner for change in events],
    )
    if not changes:
        await session.run(outbox)
        return
    audit = Sql(
        _AUDIT,
        author.member_id,
        author.name,
        author.action,
        author.request_id,
        author.idempotency_key,
        [new_id() for _ in changes],
        [change.change_type.value for change in changes],
        [change.record_type for change in changes],
        [change.record_id for change in changes],
        [_as_json(change.before, change.record_type) for change in changes],
        [_as_json(change.after, change.record_type) for change in changes],
    )
    await session.run(Sql("with audited as ({}) {}", audit, outbox))


def _as_json(values: Mapping[str, object], table: str) -> Mapping[str, object] | None:
    columns = {column.name for column in SHAPES[table].columns}
    shown = {name: json_value(value) for name, value in values.items() if name in columns and name not in _NOT_AUDITED}
    return shown or None


def json_value(value: object) -> object:
    """Return the value of a column as JSON has it."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case _:
            return value
