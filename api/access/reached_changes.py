"""The changes of records that a principal may follow: one page of the outbox, within its reach.

- A change is listed if the principal reaches the record today. Deleted, voided and merged records are judged by the row
  that is still there; a fact by the contact that it belonged to after the change, so that it may be gone or have moved.
- Where the owner changed and the principal reaches the record no more, but did by the former owner, the change is
  listed as WITHDRAWN: a copy has to forget the record. So it is where a fact moved away from a contact in reach.
  Nothing else is listed of records out of reach.
- A cursor holds a position, and a digest of the owners whose records are in reach. When these change, such as by a
  new member of the team, records come into reach and leave it without a change of their own; so the cursor expires.
- Positions count what is out of reach, too. So cursors are encrypted (`ChangeCursors`).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from api.access.principal import Principal
from api.access.scope import owner_conditions, reach_conditions, reached_owners, subject_links
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.outbox.change_cursors import ChangeCursors
from api.outbox.positions import OutboxPositions, read_state
from api.outbox.record_changes import IDENTIFIED_BY
from api.sql import Sql, all_of, join, name
from schema.access.rights import Reach
from schema.base import TableShape
from schema.tables import SHAPES
from schema.writes.changes import ChangeType

# Positions that one page looks at, whoever reaches few of them: then the page ends early, and the next one goes on.
MOST_SCANNED = 20_000


@dataclass(frozen=True, slots=True)
class ReachedChange:
    """A change of a record within reach. `cursor` is its position for `after`.

    `record_id` is an id of `identified_table`; `contact_id` is that of the contact that a fact belongs to.
    """

    cursor: str
    at: datetime
    type: ChangeType
    record_type: str
    record_id: UUID
    contact_id: UUID | None
    stage: str | None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One page of changes. `end_cursor` is where to go on, also from an empty page."""

    changes: Sequence[ReachedChange]
    end_cursor: str
    has_more: bool


def followed_tables() -> tuple[TableShape, ...]:
    """Return the tables whose changes can be followed: those of the contract, except those about the work on them."""
    return tuple(
        shape
        for shape in SHAPES.values()
        if not shape.is_hidden and _identified_by(shape) is not None and not _is_about_work(shape.name)
    )


@cache
def identified_table(table: str) -> str:
    """Return the table whose id a change of a row has: its own, or for a role, which has no id, that of the deal.

    Errors: KeyError for an unknown table, or one whose changes cannot be followed.
    """
    found = _identified_by(SHAPES[table])
    if found is None:
        raise KeyError(f"the changes of {table} cannot be followed")
    return found[1]


async def read_changes(
    session: ReadSession,
    principal: Principal,
    *,
    after: str | None,
    first: int,
    types: Collection[ChangeType] | None = None,
    tables: Collection[str] | None = None,
) -> ChangePage:
    """Return one page of the changes that a principal may follow, in the order of their positions.

    Shapes: a cursor -> at most `first` changes after it. With `first` 0, `end_cursor` is the end of what there is.
    Errors: BAD_INPUT for a text that is no cursor; CURSOR_EXPIRED if changes after it are not kept any more, or if the
            owners whose records are in reach have changed; NOT_ALLOWED for a table that the principal may not read.
    """
    readable = _readable(principal, tables)
    state = await read_state(session)
    cursors = ChangeCursors(state.secret, await _owners(session, principal))
    if first == 0:
        return ChangePage((), cursors.write(state.last), has_more=False)
    start = state.kept_after if after is None else _position(after, cursors, state)
    scanned = min(state.last, start + MOST_SCANNED)
    rows = await session.rows(_page_statement(principal, (start, scanned), first + 1, types, readable))
    changes = tuple(
        ReachedChange(
            cursors.write(row["position"]),
            row["recorded_at"],
            ChangeType[row["type"]],
            row["record_type"],
            row["record_id"],
            row["contact_id"],
            row["stage"],
        )
        for row in rows[:first]
    )
    if len(rows) > first:
        return ChangePage(changes, changes[-1].cursor, has_more=True)
    return ChangePage(changes, cursors.write(scanned), has_more=scanned < state.last)


def _is_about_work(table: str) -> bool:
    """Whether rows of the table are about the work on all records together, such as imports."""
    return SHAPES[table].needs_reach_all or any(_is_about_work(target) for _, target in subject_links(table))


def _identified_by(shape: TableShape) -> tuple[str, str] | None:
    """The column with the id that a change has, and the table of that id; None if the table has no such column."""
    if shape.has_id:
        return "id", shape.name
    return IDENTIFIED_BY.get(shape.name)


def _readable(principal: Principal, tables: Collection[str] | None) -> list[str]:
    """The tables that the principal may read, of those that it wants."""
    for table in tables or ():
        principal.require(SHAPES[table].permission)
    wanted = [shape.name for shape in followed_tables()] if tables is None else list(tables)
    return [table for table in wanted if principal.may(SHAPES[table].permission)]


def _page_statement(
    principal: Principal,
    positions: tuple[int, int],
    limit: int,
    types: Collection[ChangeType] | None,
    tables: Sequence[str],
) -> Sql:
    reached = _is_reached(principal, tables)
    conditions = [Sql("e.position > {}::bigint and e.position <= {}::bigint", *positions)]
    conditions.append(Sql("e.record_type = any({}::text[])", list(tables)))
    listed = Sql(
        "select e.position, e.recorded_at, case when {} then e.change_type when {} then {} end as type,"
        " e.record_type, e.record_id, e.contact_id, e.stage from outbox_event e where {} order by e.position",
        *(reached, _was_reached(principal), ChangeType.WITHDRAWN.value, all_of(conditions)),
    )
    wanted = [Sql("type is not null")]
    if types is not None:
        wanted.append(Sql("type = any({}::text[])", [type_.value for type_ in types]))
    return Sql("select * from ({}) listed where {} order by position limit {}::int", listed, all_of(wanted), limit)


def _is_reached(principal: Principal, tables: Sequence[str]) -> Sql:
    """The condition that the principal reaches the row of an event `e` today."""
    if principal.reach is Reach.ALL:
        return Sql("true")
    branches = (
        Sql("when {} then {}", table, all_of(conditions))
        for table in tables
        if (conditions := tuple(_row_conditions(table, principal)))
    )
    return Sql("(case e.record_type {} else true end)", join(" ", branches))


def _row_conditions(table: str, principal: Principal) -> Iterator[Sql]:
    """Yield the conditions that the principal reaches the row of a table that an event `e` is about."""
    links = subject_links(table)
    if any(column == "contact_id" for column, _ in links):
        for column, target in links:
            yield _reaches(target, Sql("e.contact_id" if column == "contact_id" else "e.record_id"), principal)
    elif reach_conditions(table, "r", principal):
        yield _reaches(table, Sql("e.record_id"), principal)


def _reaches(table: str, id_: Sql, principal: Principal) -> Sql:
    """The condition that the principal reaches the record of a table with an id."""
    conditions = (Sql("r.id = {}", id_), *reach_conditions(table, "r", principal))
    return Sql("exists (select from {} r where {})", name(table), all_of(conditions))


def _was_reached(principal: Principal) -> Sql:
    """The condition that the principal reached the record of an event `e` before it, by another owner or contact."""
    by_owner = all_of((Sql("e.has_new_owner"), *owner_conditions(Sql("e.former_owner_id"), principal)))
    by_contact = _reaches("contact", Sql("e.former_contact_id"), principal)
    return Sql("({} or (e.former_contact_id is not null and {}))", by_owner, by_contact)


async def _owners(session: ReadSession, principal: Principal) -> str:
    """A text that is the same as long as the principal reaches the records of the same owners."""
    if principal.reach is Reach.ALL:
        return principal.reach.value
    owners: Sequence[UUID | None] = await session.value(Sql("select {}", reached_owners(principal)))
    return " ".join((principal.reach.value, *(str(owner) for owner in owners if owner)))


def _position(cursor: str, cursors: ChangeCursors, state: OutboxPositions) -> int:
    """The position of a cursor. Errors: BAD_INPUT; CURSOR_EXPIRED."""
    read = cursors.read(cursor)
    # A database that was restored from a backup may have fewer positions than its cursors.
    if read is None or read[0] > state.last:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            "`after` is not a cursor of `changes`.",
            "Take it from `pageInfo.endCursor` or an edge's `cursor` of `changes`, of the same server.",
        )
    position, has_same_owners = read
    if position < state.kept_after:
        raise _expired("The changes after this cursor are not kept any more.")
    if not has_same_owners:
        raise _expired("The cursor is of another reach: since then, other records are within yours.")
    return position


def _expired(message: str) -> AccordError:
    return AccordError(
        ErrorCode.CURSOR_EXPIRED,
        message,
        "Take a new cursor from `changes(first: 0) { pageInfo { endCursor } }`, then copy the records anew.",
    )
