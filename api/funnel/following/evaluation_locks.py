"""The advisory locks by which writers, rebuilds and imports leave right entries when they run at the same time.

A writer changes facts first and takes the other locks after that, in the order below, so that nobody who holds one of
them waits for a row. They are released when the transaction ends, after its changes are visible.

- A *source* is a row whose change concerns contacts that are linked to it, such as a deal. Whoever changes a source
  takes its lock alone; whoever changes a link to it takes the lock shared. Otherwise a change of the deal and a new
  role in it would not see one another, and the new person would keep entries by the former state of the deal.
- `EVALUATING` is held by a rebuild or an import until it commits, from before it reads facts or locks rows. A unit of
  work tries to share it when it begins. One that cannot lists its sources and contacts in `touched_record`, whatever
  the accord reads: the evaluation may apply another one. One that can has ended before the evaluation begins to read.
- `STORING`: writers share it. A rebuild or import takes it alone for its last step, in which it evaluates the touched
  contacts again and stores the result.
- A *contact*: two writers of one person go one after the other. The second then evaluates the facts of both.

Sources and contacts share a fixed number of locks, by hashes of their ids: a lock for every id would exceed
PostgreSQL's lock table in a large write.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.db import AdvisoryLock, WriteSession
from api.funnel.following.people import LINKED_CONTACTS
from api.sql import Sql, Statement

_STORING = 0x66756E02  # any number that no other lock of Accord has
_SOURCE, _CONTACT = 0x66756E03, 0x66756E04
_STRIPES = 1024
# PostgreSQL evaluates the arguments of a row from left to right, so that the clock is read after the last lock. The row
# with null, which locks no contact, is there if no contact is.
_LOCK_CONTACTS = Statement.of(
    Sql(
        """select bool_and(pg_try_advisory_xact_lock_shared({})) as is_free,
  count(pg_advisory_xact_lock_shared({}, 0)), count(pg_advisory_xact_lock({}, stripe)), max(clock_timestamp()) as as_of
from (
  select stripe from (
    select distinct uuid_hash(id) & {} as stripe from ({}) linked union all select null
  ) stripes order by stripe
) stripes""",
        *(AdvisoryLock.EVALUATING.value, _STORING, _CONTACT, _STRIPES - 1, LINKED_CONTACTS),
    )
)


@dataclass(frozen=True, slots=True)
class WriterLocks:
    """What a writer knows once it holds its locks: whether an evaluation runs, and the time."""

    is_evaluating: bool
    as_of: datetime


async def lock_sources(session: WriteSession, *, changed: Collection[UUID], linked: Collection[UUID]) -> None:
    """Lock the sources that a writer changed, and share those that it linked contacts to.

    Errors: asyncpg.LockNotAvailableError after `lock_timeout`.
    """
    if not changed and not linked:
        return
    # One pass in ascending order over both kinds: writers that want the same locks then never wait in a circle.
    await session.run(
        Sql(
            """select case when is_changed then pg_advisory_xact_lock({}, stripe)
  else pg_advisory_xact_lock_shared({}, stripe) end
from (
  select uuid_hash(id) & {} as stripe, bool_or(is_changed) as is_changed
  from (select unnest({}::uuid[]), true union all select unnest({}::uuid[]), false) source (id, is_changed)
  group by 1 order by 1
) stripes""",
            _SOURCE,
            _SOURCE,
            _STRIPES - 1,
            list(changed),
            list(linked),
        )
    )


async def lock_contacts(session: WriteSession, contacts: Collection[UUID]) -> WriterLocks:
    """Lock the people whom a writer is about to evaluate: some contacts, and all that are merged with them.

    Who that is may have changed when the locks are held; the caller looks again.

    Errors: asyncpg.LockNotAvailableError after `lock_timeout`.
    """
    row = await session.row(_LOCK_CONTACTS, {"contacts": list(contacts)})
    if row is None:
        raise LookupError("an aggregate returns a row")
    return WriterLocks(is_evaluating=not row["is_free"], as_of=row["as_of"])


async def lock_evaluation(session: WriteSession) -> None:
    """Begin an evaluation that other writers may overtake: they list the contacts that they touch from now on.

    Waits for the evaluation before it, and for the writers that do not know of this one.
    """
    await session.lock(AdvisoryLock.EVALUATING)


async def lock_storing(session: WriteSession) -> None:
    """Keep writers from evaluating and storing entries until the transaction ends; waits for those that do."""
    await session.run(Sql("select pg_advisory_xact_lock({}, 0)", _STORING))
