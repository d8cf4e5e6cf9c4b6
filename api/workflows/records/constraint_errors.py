"""Violations of constraints of the database as user errors."""

import asyncpg
import sqlalchemy as sa

from api.workflows.records.record_input import field_name
from api.workflows.user_errors import FieldPath, UserError
from schema.base import TableShape
from schema.tables import METADATA
from schema.writes.user_errors import UserErrorCode


def constraint_error(shape: TableShape, path: FieldPath, error: asyncpg.IntegrityConstraintViolationError) -> UserError:
    """Return the user error for a constraint that a row violates, at the field of the first of its columns."""
    violated = str(error.constraint_name or "")
    columns = _columns(shape.name, violated)
    at = (*path, field_name(shape, columns[0])) if columns else path
    if isinstance(error, asyncpg.UniqueViolationError):
        fields = ", ".join(_words(field_name(shape, column)) for column in columns)
        message = f"Another record has the same {fields or 'key'}. Change that one; if it is deleted, restore it first."
        return UserError(at, UserErrorCode.DUPLICATE, message)
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return UserError(at, UserErrorCode.NOT_FOUND, "The record that this field names does not exist.")
    if isinstance(error, asyncpg.NotNullViolationError):
        missing = field_name(shape, str(error.column_name))
        return UserError((*path, missing), UserErrorCode.REQUIRED, "This field cannot be null.")
    rule = _words(violated.removeprefix(f"ck_{shape.name}_"))
    return UserError(at, UserErrorCode.INVALID, f"The {_words(shape.name)} would break the rule '{rule}'.")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _columns(table: str, violated: str) -> list[str]:
    built = METADATA.tables[table]
    for constraint in built.constraints:
        if str(constraint.name) == violated and isinstance(
            constraint, sa.UniqueConstraint | sa.CheckConstraint | sa.ForeignKeyConstraint
        ):
            columns = [column.name for column in constraint.columns]
            if columns:
                return columns
            text = str(constraint.sqltext) if isinstance(constraint, sa.CheckConstraint) else ""
            return [column.name for column in built.columns if column.name in text]
    for index in built.indexes:
        if index.name == violated:
            return [column.name for column in index.columns]
    return []
