"""Evaluations that are kept as they were made: found, marked as read, and bounded in number and in rows.

A kept evaluation has `last_read_at`. When it is given up, that becomes null, and `discard_former_entries` deletes its
entries; readers of a snapshot from before still find them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from api.access.evaluation import CURRENT_EVALUATION
from api.db import Session, WriteSession
from api.funnel.readings.applied_reading import ReadingKey
from api.settings import KeptLimits
from api.sql import Sql
from schema.accord_vocab import Reading
from schema.tables.audit import IS_OF_NO_FIGURE

# The current evaluation, and how many events the outbox has had: every write adds some, and positions have no gaps.
# Whoever changes so much that readers begin anew, such as a first import, raises the last position as well.
# Events of what no figure reads, such as comments on a version, are taken off. When they are pruned, the number rises
# once more, so that it never returns to one that it had before another event.
BASIS_NOW = Sql(
    "concat_ws(' ', {}, (select coalesce(max(s.last_position), 0) from outbox_state s)"
    " + (select count(*) from outbox_event o where o.position is null)"
    f" - (select count(*) from outbox_event where {IS_OF_NO_FIGURE}))",
    CURRENT_EVALUATION,
)


@dataclass(frozen=True, slots=True)
class KeptEvaluation:
    """An evaluation that is kept: when it was made, how long that took, and whether the facts are as they were."""

    id: UUID
    made_at: datetime
    took: timedelta
    is_fresh: bool


async def find_kept(session: Session, key: ReadingKey) -> KeptEvaluation | None:
    """Find the kept evaluation of a reading. Shapes: one statement, an index lookup."""
    row = await session.row(
        Sql(
            """select e.id, e.started_at, e.finished_at - e.started_at as took, e.basis = {} as is_fresh
from evaluation e where {} and e.finished_at is not null""",
            BASIS_NOW,
            _has_key("e", key),
        )
    )
    return None if row is None else KeptEvaluation(row["id"], row["started_at"], row["took"], row["is_fresh"])


async def kept_keys(session: Session) -> tuple[ReadingKey, ...]:
    """The readings that are kept and whose facts have changed since, but for those that were made a short while ago."""
    rows = await session.rows(
        Sql(
            """select reading, accord_version_id, accord_hash, known_at from evaluation
where last_read_at is not null and basis is distinct from {}
  and finished_at < now() - 10 * (finished_at - started_at) order by last_read_at desc""",
            BASIS_NOW,
        )
    )
    return tuple(
        ReadingKey(Reading[row["reading"]], row["accord_version_id"], row["accord_hash"], row["known_at"])
        for row in rows
    )


async def mark_read(session: WriteSession, evaluation_id: UUID) -> None:
    """Note that an evaluation was read. At most one write a minute."""
    await session.run(
        Sql(
            "update evaluation set last_read_at = date_trunc('minute', now())"
            " where id = {} and last_read_at < date_trunc('minute', now())",
            evaluation_id,
        )
    )


async def keep(session: WriteSession, key: ReadingKey, evaluation_id: UUID, limits: KeptLimits) -> None:
    """Keep an evaluation in place of the former one of the same reading, and give up those beyond the limits."""
    await session.run(
        Sql(
            "update evaluation e set last_read_at = null where {}"
            " or e.reading = {} and e.accord_version_id = {} and e.last_read_at is not null and e.accord_hash <> {}",
            *(_has_key("e", key), key.reading.value, key.version_id, key.content_hash),
        )
    )
    await session.run(
        Sql(
            "update evaluation set finished_at = clock_timestamp(), last_read_at = date_trunc('minute', now()),"
            " entry_count = (select count(*) from stage_entry where evaluation_id = {}) where id = {}",
            *(evaluation_id, evaluation_id),
        )
    )
    await give_up(session, limits)


async def give_up(session: WriteSession, limits: KeptLimits) -> int:
    """Give up the evaluations that nobody asked for lately, and the ones read longest ago beyond the limits.

    The one read last stays, however large it is. Runs that ended before they were kept are given up after a day.
    """
    tag = await session.run(
        Sql(
            """update evaluation e set last_read_at = null from (
  select id, last_read_at, row_number() over w as place, sum(entry_count) over w as entries from evaluation
  where last_read_at is not null window w as (order by last_read_at desc, started_at desc, id)
) k where k.id = e.id and (k.last_read_at < now() - {}::interval
  or k.place > 1 and (k.place > {} or k.entries > {}::bigint))""",
            *(limits.unread, limits.evaluations, limits.entries),
        )
    )
    await session.run(
        Sql(
            "update evaluation set finished_at = now() where finished_at is null and not is_current"
            " and started_at < now() - interval '1 day'"
        )
    )
    return int(tag.rpartition(" ")[2])


def _has_key(row: str, key: ReadingKey) -> Sql:
    return Sql(
        f"{row}.last_read_at is not null and {row}.reading = {{}} and {row}.accord_version_id = {{}}"
        f" and {row}.known_at is not distinct from {{}}::timestamptz and {row}.accord_hash = {{}}",
        *(key.reading.value, key.version_id, key.known_at, key.content_hash),
    )
