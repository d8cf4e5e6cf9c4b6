"""The parents of companies when companies are merged: no company comes to stand above itself."""

from api.workflows.people.filled_values import Filled
from api.workflows.records.record_tree import is_above, lock_tree
from api.workflows.records.stored_rows import StoredRow
from api.workflows.unit_of_work import UnitOfWork


async def parent_after_merge(work: UnitOfWork, survivor: StoredRow, merged: StoredRow) -> Filled:
    """Return the change of the survivor's parent, if it has to change.

    A survivor that stands below the other company takes its place in the tree. One without a parent takes the other's,
    unless that stands below it.
    Shapes: two companies -> the former and the new parent, or nothing.
    """
    parent = survivor["parent_id"]
    await lock_tree(work, "company")
    if await is_above(work, "company", merged["id"], survivor["id"]):
        return {"parent_id": (parent, merged["parent_id"])}
    new = merged["parent_id"]
    if (
        parent is None
        and new not in (None, survivor["id"])
        and not await is_above(work, "company", survivor["id"], new)
    ):
        return {"parent_id": (None, new)}
    return {}
