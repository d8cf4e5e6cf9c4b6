"""Finds the columns of a preset in the header of a file whose headings vary, and adapts the preset to them."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache

from api.errors import AccordError, ErrorCode
from api.importers.fields import check_reading, is_needed
from api.importers.mapping import FileMap, RecordMap
from api.importers.value_reading import Conditions, ValueReading


def find_columns(file: FileMap, header: Sequence[str]) -> dict[str, str]:
    """Return the heading of every column of the preset's file that the header has, by the name of the column."""
    found: dict[str, str] = {}
    for column in dict.fromkeys((*file.columns, *file.signs)):
        spellings = (column, *file.headings.get(column, ()))
        heading = next((match for spelling in spellings for match in _matching(spelling, header)), None)
        if heading is not None:
            found[column] = heading
    return found


def missing_signs(file: FileMap, header: Sequence[str]) -> tuple[str, ...]:
    """Return the signs of the preset's file that the header does not have."""
    found = find_columns(file, header)
    return tuple(sign for sign in file.signs if sign not in found)


def adapt(file: FileMap, name: str, header: Sequence[str]) -> FileMap:
    """Return the preset's file with the name and the headings of the file that was found.

    Errors: BAD_FILE if the text of a heading is not a value of the field that it fills.
    """
    found = find_columns(file, header)
    records = tuple(_adapted_record(record, found, name, header) for record in file.records)
    adapted = file.model_copy(
        update={
            "name": name,
            "key": tuple(found.get(column, column) for column in file.key),
            "dates": {found.get(column, column): forms for column, forms in file.dates.items()},
            "records": records,
        }
    )
    absent = tuple(column for column in adapted.columns if column not in header)
    return adapted.model_copy(update={"may_lack": absent})


def _matching(spelling: str, header: Sequence[str]) -> Iterator[str]:
    pattern = _pattern(spelling)
    return (heading for heading in header if pattern.fullmatch(heading))


@cache
def _pattern(spelling: str) -> re.Pattern[str]:
    """Upper and lower case do not matter, nor how many blanks there are; `*` stands for any text."""
    parts = [r"\s+".join(map(re.escape, part.split(" "))) for part in spelling.split("*")]
    return re.compile("(.*)".join(parts), re.IGNORECASE)


def _adapted_record(record: RecordMap, found: Mapping[str, str], name: str, header: Sequence[str]) -> RecordMap:
    def several(readings: tuple[ValueReading, ...] | None) -> tuple[ValueReading, ...] | None:
        return None if readings is None else tuple(_adapted(reading, found) for reading in readings)

    fields = {
        field: tuple(
            _from_heading(record, field, _adapted(reading, found), name, header) for reading in record.fields[field]
        )
        for field in record.fields
    }
    fields = _given_fields(record, fields, header)
    return record.model_copy(
        update={
            "key": None if record.key is None else _adapted(record.key, found),
            "alias": None if record.alias is None else _adapted(record.alias, found),
            "begins": several(record.begins),
            "since": several(record.since),
            "when": _conditions(record.when, found),
            "unless": _conditions(record.unless, found),
            "primary": tuple(_conditions(ranking, found) for ranking in record.primary),
            "fields": fields,
        }
    )


def _given_fields(
    record: RecordMap, fields: Mapping[str, tuple[ValueReading, ...]], header: Sequence[str]
) -> dict[str, tuple[ValueReading, ...]]:
    """The fields without those that no column of the file gives: an export of fewer columns must not empty the others.

    A field that must have a value stays, so that its rows are rejected with the missing columns named.
    """
    needed = {
        field
        for field, (column, readings) in zip(record.fields, record.filled, strict=True)
        if is_needed(column) or any(reading.is_required for reading in readings)
    }
    kept: dict[str, tuple[ValueReading, ...]] = {}
    for field, readings in fields.items():
        present = tuple(reading for reading in readings if _is_present(reading, header, kept))
        if present or field in needed:
            kept[field] = tuple(
                reading if reading.not_before in kept else reading.model_copy(update={"not_before": None})
                for reading in (readings if field in needed else present)
            )
    return kept


def _is_present(reading: ValueReading, header: Sequence[str], kept: Collection[str]) -> bool:
    columns = reading.sources
    has_column = reading.constant is not None or any(column in header for column in columns)
    can_hold = all(column in header or "" in texts for column, texts in reading.when.items())
    return has_column and can_hold and all(field in kept for field in reading.given)


def _adapted(reading: ValueReading, found: Mapping[str, str]) -> ValueReading:
    return reading.model_copy(
        update={
            "column": None if reading.column is None else found.get(reading.column, reading.column),
            "columns": tuple(found.get(column, column) for column in reading.columns),
            "when": _conditions(reading.when, found),
            "unless": _conditions(reading.unless, found),
        }
    )


def _conditions(conditions: Conditions, found: Mapping[str, str]) -> Conditions:
    return {found.get(column, column): texts for column, texts in conditions.items()}


def _from_heading(
    record: RecordMap, field: str, reading: ValueReading, name: str, header: Sequence[str]
) -> ValueReading:
    """A reading of a heading as the constant that stands in it; as a column that the file lacks if it has none."""
    if reading.heading is None:
        return reading
    heading = next(_matching(reading.heading, header), None)
    if heading is None:
        return reading.model_copy(update={"heading": None, "column": reading.heading})
    matched = _pattern(reading.heading).fullmatch(heading)
    text = "" if matched is None else matched[1]
    read = reading.model_copy(update={"heading": None, "constant": text})
    column = dict(zip(record.fields, (column for column, _ in record.filled), strict=True))[field]
    try:
        check_reading(f"{record.table}.{field}", column, read)
    except ValueError as error:
        message = f"{name} has the column '{heading}', which is to say the {field}: {error}."
        raise AccordError(ErrorCode.BAD_FILE, message, "Check that it is the right file.") from error
    return read
