"""Plan the activation of a signed version, now or at an instant ahead."""

from dataclasses import dataclass
from datetime import datetime

from api.plan.json_values import instant_as_text
from api.sql import Sql
from api.workflows.accord.activation_signal import announce_activation
from api.workflows.accord.versions import (
    NUMBER,
    LockedVersion,
    begin_accord_change,
    named_version,
    record_changes,
    version_outcome,
    write_version,
)
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import Permission
from schema.accord_vocab import AccordStatus
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class ActivateAccord:
    """The version to activate, and when."""

    version: int = argument("The number of the version, which both teams have signed.")
    at: datetime | None = argument("The instant ahead at which it comes into force. Left out: now.", default=None)


async def activate_accord(work: UnitOfWork, do: ActivateAccord) -> Outcome:
    """Activate a version of the accord that both teams have signed, now or at an instant ahead, never in the past. A
    background job evaluates everybody by it, which takes minutes for a million people: `activatesAt` is set at once,
    and the version is in force, with all its entries, when its status is ACTIVE. Until then the former one is.

    Shapes: one version and an instant -> its number. Writes accord_version (1).
    Errors: NOT_ALLOWED; user errors NOT_FOUND, WRONG_STATE (not signed by both, or another one is planned), INVALID
            (an instant in the past).
    """
    await begin_accord_change(work, Permission.ACTIVATE_ACCORD)
    version = await named_version(
        work, do.version, (AccordStatus.SIGNED,), "A version comes into force when both teams have signed it."
    )
    now: datetime = await work.session.value(Sql("select clock_timestamp()"))
    if do.at is not None and do.at <= now:
        message = (
            f"{instant_as_text(do.at)} is in the past. History does not change: activate the version now, or at an"
            " instant ahead."
        )
        work.reject(("at",), UserErrorCode.INVALID, message)
    await _check_no_other_plan(work, version)
    work.require_valid()
    after = {"activates_at": now if do.at is None else do.at}
    record_changes(work, await write_version(work.session, version, after))
    await announce_activation(work.session)
    return version_outcome(version.number)


async def _check_no_other_plan(work: UnitOfWork, version: LockedVersion) -> None:
    """Reject a second planned activation."""
    row = await work.session.row(
        Sql(
            "select number, activates_at from accord_version"
            " where status = {} and activates_at is not null and id <> {}",
            *(AccordStatus.SIGNED.value, version.id),
        )
    )
    if row is not None:
        message = (
            f"Version {row['number']} is to be activated at {instant_as_text(row['activates_at'])}. One activation is"
            " planned at a time: withdraw that version, or wait for it."
        )
        work.reject((NUMBER,), UserErrorCode.WRONG_STATE, message)
