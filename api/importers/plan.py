"""A preset bound to the temporary tables that its rows go through: which staged column says what of which record."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from api.importers.binding import Binding, Lead, Need
from api.importers.cell_parsers import Calendar
from api.importers.mapping import FileMap, RecordMap, is_needed
from api.importers.preset import Preset
from api.importers.row_values import Cell
from api.importers.value_reading import Reading
from api.sql import Sql, all_of, name


@dataclass(frozen=True, slots=True)
class Telling:
    """What the rows of one staged file tell of one record each."""

    record: RecordMap
    place: int  # among all tellings of the preset: of two words on one field, the later holds
    stage: str
    holds: Sql | None  # which rows tell of such a record
    items: Sql | None  # where a cell is a list of keys, its items beside the row
    key: Sql | None
    alias: Sql | None
    id: Sql | None
    begins: Sql | None
    since: Sql | None
    values: dict[str, Sql]  # by the table's column; a link's value is still the source's key
    needs: tuple[Need, ...]
    leads: tuple[Lead, ...]
    file_key: str  # what a person calls the key of the file's rows

    @property
    def identity(self) -> tuple[Sql, ...]:
        """What tells the record apart: the source's key, or those of what it links."""
        if self.key is not None:
            return (self.key,)
        return tuple(self.values[each.name] for each in self.record.shape.columns if each.is_key)

    @property
    def rows(self) -> Sql:
        """The rows that tell of a record, for a FROM clause; a list of keys makes several of one."""
        return name(self.stage) if self.items is None else Sql("{} cross join lateral {}", name(self.stage), self.items)

    @property
    def told(self) -> Sql:
        """The condition under which a row does so."""
        present = [Sql("{} is not null", each) for each in self.identity]
        return all_of(present if self.holds is None else [self.holds, *present])


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file's temporary table, and what its rows tell."""

    file: FileMap
    stage: str
    row_key: str
    cells: tuple[Cell, ...]
    ids: tuple[str, ...]
    looked_up: tuple[str, ...]
    tellings: tuple[Telling, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the temporary table, in the order of the rows."""
        return ("line", *(cell.name for cell in self.cells), *self.ids)

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that the file must have."""
        read = [column for cell in self.cells for column in (cell.column, *cell.others)]
        return tuple(dict.fromkeys(each for each in (*self.file.columns, *read) if each not in self.file.may_lack))


def bind(preset: Preset, absent: Collection[str] = ()) -> tuple[StagedFile, ...]:
    """Bind every file of a preset that is there to a temporary table."""
    calendar = Calendar(preset.zone, preset.open_ends)
    files = [file for file in preset.files if file.name not in absent]
    bindings = {
        file.name: Binding(file, f"import_file_{number}", preset.source, calendar) for number, file in enumerate(files)
    }
    for each in bindings.values():
        each.others = bindings
    places = iter(range(sum(len(file.records) for file in files)))
    tellings = {
        file.name: tuple(_tell(bindings[file.name], record, next(places)) for record in file.records) for file in files
    }
    # Only now: a file's cells are also those that other files look up.
    return tuple(
        StagedFile(
            each.file,
            each.stage,
            each.row_key,
            tuple(each.cells),
            tuple(each.ids),
            tuple(sorted(each.looked_up)),
            tellings[file],
        )
        for file, each in bindings.items()
    )


def _tell(binding: Binding, record: RecordMap, place: int) -> Telling:
    """Bind one record of a file's rows."""
    holds = binding.holds(record.when, record.unless)
    own, alias, fresh, listed = None, None, None, None
    if record.has_key:
        reading = record.key or _file_key(binding.file)
        if reading.split is not None:
            keys, ids = binding.list_of_keys(record, reading)
            listed, own, fresh = Sql("unnest({}, {}) as item(key, id)", keys, ids), Sql("item.key"), Sql("item.id")
        else:
            own = binding.key(record, reading, is_required=not record.is_optional)
            fresh = binding.fresh_id() if record.creates else None
    if record.alias is not None:
        alias = binding.key(record, record.alias, is_required=False)
    begins = None if record.begins is None else binding.moment(record, record.begins, is_required=False)
    since = None if record.since is None else binding.moment(record, record.since, is_required=True)
    values: dict[str, Sql] = {}
    said: dict[str, Sql] = {}
    leads: list[Lead] = []
    for field, (shape, readings) in zip(record.fields, record.filled, strict=True):
        leads += binding.leads(record, shape, readings, said)
        values[shape.name] = said[field] = binding.value(record, shape, readings, said)
    if record.table == "contact" and "email" in record.fields:
        values["email_kind"] = binding.kind_of_mailbox(record, record.fields["email"])
    needs = tuple(_needs(binding, record, own, since, values, has_open_ends=bool(binding.calendar.open_ends)))
    named = ", ".join(binding.file.key)
    return Telling(
        record,
        place,
        binding.stage,
        holds,
        listed,
        own,
        alias,
        fresh,
        begins,
        since,
        values,
        needs,
        tuple(leads),
        named,
    )


def _file_key(file: FileMap) -> Reading:
    return Reading(column=file.key[0]) if len(file.key) == 1 else Reading(columns=file.key)


def _needs(
    binding: Binding,
    record: RecordMap,
    own: Sql | None,
    since: Sql | None,
    values: Mapping[str, Sql],
    *,
    has_open_ends: bool,
) -> list[Need]:
    """What several cells, or another file, must say of a record; that a single cell is not empty is seen on reading."""
    asked: list[tuple[Sql, tuple[Reading, ...], bool]] = []
    if own is not None and record.key is not None and not record.is_optional:
        asked.append((own, (record.key,), False))
    if since is not None and record.since is not None:
        asked.append((since, record.since, has_open_ends))
    for shape, readings in record.filled:
        if is_needed(shape):
            asked.append((values[shape.name], readings, has_open_ends and shape.python in (datetime, date)))
    found = []
    for value, readings, may_be_open in asked:
        first = readings[0]
        if first.lookup is not None:
            reason = f"is the {first.lookup.match} of no single row of {first.lookup.file} that says its {first.column}"
            found.append(Need(value, binding.shown(record, first), first.lookup.by, reason))
        elif may_be_open or len(readings) > 1 or first.given or first.unknown or first.others == "unknown":
            label = ", ".join(dict.fromkeys(each.label for each in readings if each.label))
            found.append(
                Need(value, binding.shown(record, first), label, f"says nothing, and a {record.table} needs it")
            )
    return found
