"""The input of the mutations of records: which record, and the values to write."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from uuid import UUID

from api.workflows.user_errors import FieldPath, UserError
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

MAX_KEY_BYTES = 2_000  # of both parts together; an entry of the index has no room for more
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # characters that PostgreSQL's UTF-8 does not have


@dataclass(frozen=True, slots=True)
class ExternalKeyValue:
    """The key of a record in another system."""

    source: str
    external_id: str

    @property
    def problem(self) -> str | None:
        """What is wrong with the key, in words; None if it can be stored. No record has a key that cannot."""
        both = self.source + self.external_id
        if not self.source.strip() or not self.external_id.strip():
            return "An external key has a source and an id; neither is empty."
        if UNSTORABLE.search(both) is not None:
            return "The external key has a NUL character or half a surrogate pair."
        if len(both.encode()) > MAX_KEY_BYTES:
            return f"The external key has {len(both.encode()):,} bytes. The limit is {MAX_KEY_BYTES:,}."
        return None


@dataclass(frozen=True, slots=True)
class Reference:
    """A record, named by its id or by its key in another system."""

    id: UUID | None = None
    key: ExternalKeyValue | None = None


@dataclass(frozen=True, slots=True)
class RecordInput:
    """One row of input: the record that it is about, and the values to write, by column.

    A column that is absent is left alone; None empties it. `links` has the records that foreign keys shall name, by
    column. `path` leads to the row in the mutation's input; `errors` are those of
    reading it.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    links: Mapping[str, Reference | None] = field(default_factory=dict)
    id: UUID | None = None
    key: ExternalKeyValue | None = None
    expected_version: int | None = None
    effective_at: datetime | None = None
    restores: bool = False
    path: FieldPath = ()
    errors: tuple[UserError, ...] = ()


def settable_columns(shape: TableShape, *, is_new: bool) -> Mapping[str, ColumnShape]:
    """Return the columns that the derived mutations of a table write, by name: those that nothing else decides.

    Of a new record they include columns that a mutation of their own changes later.
    """
    return _settable_columns(shape.name, is_new=is_new)


@cache
def _settable_columns(table: str, *, is_new: bool) -> Mapping[str, ColumnShape]:
    own = {"id", "created_at", "updated_at", "row_version"}
    return {
        column.name: column
        for column in SHAPES[table].visible
        if column.name not in own and not column.note.written_by and (is_new or not column.note.changed_by)
    }


def field_name(shape: TableShape, column: str) -> str:
    """Return the name of the input field that fills a column: a link without `_id`, a currency's amount."""
    amounts = [other.name for other in shape.columns if other.note.currency == column]
    if amounts:
        return amounts[0]
    found = shape.column(column)
    return found.link.name if found.link is not None else column
