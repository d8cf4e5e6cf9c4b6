"""What the decisions on handoffs have in common: who may decide, the reasons of the accord, the write."""

from api.accord.in_force import accord_in_force
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from api.workflows.handoffs.responsibility import lock_person, pass_on
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import checked_value, lock_named
from api.workflows.records.record_input import Reference
from api.workflows.records.references import resolve_references
from api.workflows.records.stored_rows import StoredRow
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import LOWEST_LEVEL, Permission
from schema.nearest_words import suggestion
from schema.vocab import Disposition, HandoffStatus, TeamKind
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

_VERB = {True: "returnHandoff", False: "rejectHandoff"}


async def decide(
    work: UnitOfWork,
    reference: Reference,
    status: HandoffStatus,
    *,
    note: str | None,
    reason: str | None = None,
) -> Outcome:
    """Decide an undecided handoff.

    Shapes: one handoff -> its outcome. Writes handoff (1), contact (at most 1).
    Errors: NOT_ALLOWED if the principal may not decide it; NO_ACCORD if a reason is given and there is no accord; user
            errors NOT_FOUND, DELETED, WRONG_STATE, UNKNOWN_VALUE and INVALID (the reason), INVALID and TOO_LONG.
    """
    found = (await resolve_references(work, "handoff", [reference], ("contact_id",))).get(reference)
    person = None if found is None else await lock_person(work, found["contact_id"])
    handoff = await lock_named(work, "handoff", reference)
    stored_note = checked_value(work, "handoff", "note", note, "note")
    if reason is not None:
        await _require_reason(work, reason, is_return=status is HandoffStatus.RETURNED)
    is_own = handoff is not None and await _is_own_decision(work, handoff)
    if handoff is not None:
        if not is_own and not work.principal.may(Permission.DECIDE_ANY_HANDOFF):
            raise _not_allowed()
        await _require_undecided(work, handoff, note)
    work.require_valid()
    if handoff is None:
        raise TypeError("a valid command has a handoff")
    after = {
        "status": status.value,
        # Clocks of two processes differ: nothing is decided before it was handed over.
        "decided_at": max(work.started_at, handoff["handed_at"]),
        "reject_reason": reason,
        "note": stored_note,
        "assigned_to_id": work.principal.member_id if is_own else handoff["assigned_to_id"],
    }
    await work.session.run(
        Sql(
            "update handoff set status = {}, decided_at = {}, reject_reason = {}, note = {}, assigned_to_id = {},"
            " decision_recorded_at = now() where contact_id = {} and id = {}",
            *(*after.values(), handoff["contact_id"], handoff["id"]),
        )
    )
    changed = {column: value for column, value in after.items() if handoff[column] != value}
    before = {column: handoff[column] for column in changed}
    contact_id = handoff["contact_id"]
    work.record(ChangeType.CHANGED, "handoff", handoff["id"], before=before, after=changed, contact_id=contact_id)
    if person is not None:
        await pass_on(work, person, handoff, after)
    return Outcome({"handoff": handoff["id"]})


async def _is_own_decision(work: UnitOfWork, handoff: StoredRow) -> bool:
    """Return whether the principal is a member who decides the handoff: as assigned, or for their team."""
    found = await work.session.value(
        Sql(
            "select coalesce(m.id = a.id or m.team_id = a.team_id or (a.id is null and t.kind = {}), false)"
            " from member m left join team t on t.id = m.team_id left join member a on a.id = {}::uuid"
            " where m.id = {}::uuid",
            *(TeamKind.SALES.value, handoff["assigned_to_id"], work.principal.member_id),
        )
    )
    return bool(found)


async def _require_undecided(work: UnitOfWork, handoff: StoredRow, note: str | None) -> None:
    """Note if the handoff is decided, or its person is deleted or was erased."""
    person = await work.session.row(
        Sql("select deleted_at, erased_at from contact where id = {}::uuid", handoff["contact_id"])
    )
    if person is None:
        raise TypeError("a handoff has a contact")
    if note is not None and person["erased_at"] is not None:
        message = "The person of the handoff was erased. Decide without a note."
        work.reject(("note",), UserErrorCode.ERASED, message)
    if person["deleted_at"] is not None:
        work.reject(("handoff",), UserErrorCode.DELETED, "The person of the handoff is deleted. Restore them first.")
    elif handoff["status"] != HandoffStatus.PROPOSED:
        message = f"The handoff was {handoff['status']} at {handoff['decided_at']}."
        work.reject(("handoff",), UserErrorCode.WRONG_STATE, message)


async def _require_reason(work: UnitOfWork, code: str, *, is_return: bool) -> None:
    """Note if the accord in force does not have the reason, or has it for the other decision. Errors: NO_ACCORD."""
    reasons = {it.code: it for it in (await accord_in_force(work.session)).accord.reject_reasons}
    reason = reasons.get(code)
    if reason is None:
        known = suggestion(code, reasons, "reject reasons")
        work.reject(("reason",), UserErrorCode.UNKNOWN_VALUE, f"The accord in force has no such reason. {known}")
        return
    asks_for_data = reason.disposition is Disposition.RETURN_FOR_DATA
    if asks_for_data != is_return:
        means = "sends a handoff back for data" if asks_for_data else "rejects a handoff"
        message = f"{code} ('{reason.label}') {means}. Use `{_VERB[asks_for_data]}`."
        work.reject(("reason",), UserErrorCode.INVALID, message)


def _not_allowed() -> AccordError:
    return AccordError(
        ErrorCode.NOT_ALLOWED,
        "This handoff is for others to decide: for the assigned member and their team or, if nobody is assigned, for"
        " the members of sales teams.",
        f"Ask one of them, or somebody with the access level {LOWEST_LEVEL[Permission.DECIDE_ANY_HANDOFF]}.",
    )
