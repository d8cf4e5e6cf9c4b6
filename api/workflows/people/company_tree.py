"""The parents of companies when companies are merged: no company comes to stand above itself."""

from uuid import UUID

from api.sql import Sql
from api.workflows.people.filled_values import Filled
from api.workflows.records.stored_rows import StoredRow
from api.workflows.unit_of_work import UnitOfWork

_DEEPEST = 100


async def parent_after_merge(work: UnitOfWork, survivor: StoredRow, merged: StoredRow) -> Filled:
    """Return the change of the survivor's parent, if it has to change.

    A survivor that stands below the other company takes its place in the tree. One without a parent takes the other's,
    unless that stands below it.
    Shapes: two companies -> the former and the new parent, or nothing.
    """
    parent = survivor["parent_id"]
    # As for every other change of a parent: two transactions could make a circle of which each sees only one half.
    await work.session.run(Sql("select pg_advisory_xact_lock(hashtext({}))", "company.parent_id"))
    if await is_above(work, merged["id"], survivor["id"]):
        return {"parent_id": (parent, merged["parent_id"])}
    new = merged["parent_id"]
    if parent is None and new not in (None, survivor["id"]) and not await is_above(work, survivor["id"], new):
        return {"parent_id": (None, new)}
    return {}


async def is_above(work: UnitOfWork, company: UUID, other: UUID) -> bool:
    """Return whether a company stands above another one, directly or through others."""
    return bool(
        await work.session.value(
            Sql(
                "with recursive above (id, steps) as (select parent_id, 1 from company where id = {}::uuid"
                " union select t.parent_id, steps + 1 from above join company t on t.id = above.id"
                " where t.parent_id is not null and steps < {}::int)"
                " select exists (select from above where id = {}::uuid)",
                *(other, _DEEPEST, company),
            )
        )
    )
