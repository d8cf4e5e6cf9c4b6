"""Changes of records, written to the audit and to the outbox in the transaction that makes them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from uuid import UUID

from api.db import WriteSession
from api.sql import Parameter, Sql, Statement, join, name
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


# What audit and outbox have of a change: the columns of a table of changes, and their types.
_CHANGE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "event_id": "uuid",
        "change_type": "text",
        "record_type": "text",
        "record_id": "uuid",
        "contact_id": "uuid",
        "stage": "text",
        "former_owner_id": "uuid",
        "has_new_owner": "bool",
        "before": "jsonb",
        "after": "jsonb",
    }
)
_CHANGE_VALUES: Mapping[str, Callable[[RecordChange], object]] = MappingProxyType(
    {
        "event_id": lambda _: new_id(),
        "change_type": lambda change: change.change_type.value,
        "record_type": attrgetter("record_type"),
        "record_id": attrgetter("record_id"),
        "contact_id": attrgetter("contact_id"),
        "stage": attrgetter("stage"),
        "former_owner_id": attrgetter("former_owner_id"),
        "has_new_owner": attrgetter("has_new_owner"),
        "before": lambda change: _as_json(change.before, change.record_type),
        "after": lambda change: _as_json(change.after, change.record_type),
    }
)
_AUDITED = Sql(
    "audited as (insert into audit_event (id, member_id, principal, action, request_id, idempotency_key, change_type,"
    " record_type, changed_id, before, after) select event_id, {}::uuid, {}::text, {}::text, {}::text, {}::text,"
    " change_type, record_type, record_id, before, after from change)",
    *(Parameter(f"author.{name}") for name in ("member_id", "name", "action", "request_id", "idempotency_key")),
)
_PUBLISHED = Sql(
    "published as (insert into outbox_event (id, change_type, record_type, record_id, contact_id, stage,"
    " former_owner_id, has_new_owner) select event_id, change_type, record_type, record_id, contact_id, stage,"
    " former_owner_id, has_new_owner from change)"
)
# The common tables that write the rows of the common table `change` to the audit and the outbox.
RECORDED = Sql("{}, {}", _AUDITED, _PUBLISHED)


def change_arrays(columns: Iterable[str]) -> Sql:
    """Return columns of changes as arrays, for `unnest`. `change_values` has the values."""
    return join(", ", (Sql(f"{{}}::{_CHANGE_COLUMNS[it]}[]", Parameter(f"change.{it}")) for it in columns))


def change_values(changes: Sequence[RecordChange], columns: Iterable[str]) -> dict[str, object]:
    """Return the values of `change_arrays`."""
    return {f"change.{it}": [_CHANGE_VALUES[it](change) for change in changes] for it in columns}


def author_values(author: Author) -> dict[str, object]:
    """Return the values of the author in `RECORDED`."""
    return {
        "author.member_id": author.member_id,
        "author.name": author.name,
        "author.action": author.action,
        "author.request_id": author.request_id,
        "author.idempotency_key": author.idempotency_key,
    }


_CHANGE = Sql(
    "with change as (select * from unnest({}) as c ({}))",
    change_arrays(_CHANGE_COLUMNS),
    join(", ", map(name, _CHANGE_COLUMNS)),
)
_WRITE_CHANGES = Statement.of(Sql("{}, {} select", _CHANGE, RECORDED))
_WRITE_EVENTS = Statement.of(Sql("{}, {} select", _CHANGE, _PUBLISHED))


async def write_changes(
    session: WriteSession, author: Author, changes: Sequence[RecordChange], entries: Sequence[RecordChange] = ()
) -> None:
    """Write changes to the audit and the outbox; `entries` into stages follow from facts, so only the outbox has them.

    Shapes: changes -> one row of audit_event and of outbox_event for each of `changes`, one of outbox_event for each of
    `entries`; one statement for changes and one for entries. Whoever writes a change of a record has locked it: the
    outbox orders events by when they are written.
    """
    if changes:
        await session.rows(_WRITE_CHANGES, change_values(changes, _CHANGE_COLUMNS) | author_values(author))
    if entries:
        await session.rows(_WRITE_EVENTS, change_values(entries, _CHANGE_COLUMNS))


def is_audited(column: str) -> bool:
    """Return whether the audit has the values of a column: it leaves out what every change sets."""
    return column not in _NOT_AUDITED


def _as_json(values: Mapping[str, object], table: str) -> Mapping[str, object] | None:
    decimals = _audited_decimals(table)
    shown = {it: json_value(value, decimals[it]) for it, value in values.items() if it in decimals}
    return shown or None


@cache
def _audited_decimals(table: str) -> Mapping[str, int]:
    """Return how many decimals amounts of every audited column have."""
    return {it.name: (it.note.numeric or (18, 2))[1] for it in SHAPES[table].columns if is_audited(it.name)}


def json_value(value: object, decimals: int | None = None) -> object:
    """Return the value of a column as JSON has it; `decimals` are those that the column stores of an amount."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return str(value if decimals is None else value.quantize(Decimal(1).scaleb(-decimals)))
        case UUID():
            return str(value)
        case _:
            return value
