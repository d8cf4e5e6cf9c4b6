"""The records that an input refers to, by id or external key, resolved to ids."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from api.access.scope import MERGED_INTO
from api.workflows.records.record_input import RecordInput, Reference, field_name
from api.workflows.records.stored_rows import StoredRow, keyed_ids, reached_rows
from api.workflows.unit_of_work import UnitOfWork
from api.workflows.user_errors import FieldPath, UserError
from schema.base import TableShape
from schema.writes.user_errors import UserErrorCode

Resolved = dict[str, UUID | None]


async def resolve_links(
    work: UnitOfWork, shape: TableShape, rows: Sequence[RecordInput]
) -> tuple[list[Resolved], list[list[UserError]]]:
    """Resolve the links of input rows to ids.

    Shapes: rows -> for each row the ids by column, and what is wrong with its links: of a record that is no longer in
    use, both. At most two statements for each linked table, however many rows.
    """
    resolved: list[Resolved] = [{} for _ in rows]
    errors: list[list[UserError]] = [[] for _ in rows]
    if not any(row.links for row in rows):
        return resolved, errors
    targets = {column.name: column.link.target for column in shape.columns if column.link is not None}
    for target in dict.fromkeys(targets.values()):
        uses = [use for use in _uses(rows) if targets[use[1]] == target]
        found = await resolve_references(work, target, [reference for _, _, reference in uses if reference])
        for place, column, reference in uses:
            if reference is None:
                _set_null(shape, rows[place], column, resolved[place], errors[place])
                continue
            row = found.get(reference)
            path = (*rows[place].path, field_name(shape, column))
            problem = link_problem(row, path)
            errors[place] += [problem] if problem else []
            if row is not None:
                resolved[place][column] = row["id"]
    return resolved, errors


async def resolve_references(
    work: UnitOfWork, table: str, references: Sequence[Reference], columns: Sequence[str] = ()
) -> dict[Reference, StoredRow]:
    """Return the rows that references name; those that name none, or one out of reach, are missing."""
    keys = [reference.key for reference in references if reference.key is not None]
    by_key = await keyed_ids(work, table, keys)
    ids = {it: it.id or (by_key.get(it.key) if it.key else None) for it in references}
    rows = await reached_rows(work, table, {id_ for id_ in ids.values() if id_ is not None}, columns)
    return {it: rows[id_] for it, id_ in ids.items() if id_ is not None and id_ in rows}


def link_problem(row: StoredRow | None, path: FieldPath) -> UserError | None:
    """Return what is wrong with linking to a row: it does not exist for the principal, or it is no longer in use."""
    if row is None:
        return UserError(path, UserErrorCode.NOT_FOUND, "No record that you reach has this id or external key.")
    if row.get("deleted_at") is not None:
        return UserError(path, UserErrorCode.DELETED, "This record is deleted. Restore it first.")
    if row.get(MERGED_INTO) is not None:
        return UserError(path, UserErrorCode.MERGED, "This record was merged into another one. Name that one.")
    if row.get("erased_at") is not None:
        return UserError(path, UserErrorCode.ERASED, "This person was erased. Nothing more is stored of them.")
    if row.get("deactivated_at") is not None:
        return UserError(path, UserErrorCode.INACTIVE, "This record is deactivated. Name one that is in use.")
    return None


def _uses(rows: Sequence[RecordInput]) -> Iterator[tuple[int, str, Reference | None]]:
    for place, row in enumerate(rows):
        for column, reference in row.links.items():
            yield place, column, reference


def _set_null(shape: TableShape, row: RecordInput, column: str, resolved: Resolved, errors: list[UserError]) -> None:
    if shape.column(column).is_nullable:
        resolved[column] = None
        return
    path = (*row.path, field_name(shape, column))
    errors.append(UserError(path, UserErrorCode.REQUIRED, "This field cannot be null."))
