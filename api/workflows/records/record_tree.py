"""Trees of records: tables with a link to themselves, in which no record may come to stand above itself."""

from uuid import UUID

from api.sql import Sql, name
from api.workflows.unit_of_work import UnitOfWork

# The link of each such table to the record above.
PARENTS = {"company": "parent_id", "campaign": "parent_id", "member": "manager_id"}
_DEEPEST = 100


async def lock_tree(work: UnitOfWork, table: str) -> None:
    """Let one transaction at a time move records of a table within its tree.

    Two could make a circle of which each sees only one half.
    """
    await work.session.run(Sql("select pg_advisory_xact_lock(hashtext({}))", f"{table}.{PARENTS[table]}"))


async def is_above(work: UnitOfWork, table: str, record: UUID, other: UUID) -> bool:
    """Return whether a record stands above another one of its table, directly or through others."""
    rows, link = name(table), name(PARENTS[table])
    return bool(
        await work.session.value(
            Sql(
                "with recursive above (id, steps) as (select {}, 1 from {} where id = {}::uuid"
                " union select t.{}, steps + 1 from above join {} t on t.id = above.id"
                " where t.{} is not null and steps < {}::int)"
                " select exists (select from above where id = {}::uuid)",
                *(link, rows, other, link, rows, link, _DEEPEST, record),
            )
        )
    )
