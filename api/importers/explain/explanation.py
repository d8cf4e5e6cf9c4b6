"""The values of an explanation: cells, and the records that they became."""

from dataclasses import dataclass
from datetime import UTC, datetime

from api.intake.staged import RejectedRow


@dataclass(frozen=True, slots=True)
class CellUse:
    """One way in which the import read a cell: how, and the value; `problem` is why there is none."""

    how: str
    value: object
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CellExplanation:
    """A cell of the row, and how it was read; without uses, nothing reads its column."""

    column: str
    text: str
    uses: tuple[CellUse, ...]


@dataclass(frozen=True, slots=True)
class FieldExplanation:
    """A field of a record: the columns that it comes from, its value in this row, and what is to be said about it."""

    name: str
    columns: str
    value: object
    remark: str = ""


@dataclass(frozen=True, slots=True)
class RecordExplanation:
    """A record that the row means: its keys, what becomes of it, and its fields."""

    table: str
    keys: tuple[str, ...]
    outcome: str
    fields: tuple[FieldExplanation, ...]


@dataclass(frozen=True, slots=True)
class RowExplanation:
    """What one row of a file became, and why. A row that `is_kept` may have values that are `rejected`."""

    file: str
    line: int
    cells: tuple[CellExplanation, ...]
    text: str
    records: tuple[RecordExplanation, ...]
    rejected: tuple[RejectedRow, ...]
    is_kept: bool


def shown(value: object) -> str:
    """Return a value as text: instants in UTC, texts in quotes."""
    match value:
        case None:
            return "no value"
        case bool():
            return str(value).lower()
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str():
            return quoted(str(value))
        case list():
            return ", ".join(map(shown, value))
        case _:
            return str(value)


def quoted(text: str) -> str:
    """Return a text in quotes, on one line."""
    return f"'{' '.join(text.splitlines())}'"
