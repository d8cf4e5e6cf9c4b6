"""The columns that a file can fill, and whether a reading of a preset fits its column."""

from datetime import date
from decimal import Decimal

from api.importers.cell_values import vocabulary_parser
from api.importers.value_reading import ValueReading
from schema.base import ColumnShape, TableShape
from schema.formats import READERS, Format
from schema.vocab import Vocabulary

# What no file can fill: our own bookkeeping, what is derived, and what decides over access.
_OWN_COLUMNS = frozenset(
    {"id", "created_at", "updated_at", "row_version", "recorded_at", "email_kind", "deactivated_at"}
)
# A closed deal, or a decided handoff, is a fact of another instant without these.
_VITAL_INSTANTS = frozenset({"closed_at", "decided_at"})
# What every row has without a field: a reported stage is reported by the source of the import.
_GIVEN = frozenset({("reported_stage", "source")})


def fillable(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns that a row can fill, by the name that a preset uses: a link's is the name of its field."""
    shown = [column for column in shape.columns if not column.note.hidden or column.name == "deleted_at"]
    return {
        column.link.name if column.link else column.name: column for column in shown if column.name not in _OWN_COLUMNS
    }


def must_be_filled(shape: TableShape) -> list[str]:
    """The names of the fields without which a preset cannot create records of the table."""
    return [
        name
        for name, column in fillable(shape).items()
        if is_needed(column) and (shape.name, column.name) not in _GIVEN
    ]


def is_name(column: ColumnShape) -> bool:
    """Whether a column holds the name of a person, a firm or a thing: any word may stand in it."""
    return column.python is str and (column.name == "name" or column.name.endswith("_name"))


def is_needed(column: ColumnShape) -> bool:
    """Whether a record must have a value for the column."""
    return not column.is_nullable and not column.has_default


def is_vital(column: ColumnShape, reading: ValueReading) -> bool:
    """Whether a row is rejected if the reading's cell cannot be read; otherwise only the value is left out.

    A default does not make a NOT NULL column a side value: `email_opt_out` that cannot be read must not become false.
    """
    if reading.vital is not None:
        return reading.vital
    is_elsewhere = reading.lookup is not None or reading.through is not None
    by_nature = column.link is not None or not column.is_nullable or column.name in _VITAL_INSTANTS
    return by_nature or reading.is_required or is_elsewhere


def check_reading(field: str, column: ColumnShape, reading: ValueReading, *, may_be_list: bool = False) -> None:
    """Check that a reading fits the declaration of its column; ValueError if it does not."""
    if reading.split and not may_be_list:
        raise ValueError(f"{field}: only a key can be a list, or a link of a table without ids; remove 'split'")
    _check_vital(field, column, reading)
    is_adjusted = reading.is_number or reading.is_shifted
    if column.link is not None:
        if reading.through or is_adjusted or not isinstance(reading.constant, str | None):
            raise ValueError(f"{field} is a link: name the column with the source's key for it")
        return
    if reading.is_optional or reading.prefix or reading.id_form:
        raise ValueError(f"{field} is not a link: remove 'optional', 'prefix' and 'id_form'")
    if (reading.is_number or reading.plus) and column.python not in (int, Decimal, date):
        raise ValueError(f"{field} is not a number: remove 'decimal', 'scale' and 'plus'")
    if column.python is date and reading.is_number:
        raise ValueError(f"{field} is a date: remove 'decimal' and 'scale'")
    if reading.plus_months and column.python is not date:
        raise ValueError(f"{field} is not a date: remove 'plus_months'")
    if reading.single and column.python is not str:
        raise ValueError(f"{field} is neither a link nor a text: remove 'single'")
    if column.note.vocab is not None:
        _check_vocabulary(field, column.note.vocab, reading)
    if column.note.format is not None:
        _check_spellings(field, column.note.format, reading)
    kind = str if column.note.vocab else (int if column.python is Decimal else column.python)
    if reading.constant is not None and not isinstance(reading.constant, kind):
        raise ValueError(f"{field}: '{reading.constant}' is not of type {column.python.__name__}")


def _check_vital(field: str, column: ColumnShape, reading: ValueReading) -> None:
    if reading.at_import and column.name != "deleted_at":
        raise ValueError(f"{field} is not 'deleted_at': remove 'at_import'")
    if column.link is not None and reading.vital is not None:
        raise ValueError(f"{field} is a link: remove 'vital'")
    if reading.vital is False and is_needed(column):
        raise ValueError(f"{field} is needed by every record: remove 'vital = false'")
    if reading.vital is False and (reading.is_required or reading.lookup or reading.through):
        raise ValueError(f"{field}: 'vital = false' does not go with 'required', 'lookup' or 'through'")


def _check_vocabulary(field: str, vocabulary: type[Vocabulary], reading: ValueReading) -> None:
    parse = vocabulary_parser(vocabulary)
    for word in _stated(reading):
        try:
            parse(str(word))
        except ValueError as error:
            raise ValueError(f"{field}: '{word}' {error}") from error


def _check_spellings(field: str, form: Format, reading: ValueReading) -> None:
    """Check that the values which the preset itself states are in the column's format."""
    for word in _stated(reading):
        try:
            READERS[form](str(word))
        except ValueError as error:
            raise ValueError(f"{field}: '{word}' {error}") from error


def _stated(reading: ValueReading) -> list[object]:
    """The values that a reading states: its constant, or those of its words."""
    if reading.constant is not None:
        return [reading.constant]
    return list((reading.words or reading.contains or {}).values())
