"""The unit of work of a mutation: what it changes, who is concerned, and its only commit.

`perform` opens it, runs a workflow, and before the commit re-evaluates the contacts concerned and writes audit and
outbox. A deadlock or a serialization failure starts it again; a lock that is not had in time is BUSY. With an
idempotency key, a repetition returns the result of the first time.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import asyncpg

from api.access.principal import Principal
from api.db import Database, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.following.follow_changes import follow_changes
from api.outbox.record_changes import Author, RecordChange, write_changes
from api.workflows.idempotency import begin_once, keep_outcome
from api.workflows.outcome import Outcome, Rejected
from api.workflows.user_errors import FieldPath, UserError
from schema.base import now
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

ATTEMPTS = 4
_PAUSE_SECONDS = 0.02  # before the second attempt, on average; doubled for each further one
# Another transaction was in the way, and this one may succeed if it starts again.
_RETRIED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

Result = TypeVar("Result")


class StartAgain(Exception):  # noqa: N818 - a signal to `perform`, not an error of the program
    """Another transaction wrote what this one had not seen: run the workflow again, in a new transaction."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a mutation: its name, a hash of its input, and the key that makes repetitions safe."""

    mutation: str
    input_hash: str = ""
    idempotency_key: str | None = None
    request_id: str | None = None


@dataclass(slots=True)
class UnitOfWork:
    """One transaction of a principal: workflows write through its session, and record what they changed.

    `unwritten` are those of its changes that audit and outbox do not have yet: the row writer writes its own.
    `evaluation` has the columns of `EVALUATION_NOW` if the last change was written by a statement that read them.
    """

    session: WriteSession
    principal: Principal
    call: Call
    started_at: datetime = field(default_factory=now)
    changes: list[RecordChange] = field(default_factory=list)
    unwritten: list[RecordChange] = field(default_factory=list)
    evaluation: asyncpg.Record | None = None
    errors: list[UserError] = field(default_factory=list)

    def reject(self, path: FieldPath, code: UserErrorCode, message: str) -> None:
        """Note what is wrong with a field, and go on, so that the caller gets all errors at once."""
        self.errors.append(UserError(path, code, message))

    def require_valid(self) -> None:
        """End the unit of work if anything is wrong with the input. Errors: Rejected."""
        if self.errors:
            raise Rejected(Outcome(errors=tuple(self.errors)))

    def record(
        self,
        change_type: ChangeType,
        record_type: str,
        record_id: UUID,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        contact_id: UUID | None = None,
    ) -> None:
        """Record a change of a record, for the audit, the outbox and the stage entries.

        `before` and `after` have the columns that differ. `contact_id` is the contact that a fact belongs to.
        """
        change = RecordChange(change_type, record_type, record_id, before or {}, after or {}, contact_id)
        self.changes.append(change)
        self.unwritten.append(change)
        self.evaluation = None

    @property
    def author(self) -> Author:
        """Who makes the changes."""
        who, call = self.principal, self.call
        return Author(who.name, call.mutation, who.member_id, call.request_id, call.idempotency_key)


Workflow = Callable[[UnitOfWork], Awaitable[Outcome]]


async def perform(database: Database, principal: Principal, call: Call, workflow: Workflow) -> Outcome:
    """Run a workflow as one unit of work, and commit it.

    Shapes: one call -> its outcome. If the input is wrong, nothing is written and the outcome has the errors.
    Errors: IDEMPOTENCY_KEY_REUSED; BUSY if a lock is not had within a second, or if transactions collide repeatedly;
            what the workflow raises.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _attempt(database, principal, call, workflow)
        except Rejected as rejected:
            return rejected.outcome
        except asyncpg.LockNotAvailableError as error:
            raise _busy() from error
        except (StartAgain, *_RETRIED) as error:
            if attempt == ATTEMPTS:
                raise _busy() from error
            await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))  # noqa: S311 - no secret
    raise _busy()


async def _attempt(database: Database, principal: Principal, call: Call, workflow: Workflow) -> Outcome:
    async with database.unit_of_work() as session:
        replayed = await begin_once(session, principal.subject, call.mutation, call.idempotency_key, call.input_hash)
        if replayed is not None:
            return replayed
        work = UnitOfWork(session, principal, call)
        outcome = await workflow(work)
        await _conclude(work)
        if call.idempotency_key is not None:
            await keep_outcome(session, principal.subject, call.mutation, call.idempotency_key, outcome)
    return outcome


async def _conclude(work: UnitOfWork) -> None:
    """Re-evaluate the contacts concerned, and write audit and outbox."""
    entries = await follow_changes(work.session, work.changes, work.evaluation)
    await write_changes(work.session, work.author, work.unwritten, entries)


def _busy() -> AccordError:
    return AccordError(
        ErrorCode.BUSY,
        "Another transaction holds a lock on the same records, and did not release it within a second.",
        "Nothing was written. Send the request again, with the same idempotency key.",
    )
