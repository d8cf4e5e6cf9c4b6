"""One row of input on its way to a table."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from api.workflows.records.record_input import RecordInput, field_name
from api.workflows.records.stored_rows import StoredRow
from api.workflows.user_errors import UserError
from schema.base import TableShape
from schema.writes.user_errors import UserErrorCode

# What is wrong with a link to a record that exists, and would be right if the row had named it before.
_NO_LONGER_IN_USE = frozenset(
    {UserErrorCode.DELETED, UserErrorCode.MERGED, UserErrorCode.ERASED, UserErrorCode.INACTIVE}
)


@dataclass(slots=True)
class PlannedRow:
    """One row of input on its way to the table: the stored row, what changes, and what is wrong.

    `has_key`: the external key of the input is stored already.
    """

    shape: TableShape
    given: RecordInput
    stored: StoredRow | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    errors: list[UserError] = field(default_factory=list)
    has_key: bool = False

    @property
    def id(self) -> UUID | None:
        """The id of the record; None if it is new and has none yet."""
        found: UUID | None = self.stored["id"] if self.stored is not None else self.changes.get("id")
        return found

    def value(self, column: str) -> Any:  # noqa: ANN401 - a value of any column
        """Return the value that the column will have."""
        if column in self.changes:
            return self.changes[column]
        return None if self.stored is None else self.stored[column]

    def reject(self, column: str, code: UserErrorCode, message: str) -> None:
        """Note what is wrong with the field of a column."""
        self.errors.append(UserError((*self.given.path, field_name(self.shape, column)), code, message))

    def keep_stored_links(self) -> None:
        """Accept links that the stored row has already, to whatever they lead: they do not change.

        A form sends all of its fields. It shall not fail because an owner left whom it does not change.
        """
        for column in self.given.links:
            id_ = self.changes.get(column)
            if self.stored is not None and id_ is not None and id_ == self.stored[column]:
                path = (*self.given.path, field_name(self.shape, column))
                self.errors = [it for it in self.errors if it.path != path or it.code not in _NO_LONGER_IN_USE]
