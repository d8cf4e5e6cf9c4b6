"""The outcome of a mutation: which records its payload shows, and what became of the rows of its input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from api.workflows.user_errors import UserError
from schema.writes.write_status import WriteStatus


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row: the record, and what is wrong with the row."""

    record_id: UUID | None
    status: WriteStatus
    errors: tuple[UserError, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a mutation did: the ids of the records in its payload, and its other values.

    `records` has ids by the name of the payload's field; `rows` what became of every row of a bulk mutation; `values`
    other values of the payload, as JSON, without personal data. `secrets` are shown once: a replay has null instead.
    """

    records: Mapping[str, UUID | None] = field(default_factory=dict)
    rows: tuple[RowOutcome, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    errors: tuple[UserError, ...] = ()
    is_replayed: bool = False


class Rejected(Exception):  # noqa: N818 - it carries an outcome, and is not an error of the program
    """Ends a unit of work without a commit, because its input is wrong. The outcome says what is wrong."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("; ".join(error.message for error in outcome.errors))
        self.outcome = outcome


def bulk_outcome(rows: Sequence[RowOutcome], *, is_each: bool) -> Outcome:
    """Return the outcome of a bulk mutation.

    Errors: Rejected if a row is wrong, unless the right ones are written by themselves (`is_each`).
    """
    errors = tuple(error for row in rows for error in row.errors)
    if errors and not is_each:
        raise Rejected(Outcome(rows=tuple(map(_rolled_back, rows)), errors=errors))
    return Outcome(rows=tuple(rows))


def _rolled_back(row: RowOutcome) -> RowOutcome:
    return row if row.errors else RowOutcome(None, WriteStatus.ROLLED_BACK)
