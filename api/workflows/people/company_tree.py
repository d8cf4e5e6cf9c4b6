"""The parents of companies when companies are merged or unmerged: no company comes to stand above itself."""

from uuid import UUID

from api.workflows.people.filled_values import Filled
from api.workflows.people.moved_rows import Moved
from api.workflows.records.record_tree import in_circles, is_above, lock_tree, tree_above
from api.workflows.records.stored_rows import StoredRow
from api.workflows.unit_of_work import UnitOfWork

_SUBSIDIARIES = "company.parent_id"


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


async def given_back_without_circles(work: UnitOfWork, moved: Moved, merged: UUID, survivor: UUID) -> Moved:
    """Return which of the rows that a merge moved go back to the merged company.

    A subsidiary that came to stand above that company since then stays with the survivor.
    Shapes: ids of rows by `table.column` -> the same, without those subsidiaries.
    """
    await lock_tree(work, "company")
    ids = [UUID(id_) for id_ in moved.get(_SUBSIDIARIES, ())]
    if not ids:
        return moved
    tree = await tree_above(work, "company", {*ids, merged})
    refused = in_circles(tree, {id_: merged for id_ in ids if tree.get(id_) == survivor})
    return {**moved, _SUBSIDIARIES: [str(id_) for id_ in ids if id_ not in refused]}
