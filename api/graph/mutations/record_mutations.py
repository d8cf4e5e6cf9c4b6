"""The mutations that every editable table implies: create, update, upsert; delete and restore, or deactivate."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from api.graph.declared import Input, InputType, TypeRef
from api.graph.derived.links import visible_shapes
from api.graph.mutations.mutation import MAX_ROWS, Mutation, outcome_value, record_of
from api.graph.mutations.record_inputs import (
    effective_at_inputs,
    external_key_input,
    optional_version_input,
    read_record_input,
    record_key_inputs,
    value_inputs,
)
from api.workflows.outcome import Outcome, bulk_outcome
from api.workflows.records.delete_record import EndColumn, end_record, resume_record
from api.workflows.records.write_records import WriteOperation, write_records
from api.workflows.unit_of_work import UnitOfWork, Workflow
from schema.base import TableShape
from schema.vocab import Vocabulary


class BulkMode(Vocabulary):
    """What a bulk mutation does if some of its rows are wrong."""

    ALL_OR_NOTHING = "ALL_OR_NOTHING", "Nothing is written. `userErrors` has what is wrong with all rows."
    EACH = "EACH", "The other rows are written. The result of a row has what is wrong with it."


# Mutations that do more than end the record have a workflow of their own, and no derived one.
_OWN_VERBS = frozenset({"deactivateMember"})
_STATUS = "What became of the record."
_RESTORE = Input(
    "restore", "True: if the record was deleted, restore it. By default that is an error.", TypeRef("Boolean")
)


def editable_shapes() -> tuple[TableShape, ...]:
    """Return the tables that have derived mutations."""
    return tuple(shape for shape in visible_shapes() if shape.edit_permission is not None)


def row_input_types() -> Iterator[InputType]:
    """Yield the input types of the rows of bulk mutations."""
    for shape in editable_shapes():
        doc = f"One row of `upsert{_plural(shape)}`. Fields that are left out keep their values; null empties a field."
        yield InputType(_row_type(shape), doc, tuple(_upsert_inputs(shape)))


def record_mutations() -> Iterator[Mutation]:
    """Yield the derived mutations of every editable table."""
    for shape in editable_shapes():
        yield from _writing(shape)
        yield from _ending(shape)


def _writing(shape: TableShape) -> Iterator[Mutation]:
    name, permission = shape.type_name, shape.edit_permission
    if permission is None:
        raise TypeError(f"{shape.name} has no derived mutations")
    record = record_of(shape.name)
    status = outcome_value("status", _STATUS, TypeRef("WriteStatus"))
    since = effective_at_inputs(shape)
    yield Mutation(
        f"create{name}",
        f"Create a {name}.",
        permission,
        (*value_inputs(shape, is_new=True), external_key_input(is_required=False), *since),
        partial(_prepare, shape, WriteOperation.CREATE),
        (record,),
    )
    yield Mutation(
        f"update{name}",
        f"Change a {name}. Fields that are left out keep their values; null empties a field.",
        permission,
        (
            *record_key_inputs(shape),
            *value_inputs(shape, is_new=False),
            external_key_input(is_required=False),
            *since,
        ),
        partial(_prepare, shape, WriteOperation.UPDATE),
        (record,),
        (status,),
    )
    yield Mutation(
        f"upsert{name}",
        f"Change the {name} with this external key, or create it. Fields that are left out keep their values.",
        permission,
        tuple(_upsert_inputs(shape)),
        partial(_prepare, shape, WriteOperation.UPSERT),
        (record,),
        (status,),
    )
    yield Mutation(
        f"upsert{_plural(shape)}",
        f"Change or create many {name} rows by their external keys, {MAX_ROWS:,} at most.",
        permission,
        (
            Input("rows", "The rows.", TypeRef(_row_type(shape)).required.listed.required),
            Input("mode", "What to do if some rows are wrong. By default ALL_OR_NOTHING.", TypeRef("BulkMode")),
        ),
        partial(_prepare_rows, shape),
        rows_of=shape.name,
    )


def _ending(shape: TableShape) -> Iterator[Mutation]:
    name, permission = shape.type_name, shape.edit_permission
    columns = {column.name for column in shape.columns}
    verbs: dict[EndColumn, tuple[str, str, str, str]] = {
        "deleted_at": ("delete", "restore", "Delete", "Restore a deleted"),
        "deactivated_at": ("deactivate", "reactivate", "Deactivate", "Reactivate a deactivated"),
    }
    for column, (end, resume, end_doc, resume_doc) in verbs.items():
        if column not in columns or permission is None:
            continue
        deleted = outcome_value("deleted_id", f"The id of the deleted {name}.", TypeRef("ID"))
        is_deletion = column == "deleted_at"
        if f"{end}{name}" not in _OWN_VERBS:
            yield Mutation(
                f"{end}{name}",
                f"{end_doc} a {name}. What refers to it stays as it is.",
                permission,
                record_key_inputs(shape),
                partial(_prepare_end, shape, column),
                () if is_deletion else (record_of(shape.name),),
                (deleted,) if is_deletion else (),
            )
        yield Mutation(
            f"{resume}{name}",
            f"{resume_doc} {name}.",
            permission,
            record_key_inputs(shape),
            partial(_prepare_resume, shape, column),
            (record_of(shape.name),),
        )


def _upsert_inputs(shape: TableShape) -> Iterator[Input]:
    yield external_key_input(is_required=True)
    yield from value_inputs(shape, is_new=True, is_partial=True)
    yield optional_version_input()
    if any(column.name == "deleted_at" for column in shape.columns):
        yield _RESTORE
    yield from effective_at_inputs(shape)


def _prepare(shape: TableShape, operation: WriteOperation, given: Mapping[str, Any]) -> Workflow:
    row = read_record_input(shape, given, is_new=operation is not WriteOperation.UPDATE)

    async def workflow(work: UnitOfWork) -> Outcome:
        [outcome] = await write_records(work, shape, operation, [row])
        work.errors += outcome.errors
        work.require_valid()
        return Outcome({shape.name: outcome.record_id}, values={"status": outcome.status.value})

    return workflow


def _prepare_rows(shape: TableShape, given: Mapping[str, Any]) -> Workflow:
    rows = [
        read_record_input(shape, row, is_new=True, path=("rows", str(place))) for place, row in enumerate(given["rows"])
    ]
    is_each = given.get("mode") == BulkMode.EACH

    async def workflow(work: UnitOfWork) -> Outcome:
        outcomes = await write_records(work, shape, WriteOperation.UPSERT, rows)
        return bulk_outcome(outcomes, is_each=is_each)

    return workflow


def _prepare_end(shape: TableShape, column: EndColumn, given: Mapping[str, Any]) -> Workflow:
    row = read_record_input(shape, given, is_new=False)

    async def workflow(work: UnitOfWork) -> Outcome:
        return await end_record(work, shape, column, row)

    return workflow


def _prepare_resume(shape: TableShape, column: EndColumn, given: Mapping[str, Any]) -> Workflow:
    row = read_record_input(shape, given, is_new=False)

    async def workflow(work: UnitOfWork) -> Outcome:
        return await resume_record(work, shape, column, row)

    return workflow


def _plural(shape: TableShape) -> str:
    """Return the plural of the type's name, such as Companies."""
    return "".join(word.capitalize() for word in shape.plural.split("_"))


def _row_type(shape: TableShape) -> str:
    return f"Upsert{shape.type_name}Row"
