"""Binds a preset to the temporary tables that its rows go through: the input of the intake."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import count

from api.importers.binding import RecordBinding
from api.importers.cell_parsers import DateSettings
from api.importers.fields import is_needed
from api.importers.file_binding import FileBinding
from api.importers.mapping import FileMap, RecordMap
from api.importers.preset import Preset
from api.importers.row_values import StagedColumn
from api.importers.value_reading import ValueReading, label_of
from api.intake.column_sql import INSTANT
from api.intake.reported_stages import key_of_report
from api.intake.staged import LeftOutValue, RequiredKey, RequiredValue, StagedRecords, StagedRows
from api.sql import Sql, join
from schema.base import ColumnShape
from schema.placeholders import empty_cells

_SERIALS = count()
_ITEM = Sql("item.key")  # one key of a cell that is a list


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file of a preset, its temporary table, and the records that its rows describe.

    `keys` are the columns of the table that hold a source's keys, with their labels.
    """

    file: FileMap
    columns: tuple[StagedColumn, ...]
    id_columns: tuple[str, ...]
    looked_up: tuple[str, ...]
    keys: dict[str, str]
    rows: StagedRows

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of the temporary table, in the order of the loaded rows."""
        return ("line", "left_out", *(column.name for column in self.columns), *self.id_columns)

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that the file must have."""
        read = [name for column in self.columns for name in (column.column, *column.others)]
        return tuple(dict.fromkeys(name for name in (*self.file.columns, *read) if name not in self.file.may_lack))


def bind(preset: Preset, source: str, absent: Collection[str] = ()) -> tuple[StagedFile, ...]:
    """Bind every file of a preset, without the `absent` ones, to a temporary table. Their keys are `source`'s."""
    dates = DateSettings(preset.zone, preset.open_ends)
    present = [file for file in preset.files if file.name not in absent]
    # Named anew for every import: asyncpg keeps the column types of a table that it copied to, by the table's name.
    serial, empty = next(_SERIALS), empty_cells(preset.empty)
    files = {
        file.name: FileBinding(file, f"import_{serial}_file_{number}", dates, empty)
        for number, file in enumerate(present)
    }
    ranks = count()
    records = {
        file.name: tuple(
            _staged_records(RecordBinding(files[file.name], files, source, record), next(ranks))
            for record in file.records
        )
        for file in present
    }
    # Last, because binding a record may add columns to any file: those that it looks up.
    return tuple(_staged_file(files[file.name], records[file.name]) for file in present)


def _staged_file(binding: FileBinding, records: tuple[StagedRecords, ...]) -> StagedFile:
    file = binding.file
    return StagedFile(
        file,
        tuple(binding.columns),
        tuple(binding.id_columns),
        tuple(sorted(binding.looked_up)),
        binding.keys,
        StagedRows(binding.stage, file.name, binding.row_key, file.key_label, records),
    )


def _staged_records(binding: RecordBinding, rank: int) -> StagedRecords:
    """The record of a file's rows. The order of the steps is the order of the temporary table's columns."""
    record, file = binding.record, binding.file
    condition = file.test(record.when, record.unless)
    key, alias, fresh, items = None, None, None, None
    if record.shape.has_id:
        reading = record.key or _file_key(file.file)
        if reading.split is not None:
            keys, ids = binding.list_of_keys(reading)
            items, key, fresh = Sql("unnest({}, {}) as item(key, id)", keys, ids), _ITEM, Sql("item.id")
        else:
            key = binding.key(reading, is_required=not record.is_optional)
            fresh = file.new_id() if record.creates else None
    if record.alias is not None:
        alias = binding.key(record.alias, is_required=False)
    begins = None if record.begins is None else binding.instant(record.begins, is_required=False)
    since = None
    if record.since is not None:
        since = binding.instant(record.since, is_required=record.is_since_vital)
    values: dict[str, Sql] = {}
    fields: dict[str, Sql] = {}
    left_out: dict[str, LeftOutValue] = {}
    through: list[RequiredKey] = []
    for field, (column, readings) in zip(record.fields, record.filled, strict=True):
        if readings[0].split is not None:
            items = Sql("unnest({}) as item(key)", binding.linked_keys(readings[0]))
            values[column.name] = fields[field] = _ITEM
            continue
        through += binding.required_keys(column, readings, fields)
        found = binding.value(column, readings, fields)
        values[column.name] = fields[field] = found.value
        if found.left_out is not None:
            left_out[column.name] = found.left_out
    if record.table == "reported_stage":
        key = key_of_report(key or Sql("null"), values)
        values |= _stated_of_report(binding, values)
    if record.table == "contact" and "email" in record.fields:
        values["email_kind"] = binding.email_kind(record.shape.column("email"), record.fields["email"])
    return StagedRecords(
        table=record.table,
        rank=rank,
        stage=file.stage,
        condition=condition,
        items=items,
        key=key,
        alias=alias,
        new_id=fresh,
        begins=begins,
        since=since,
        values=values,
        required_values=tuple(_required_values(binding, key, since, values)),
        required_keys=(*_required_keys(record, file.file, key, values), *through),
        left_out=tuple(_with_what_depends(record, values, left_out).values()),
        agreed=_agreed_columns(record, file.file),
        priority=_priority(binding),
        labels={column.name: label_of(readings) or column.name for column, readings in record.filled},
    )


def _stated_of_report(binding: RecordBinding, values: Mapping[str, Sql]) -> dict[str, Sql]:
    """What a report says without a field: its source is that of the import, and it has no date and no accord's stage.

    Without these, a report that follows another would keep the other's.
    """
    stated = {
        "source": Sql("{}::text", binding.source),
        "stage": Sql("null::text"),
        "entered_at": Sql(f"null::{INSTANT}"),
    }
    return {column: value for column, value in stated.items() if binding.record.creates and column not in values}


def _with_what_depends(
    record: RecordMap, values: Mapping[str, Sql], left_out: Mapping[str, LeftOutValue]
) -> dict[str, LeftOutValue]:
    """Leave out what means nothing without a left-out value: the kind of an address, the currency of an amount.

    A currency that cannot be read becomes unknown, for the one that the record has is that of an earlier amount.
    """
    found = dict(left_out)
    if "email" in found and "email_kind" in values:
        found["email_kind"] = replace(found["email"], column="email_kind")
    for column, _ in record.filled:
        currency = column.note.currency
        if currency is not None and currency in values:
            found.pop(currency, None)
            if column.name in found:
                found[currency] = replace(found[column.name], column=currency)
    return found


def _agreed_columns(record: RecordMap, file: FileMap) -> tuple[str, ...]:
    """The links of a record, or all that a relation such as deal_contact says, if several rows may give them.

    Several rows may, unless the key of the file's rows determines the record and the date since which its values hold.
    """
    if not _is_split(record) and set(file.key) <= _determined(record, file):
        return ()
    return tuple(column.name for column, readings in record.filled if _may_differ(record, file, column, readings))


def _is_split(record: RecordMap) -> bool:
    return record.key is not None and record.key.split is not None


def _key_columns(record: RecordMap, file: FileMap) -> set[str]:
    """The columns that make the record's key; none of a key that is translated or looked up, for it may be shared."""
    if not record.shape.has_id:
        keys = [readings for column, readings in record.filled if column.is_key]
        return {column for readings in keys if len(readings) == 1 for column in _plain_columns(readings[0])}
    if record.key is None:
        return set(file.key)
    return set(_plain_columns(record.key))


def _plain_columns(reading: ValueReading) -> tuple[str, ...]:
    is_plain = not (reading.words or reading.contains or reading.lookup or reading.split or reading.unknown)
    return reading.sources if is_plain else ()


def _determined(record: RecordMap, file: FileMap) -> set[str]:
    """The columns whose cells are equal in all rows with one record and date."""
    dates = record.since[0].sources if record.since is not None and len(record.since) == 1 else ()
    fixed = {column for column, words in record.when.items() if len(words) == 1}
    return {*_key_columns(record, file), *dates, *fixed}


def _may_differ(record: RecordMap, file: FileMap, column: ColumnShape, readings: tuple[ValueReading, ...]) -> bool:
    if column.link is None if record.shape.has_id else column.is_key:
        return False
    same = _determined(record, file) - (set() if record.since is None else set(record.since[0].sources))
    read = {source for reading in readings for source in reading.own}
    return not read <= same


def _priority(binding: RecordBinding) -> Sql | None:
    """The place of the first ranking that a row meets; the last place without one. None if the preset has none."""
    tests = [binding.file.test(conditions, {}) for conditions in binding.record.primary]
    whens = [Sql("when {} then {}", test, Sql(str(place))) for place, test in enumerate(tests) if test is not None]
    return Sql("case {} else {} end", join(" ", whens), Sql(str(len(whens)))) if whens else None


def _file_key(file: FileMap) -> ValueReading:
    return ValueReading(column=file.key[0]) if len(file.key) == 1 else ValueReading(columns=file.key)


def _required_keys(record: RecordMap, file: FileMap, key: Sql | None, values: Mapping[str, Sql]) -> list[RequiredKey]:
    """The keys of records that must exist: the record itself if these rows only add to it, and those that it links."""
    found = []
    if key is not None and not record.creates:
        found.append(RequiredKey(key, record.table, record.key.label if record.key else file.key_label))
    for column, readings in record.filled:
        if column.link and not any(reading.is_optional for reading in readings):
            found.append(RequiredKey(values[column.name], column.link.target, label_of(readings)))
    return found


def _required_values(
    binding: RecordBinding, key: Sql | None, since: Sql | None, values: Mapping[str, Sql]
) -> list[RequiredValue]:
    """The values that a record must have and that no cell alone decides; an empty cell is rejected when it is read."""
    record = binding.record
    has_open_ends = bool(binding.file.dates.open_ends)
    needed: list[tuple[Sql, tuple[ValueReading, ...], bool]] = []
    if key is not None and record.key is not None and not record.is_optional:
        needed.append((key, (record.key,), False))
    if since is not None and record.since is not None and record.is_since_vital:
        needed.append((since, record.since, has_open_ends))
    for column, readings in record.filled:
        is_stated = len(readings) > 1 and any(reading.is_required for reading in readings)
        if is_needed(column) or is_stated:
            is_date = column.python in (datetime, date)
            needed.append((values[column.name], readings, has_open_ends and is_date))
    found = []
    for value, readings, may_be_open in needed:
        first = readings[0]
        if first.lookup is not None:
            reason = (
                f"is the {first.lookup.match} of no single row of {first.lookup.file} with a value in {first.column}"
            )
            found.append(RequiredValue(value, binding.reported(first), first.lookup.by, reason))
        elif may_be_open or len(readings) > 1 or first.given or first.unknown or first.others == "unknown":
            reason = f"gives no value, and a {record.table} needs one"
            found.append(RequiredValue(value, binding.reported(first), label_of(readings), reason))
    return found
