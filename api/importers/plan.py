"""A preset bound to the temporary tables that its rows go through: which staged column says what of which record."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from api.importers.cells import instant, key, parser
from api.importers.preset import FileMap, Preset, Reading, RecordMap
from api.importers.rows import Cell
from api.sql import Sql, name
from schema.base import ColumnShape
from schema.mail_address import email_kind
from schema.tables import METADATA
from schema.vocab import EmailKind

_DIALECT: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Telling:
    """What the rows of one staged file tell of one record each."""

    record: RecordMap
    place: int  # among all tellings of the preset: of two words on one field, the later holds
    stage: str
    key: str | None
    id: str | None
    moment: str | None
    values: dict[str, Sql]  # by the table's column; a link's value is still the source's key

    @property
    def identity(self) -> tuple[Sql, ...]:
        """What tells the record apart: the source's key, or those of what it links."""
        if self.key is not None:
            return (name(self.key),)
        return tuple(self.values[each.name] for each in self.record.shape.columns if each.is_key)


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file's temporary table, and what its rows tell."""

    file: FileMap
    stage: str
    cells: tuple[Cell, ...]
    ids: tuple[str, ...]
    tellings: tuple[Telling, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the temporary table, in the order of the rows."""
        return ("line", *(cell.name for cell in self.cells), *self.ids)

    @property
    def row_key(self) -> str:
        """The staged column that tells the rows apart."""
        return next(cell.name for cell in self.cells if cell.column == self.file.key and cell.parse is key)

    def column_of(self, staged: str) -> str:
        """The file's column behind a staged one."""
        return next(cell.column for cell in self.cells if cell.name == staged)


def sql_type(table: str, column: str) -> str:
    """The SQL type of a column, as it is declared."""
    return str(METADATA.tables[table].columns[column].type.compile(dialect=_DIALECT))


def default_of(table: str, column: str) -> Sql | None:
    """The default of a column that is never null, for cells that say nothing."""
    built: sa.Column[Any] = METADATA.tables[table].columns[column]
    if built.nullable or not isinstance(built.server_default, sa.DefaultClause):
        return None
    return Sql.of((str(built.server_default.arg),))


def bind(preset: Preset) -> tuple[StagedFile, ...]:
    """Bind every file of a preset to a temporary table."""
    bound: list[StagedFile] = []
    place = 0
    for number, file in enumerate(preset.files):
        binding = _Binding(preset.zone, file, f"import_file_{number}")
        tellings = []
        for record in file.records:
            tellings.append(binding.tell(record, place))
            place += 1
        bound.append(StagedFile(file, binding.stage, tuple(binding.cells), tuple(binding.ids), tuple(tellings)))
    return tuple(bound)


@dataclass(slots=True)
class _Binding:
    """The cells that a file's tellings ask for, each once."""

    zone: str
    file: FileMap
    stage: str
    cells: list[Cell] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    _known: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._key(self.file.key, is_required=True)

    def tell(self, record: RecordMap, place: int) -> Telling:
        """Bind one record of the file's rows."""
        own, fresh = None, None
        if record.has_key:
            own = self._key(record.key or self.file.key, is_required=not record.is_optional)
        if own is not None and record.creates:
            fresh = f"id_{len(self.ids)}"
            self.ids.append(fresh)
        dated = record.begins or record.since
        moment = None if dated is None else self._instant(dated, is_required=record.since is not None)
        values = {shape.name: self._value(record, shape, reading) for shape, reading in record.filled}
        if record.table == "contact" and "email" in record.fields:
            values["email_kind"] = self._email_kind(record.fields["email"])
        return Telling(record, place, self.stage, own, fresh, moment, values)

    def _value(self, record: RecordMap, shape: ColumnShape, reading: Reading) -> Sql:
        table = record.table
        if reading.column is None:
            return Sql(f"{{}}::{sql_type(table, shape.name)}", reading.constant)
        # What an optional record needs comes with its key, or not at all.
        must = reading.is_required or not (shape.is_nullable or shape.has_default or record.is_optional)
        form = self.file.dates.get(reading.column)
        if shape.link is not None:
            return name(self._key(reading.column, is_required=must))
        kind = sql_type(table, shape.name)
        if form is not None and kind == "TIMESTAMP WITH TIME ZONE":
            return name(self._instant(reading.column, is_required=must))
        parse = parser(shape, form, self.zone, reading.words)
        return name(self._cell(reading.column, f"{table}.{shape.name}", kind, parse, is_required=must))

    def _email_kind(self, email: Reading) -> Sql:
        """The kind of the mailbox goes with the address."""
        if email.column is None:
            return Sql("{}::text", email_kind(str(email.constant)))
        return name(self._cell(email.column, "email kind", "TEXT", _kind_of_mailbox, is_required=False))

    def _key(self, column: str, *, is_required: bool) -> str:
        return self._cell(column, "key", "TEXT", key, is_required=is_required)

    def _instant(self, column: str, *, is_required: bool) -> str:
        parse = instant(self.file.dates[column], self.zone)
        return self._cell(column, "instant", "TIMESTAMP WITH TIME ZONE", parse, is_required=is_required)

    def _cell(self, column: str, use: str, kind: str, parse: Any, *, is_required: bool) -> str:  # noqa: ANN401 - Parse
        place = self._known.get((column, use))
        if place is None:
            place = self._known[column, use] = len(self.cells)
            self.cells.append(Cell(f"cell_{place}", column, kind, parse, is_required))
        elif is_required:
            known = self.cells[place]
            self.cells[place] = Cell(known.name, known.column, known.sql_type, known.parse, is_required)
        return self.cells[place].name


def _kind_of_mailbox(cell: str) -> EmailKind | None:
    return email_kind(cell)
