"""Deactivate a member who leaves: their access ends, and somebody else takes their records over."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from api.access.credentials.access_cache import announce_access_change
from api.access.scope import unmerged_conditions
from api.sql import Sql, all_of, join, name
from api.workflows.access.access_rules import (
    active_member,
    begin_access_change,
    require_administrator,
    required_id,
)
from api.workflows.access.set_member_access import MEMBER_PATH, store_access, stored_access
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.history import version_name
from schema.tables import SHAPES
from schema.vocab import DealOutcome, HandoffStatus
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

_SUCCESSOR_PATH = ("successor",)
_MANY = 1_000  # rows from which a history trigger has to be planned anew
_AT_ONCE = 10_000  # rows of one statement
_UNDECIDED = [HandoffStatus.PROPOSED.value, HandoffStatus.RETURNED.value]

# What a successor takes over: present work. Who sold a closed deal, made a call or decided on a handoff stays as it is.
TAKEN_OVER: Mapping[str, tuple[str, tuple[Sql, ...]]] = {
    "contact": ("owner_id", ()),
    "company": ("owner_id", ()),
    "deal": ("owner_id", (Sql("t.outcome = {}", DealOutcome.OPEN.value),)),
    "handoff": ("assigned_to_id", (Sql("t.status = any({}::text[])", _UNDECIDED),)),
}


def handed_on_value(table: str) -> str:
    """Return the name of the outcome's value with the number of rows of a table that were handed on."""
    return f"{SHAPES[table].plural}_handed_on"


@dataclass(frozen=True, slots=True)
class DeactivateMember:
    """The member who leaves, and who takes their records over."""

    member: Reference = argument("The member who leaves.", table="member")
    successor: Reference | None = argument(
        "The member who takes their records over. If left out, the records stay as they are.",
        table="member",
        default=None,
    )
    expected_version: int | None = argument(
        "The version of the member that you read; not compared if left out.", default=None
    )


async def deactivate_member(work: UnitOfWork, do: DeactivateMember) -> Outcome:
    """Deactivate a member who leaves: their keys and sessions end at once. A successor takes over their contacts,
    companies, open deals and undecided handoffs. History keeps their name.

    Shapes: one DeactivateMember -> the ids of the member and the successor, and the number of rows that were
            handed on, by table. Writes member (1), member_access (at most 1), api_key (their keys), and with a
            successor contact, company and deal (open ones) with their history, handoff (undecided ones).
    Errors: NOT_ALLOWED if the principal may not manage access; Rejected for a member who does not exist or was
            deactivated before, a stale version, a successor who is the same or not active, and if nobody who can manage
            access would be left.
    """
    await begin_access_change(work)
    member_id = await required_id(work, "member", do.member, MEMBER_PATH)
    successor_id = None if do.successor is None else await active_member(work, do.successor, _SUCCESSOR_PATH)
    if successor_id == member_id:
        work.reject(_SUCCESSOR_PATH, UserErrorCode.CIRCLE, "A member cannot take their own records over.")
    await _lock_member(work, member_id, do.expected_version)
    deactivated_at = await work.session.value(
        Sql(
            "update member set deactivated_at = clock_timestamp(), updated_at = clock_timestamp(),"
            " row_version = row_version + 1 where id = {} returning deactivated_at",
            member_id,
        )
    )
    work.record(
        ChangeType.CHANGED,
        "member",
        member_id,
        before={"deactivated_at": None},
        after={"deactivated_at": deactivated_at},
    )
    await _end_access(work, member_id)
    await require_administrator(work, MEMBER_PATH)
    handed_on = {} if successor_id is None else await _hand_on(work, member_id, successor_id)
    return Outcome({"member": member_id, "successor": successor_id}, values=handed_on)


async def _lock_member(work: UnitOfWork, member_id: UUID, expected_version: int | None) -> None:
    """Lock the member's row. Errors: Rejected, with all that is wrong with the input."""
    row = await work.session.row(
        Sql("select row_version, deactivated_at from member where id = {} for no key update", member_id)
    )
    if row is None:
        raise TypeError("a member was deleted")
    if row["deactivated_at"] is not None:
        work.reject(MEMBER_PATH, UserErrorCode.WRONG_STATE, "The member was deactivated before.")
    elif expected_version not in (None, row["row_version"]):
        message = f"The member is at version {row['row_version']}, not {expected_version}. Read it again."
        work.reject(("expected_version",), UserErrorCode.STALE_VERSION, message)
    work.require_valid()


async def _end_access(work: UnitOfWork, member_id: UUID) -> None:
    """Revoke the member's keys, and take their access away, without which no session of theirs is valid."""
    revoked = await work.session.rows(
        Sql(
            "update api_key set revoked_at = clock_timestamp() where member_id = {} and revoked_at is null"
            " returning id, revoked_at",
            member_id,
        )
    )
    for key in revoked:
        after = {"revoked_at": key["revoked_at"]}
        work.record(ChangeType.CHANGED, "api_key", key["id"], before={"revoked_at": None}, after=after)
    former = await stored_access(work, member_id)
    if former is not None:
        await store_access(work, member_id, former, None)
    await announce_access_change(work.session)


async def _hand_on(work: UnitOfWork, member_id: UUID, successor_id: UUID) -> dict[str, object]:
    """Give the member's present work to a successor. Return the number of records by table."""
    handed_on: dict[str, object] = {}
    for table, (column, conditions) in TAKEN_OVER.items():
        owned = Sql("t.{} = {}", name(column), member_id)
        rows = await _given(work, table, column, all_of((owned, *_present(table), *conditions)), successor_id)
        handed_on[handed_on_value(table)] = len(rows)
        for id_, contact_id in rows:
            before, after = {column: member_id}, {column: successor_id}
            work.record(ChangeType.CHANGED, table, id_, before=before, after=after, contact_id=contact_id)
    return handed_on


def _present(table: str) -> tuple[Sql, ...]:
    """Return the conditions that a row is neither deleted nor merged into another one."""
    own = {column.name for column in SHAPES[table].columns}
    is_kept = (Sql("t.deleted_at is null"),) if "deleted_at" in own else ()
    return (*is_kept, *unmerged_conditions(table, "t"))


async def _given(
    work: UnitOfWork, table: str, column: str, is_due: Sql, successor_id: UUID
) -> list[tuple[UUID, UUID | None]]:
    """Write a member into a column of the rows that are due. Return their ids, and the contacts of facts."""
    shape = SHAPES[table]
    own = {it.name for it in shape.columns}
    assigned = [Sql("{} = {}", name(column), successor_id)]
    if "row_version" in own:
        assigned += [Sql("row_version = t.row_version + 1"), Sql("updated_at = clock_timestamp()")]
    if shape.has_history:
        # Not before the former version began: another transaction may have committed between.
        since = Sql("greatest(clock_timestamp(), t.effective_at + interval '1 microsecond')")
        assigned += [Sql("effective_at = {}", since), Sql("is_assumed = false")]
        if await work.session.value(Sql("select count(*) from {} t where {}", name(table), is_due)) > _MANY:
            # The trigger keeps the plan of its first run in the session, which may have been for one row; see intake.
            await work.session.run(Sql("analyze {}", name(version_name(table))))
    contact_id = Sql("t.contact_id") if "contact_id" in own else Sql("null::uuid")
    # In parts, each well under the time limit of a statement. A row that was written is no longer due.
    some = Sql(f"select t.id from {{}} t where {{}} limit {_AT_ONCE}", name(table), is_due)
    update = Sql(
        "update {} t set {} where t.id in ({}) and {} returning t.id, {} as contact_id",
        *(name(table), join(", ", assigned), some, is_due, contact_id),
    )
    given: list[tuple[UUID, UUID | None]] = []
    while rows := await work.session.rows(update):
        given += ((row["id"], row["contact_id"]) for row in rows)
    return given
