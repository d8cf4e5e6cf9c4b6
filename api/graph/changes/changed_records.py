"""The records of a page of changes: read by the planner, one statement a table, in the snapshot of the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.access.principal import Principal
from api.access.reached_changes import ChangePage, ReachedChange, identified_table
from api.db import ReadSession
from api.graph.derived.record_types import TYPE_KEY
from api.graph.reading.selection_reader import Path, RecordSelection
from api.plan.cost.response_records import require_few_records, response_records
from api.plan.list_arguments import page_of_ids
from api.plan.prepared_statements import read_selection
from api.plan.selection import ColumnValue, Connection, Edges, Nodes, RootField
from schema.tables import SHAPES

# What is selected of a record of a table, by the path of response keys from the connection.
SelectionsOf = Callable[[str], Mapping[Path, RecordSelection]]


@dataclass(frozen=True, slots=True)
class ChangedRecords:
    """What is selected of the records of a page, by place, table and id; nothing for records that are not visible.

    `redacted` has the fields that are null because the principal may not read them.
    """

    rows: Mapping[tuple[Path, str, UUID], object]
    redacted: frozenset[str]

    def record(self, path: Path, change: ReachedChange) -> object:
        """Return the record that a change is about, as it is now."""
        return self.rows.get((path, identified_table(change.record_type), change.record_id))

    def contact(self, path: Path, change: ReachedChange) -> object:
        """Return the contact that the record belongs to, as it is now; None for other records."""
        return None if change.contact_id is None else self.rows.get((path, "contact", change.contact_id))


async def read_changed_records(
    session: ReadSession, principal: Principal, page: ChangePage, selections_of: SelectionsOf
) -> ChangedRecords:
    """Read what is selected of the records of a page, and of the contacts that they belong to.

    Errors: TOO_LARGE for lists within them that could have too many records; those of the statements.
    """
    wanted = _wanted(page.changes)
    connections = {table: _connection(table, ids, selections_of(table)) for table, ids in wanted.items()}
    selected = {table: connection for table, connection in connections.items() if connection is not None}
    require_few_records(response_records(RootField(table, connection) for table, connection in selected.items()))
    rows: dict[tuple[Path, str, UUID], object] = {}
    redacted: set[str] = set()
    for table, connection in selected.items():
        read = await read_selection(session, connection, principal)
        redacted.update(read.redacted)
        found: Any = read.value
        by_id = {edge["id"]["id"]: edge for edge in found["edges"]}
        kind = {TYPE_KEY: SHAPES[table].type_name}
        for number, path in enumerate(selections_of(table)):
            for id_ in wanted[table]:
                if edge := by_id.get(f"{table}_{id_}"):
                    rows[path, table, id_] = edge[f"n{number}"] | kind
    return ChangedRecords(rows, frozenset(redacted))


def _wanted(changes: Sequence[ReachedChange]) -> dict[str, tuple[UUID, ...]]:
    """The ids of the records and contacts of some changes, by table."""
    found: dict[str, dict[UUID, None]] = {}
    for change in changes:
        found.setdefault(identified_table(change.record_type), {})[change.record_id] = None
        if change.contact_id is not None:
            found.setdefault("contact", {})[change.contact_id] = None
    return {table: tuple(ids) for table, ids in found.items()}


def _connection(table: str, ids: Sequence[UUID], selections: Mapping[Path, RecordSelection]) -> Connection | None:
    if not selections:
        return None
    places = (Nodes(f"n{number}", selection.fields) for number, selection in enumerate(selections.values()))
    edges = Edges("edges", (Nodes("id", (ColumnValue("id", "id"),)), *places))
    return Connection(table, page_of_ids(ids, with_merged=True), (edges,))
