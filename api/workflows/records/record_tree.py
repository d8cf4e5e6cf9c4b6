"""Trees of records: tables with a link to themselves, in which no record may come to stand above itself."""

from collections.abc import Collection, Iterator, Mapping
from uuid import UUID

from api.sql import Sql, name
from api.workflows.unit_of_work import UnitOfWork

# The link of each such table to the record above.
PARENTS = {"company": "parent_id", "campaign": "parent_id", "member": "manager_id"}

Tree = Mapping[UUID, UUID | None]
"""The record above each record."""


async def lock_tree(work: UnitOfWork, table: str) -> None:
    """Let one transaction at a time move records of a table within its tree.

    Two could make a circle of which each sees only one half.
    """
    await work.session.run(Sql("select pg_advisory_xact_lock(hashtext({}))", f"{table}.{PARENTS[table]}"))


async def tree_above(work: UnitOfWork, table: str, records: Collection[UUID]) -> Tree:
    """Return the records, with all that stand above them.

    Shapes: ids -> the id of the record above, by id. One statement. Call `lock_tree` before, to rely on it.
    """
    rows, link = name(table), name(PARENTS[table])
    found = await work.session.rows(
        # `union` instead of `union all` ends the recursion on a circle, which imports can bring.
        Sql(
            "with recursive above (id, parent) as (select id, {} from {} where id = any({}::uuid[])"
            " union select t.id, t.{} from above join {} t on t.id = above.parent) select id, parent from above",
            *(link, rows, list(records), link, rows),
        )
    )
    return {row["id"]: row["parent"] for row in found}


async def is_above(work: UnitOfWork, table: str, record: UUID, other: UUID) -> bool:
    """Return whether a record stands above another one of its table, directly or through others."""
    return record in ancestors(await tree_above(work, table, [other]), other)


def ancestors(tree: Tree, record: UUID) -> Iterator[UUID]:
    """Yield the records above a record, the nearest first; each once, also of a circle."""
    seen: set[UUID] = set()
    above = tree.get(record)
    while above is not None and above not in seen:
        yield above
        seen.add(above)
        above = tree.get(above)


def in_circles(tree: Tree, moved: Tree) -> set[UUID]:
    """Return which of the moved records have to stay where they are, so that none comes to stand above itself.

    All of them move at once. A move that closes a circle only because another one is refused is refused, too.
    Shapes: a tree with what is above the new parents, and the new parents by id -> ids.
    """
    refused: set[UUID] = set()
    while True:
        after = {**tree, **{id_: parent for id_, parent in moved.items() if id_ not in refused}}
        found = _on_circles(after) & (moved.keys() - refused)
        if not found:
            return refused
        refused |= found


def _on_circles(tree: Tree) -> set[UUID]:
    """Return the records that stand above themselves, in one pass: every record has one above it at most."""
    found: set[UUID] = set()
    walked_from: dict[UUID, UUID] = {}
    for start in tree:
        path: list[UUID] = []
        record: UUID | None = start
        while record is not None and record not in walked_from:
            walked_from[record] = start
            path.append(record)
            record = tree.get(record)
        if record is not None and walked_from[record] == start and path:
            found.update(path[path.index(record) :])
    return found
