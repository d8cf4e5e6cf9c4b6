"""What a preset says: which files, and which records a row of them means. Held against the tables' declarations.

One row may tell of several records: `[[files.records]]` is one of them. Its fields name the table's columns, or its
links by name; a link's cell holds the key by which the source knows the other record. The same record may be told of by
many rows and files; where they differ, the later word holds.
"""

import re
import tomllib
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator

from api.errors import AccordError, ErrorCode
from api.funnel.mistakes import say_mistakes
from api.importers.readings import Conditions, Key, Part, Reading, Readings, Words
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

# What no file tells: our own bookkeeping, and what is derived.
_OUR_OWN = frozenset({"id", "created_at", "updated_at", "row_version", "recorded_at", "email_kind"})
_DERIVED_TABLES = frozenset({"stage_entry"})
_DATE_PARTS = ({"%Y", "%y"}, {"%m", "%b", "%B"}, {"%d"})


P = TypeVar("P")


class RecordMap(Part):
    """One record that a row means.

    `key` is the source's key for it (the file's if absent): a column, several, or a reading. `alias`: a second key by
    which the source knows the same record. `when`, `unless`: columns and their words; other rows mean no such record.
    `optional`: nor does a row whose key is empty. `creates = false`: the row only adds to a record that other rows tell
    of, and is refused where there is none. `begins`: a date that proves that the record existed, its values being
    assumed since the earliest one. `since`: the date since when this row's values hold. Many rows may tell of one
    record so: they are its history. Before the first of them, the fields were unknown.
    """

    table: str
    key: Key | None = None
    alias: Key | None = None
    when: Conditions = Field(default={})
    unless: Conditions = Field(default={})
    is_optional: bool = Field(default=False, alias="optional")
    creates: bool = True
    begins: Readings | None = None
    since: Readings | None = None
    fields: dict[str, Readings] = Field(default={})

    @property
    def shape(self) -> TableShape:
        """The table's declaration."""
        return SHAPES[self.table]

    @property
    def has_key(self) -> bool:
        """Whether the record has an identity of its own; others are known by what they link."""
        return has_identity(self.shape)

    @property
    def filled(self) -> tuple[tuple[ColumnShape, tuple[Reading, ...]], ...]:
        """The columns that the record fills, each with its readings."""
        known = fillable(self.shape)
        return tuple((known[name], readings) for name, readings in self.fields.items())

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Every reading of the record."""
        keys = tuple(each for each in (self.key, self.alias) if each is not None)
        told = (self.begins or (), self.since or (), *self.fields.values())
        return (*keys, *(reading for readings in told for reading in readings))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the row that the record is read from."""
        read = (column for reading in self.readings for column in reading.own)
        return (*self.when, *self.unless, *read)

    @model_validator(mode="after")
    def _fits_the_table(self) -> Self:
        if self.table not in importable():
            raise ValueError(f"'{self.table}' is no table for imports; there are {', '.join(importable())}")
        known = fillable(self.shape)
        for name in self.fields:
            if name not in known:
                raise ValueError(f"{self.table} has no field '{name}'; there are {', '.join(sorted(known))}")
        for name, readings in self.fields.items():
            for reading in readings:
                check_reading(f"{self.table}.{name}", known[name], reading)
        missing = [name for name, column in known.items() if is_needed(column) and name not in self.fields]
        if self.creates and missing:
            raise ValueError(f"{self.table} needs {', '.join(missing)}")
        self._check_identity()
        self._check_given()
        return self

    def _check_identity(self) -> None:
        if not self.has_key and (self.key or self.alias or self.is_optional or not self.creates):
            raise ValueError(f"a {self.table} is known by what it links; it has no key of its own")
        if (self.begins or self.since) and not self.shape.has_history:
            raise ValueError(f"{self.table} has no history, so 'begins' and 'since' mean nothing")
        if self.begins and self.since:
            raise ValueError("a record either begins at a date or has these values since a date")
        if self.key and self.key.split and not self.creates:
            raise ValueError("a list of keys makes its records; 'creates = false' does not go with it")

    def _check_given(self) -> None:
        """A field is given what stands before it."""
        for place, (name, readings) in enumerate(self.fields.items()):
            for each in {each for reading in readings for each in reading.given}:
                if each not in list(self.fields)[:place]:
                    raise ValueError(f"{self.table}.{name} is given '{each}', which no field before it tells")


class FileMap(Part):
    """One file: what tells its rows apart, the forms of its dates, and what a row means.

    `optional`: the file may be missing. `may_lack`: columns that it may not have; they are read as empty then. `forms`
    are those of every date whose column is not named under `dates`.
    """

    name: str = Field(pattern=r"^[^/\\]+$")
    key: Words
    is_optional: bool = Field(default=False, alias="optional")
    may_lack: tuple[str, ...] = ()
    forms: Words = ()
    dates: dict[str, Words] = Field(default={})
    records: tuple[RecordMap, ...]

    @field_validator("key", "records")
    @classmethod
    def _means_something(cls, parts: tuple[P, ...]) -> tuple[P, ...]:
        return _some(parts)

    @field_validator("dates")
    @classmethod
    def _whole_dates(cls, dates: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for column, forms in dates.items():
            for form in forms:
                _check_form(form, f" of {column}")
        return dates

    @field_validator("forms")
    @classmethod
    def _whole_forms(cls, forms: tuple[str, ...]) -> tuple[str, ...]:
        for form in forms:
            _check_form(form, "")
        return forms

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the rows are read from, each once, in the order of their mention."""
        return tuple(dict.fromkeys((*self.key, *(column for record in self.records for column in record.columns))))

    def forms_of(self, column: str) -> tuple[str, ...]:
        """The forms of the dates in a column."""
        return self.dates.get(column, self.forms)

    @model_validator(mode="after")
    def _dates_have_forms(self) -> Self:
        for record in self.records:
            dated = [(record.begins or ()), (record.since or ())]
            dated += [readings for shape, readings in record.filled if shape.python in (datetime, date)]
            for reading in (each for readings in dated for each in readings if each.lookup is None):
                for column in reading.sources:
                    if not self.forms_of(column):
                        raise ValueError(f"the form of the dates in column '{column}' is not stated under 'dates'")
        return self


class Preset(Part):
    """A whole preset: the source's name in external keys, the zone of its dates, its accord, its files.

    `open_ends` are days that mean no date at all, such as the end of what still holds.
    """

    title: str = Field(min_length=1)
    source: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    accord: str = Field(min_length=1)
    zone: str = "UTC"
    open_ends: tuple[date, ...] = ()
    files: tuple[FileMap, ...]

    @field_validator("files")
    @classmethod
    def _reads_something(cls, files: tuple[FileMap, ...]) -> tuple[FileMap, ...]:
        return _some(files)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"'{name}' is no IANA time zone; write one like Europe/Berlin") from error
        return name

    @model_validator(mode="after")
    def _links_lead_somewhere(self) -> Self:
        made = {record.table for file in self.files for record in file.records if record.creates}
        for file in self.files:
            for record in file.records:
                if not record.creates and record.table not in made:
                    raise ValueError(f"no file makes a {record.table}, which {file.name} adds to")
                for column, _ in record.filled:
                    if column.link and column.link.target not in made:
                        raise ValueError(f"no file makes a {column.link.target}, which a {record.table} links to")
        return self

    @model_validator(mode="after")
    def _others_are_there(self) -> Self:
        names = [file.name for file in self.files]
        readings = [reading for file in self.files for record in file.records for reading in record.readings]
        for reading in readings:
            if reading.lookup and reading.lookup.file not in names:
                raise ValueError(f"{reading.lookup.file} is looked up, and is no file of the preset")
            if reading.through:
                table, _, field = reading.through.partition(".")
                if table not in importable() or field not in fillable(SHAPES[table]):
                    raise ValueError(f"'{reading.through}' is no field of a record")
        return self


def importable() -> tuple[str, ...]:
    """The tables that rows can mean."""
    return tuple(name for name, shape in SHAPES.items() if not shape.is_hidden and name not in _DERIVED_TABLES)


def has_identity(shape: TableShape) -> bool:
    """Whether records of the table have an id, and so a key in the source."""
    return any(column.name == "id" for column in shape.columns)


def fillable(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns that a row can fill, by the name that a preset uses: a link's is that of its field."""
    told = [each for each in shape.columns if not each.note.hidden or each.name == "deleted_at"]
    return {each.link.name if each.link else each.name: each for each in told if each.name not in _OUR_OWN}


def preset_names() -> tuple[str, ...]:
    """The presets that ship."""
    shipped = files("api.importers").joinpath("presets").iterdir()
    return tuple(sorted(each.name.removesuffix(".toml") for each in shipped if each.name.endswith(".toml")))


def read_preset(name: str) -> Preset:
    """Read a preset that ships, or a TOML file. Errors: UNKNOWN_PRESET; BAD_FILE says which key is wrong."""
    if name in preset_names():
        return parse_preset(files("api.importers").joinpath("presets", f"{name}.toml").read_text("utf-8"), origin=name)
    if not name.endswith(".toml"):
        raise AccordError(
            ErrorCode.UNKNOWN_PRESET,
            f"There is no preset '{name}'.",
            f"Presets are: {', '.join(preset_names())}; or name a TOML file of your own.",
        )
    try:
        text = Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        remedy = "Name a TOML file that you can read."
        raise AccordError(ErrorCode.BAD_FILE, f"The preset {name} cannot be read: {reason}.", remedy) from error
    return parse_preset(text, origin=name)


def parse_preset(text: str, *, origin: str) -> Preset:
    """Read a preset from TOML text; `origin` names it in errors."""
    remedy = "Correct the preset; api/importers/presets/olist.toml shows every part."
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AccordError(ErrorCode.BAD_FILE, f"The preset {origin} is no valid TOML: {error}.", remedy) from error
    try:
        return Preset.model_validate(document)
    except ValidationError as error:
        mistakes = say_mistakes(error, document)
        raise AccordError(ErrorCode.BAD_FILE, f"The preset {origin} is wrong. {mistakes}.", remedy) from error


def _some(parts: tuple[P, ...]) -> tuple[P, ...]:
    if not parts:
        raise ValueError("must not be empty")
    return parts


def is_needed(column: ColumnShape) -> bool:
    """Whether a record cannot be without it."""
    return not column.is_nullable and not column.has_default


def check_reading(field: str, column: ColumnShape, reading: Reading) -> None:
    """Hold what a preset itself says against the declaration of the column."""
    if reading.split:
        raise ValueError(f"{field}: only a key can be a list")
    if column.link is not None:
        if reading.through or reading.scale or not isinstance(reading.constant, str | None):
            raise ValueError(f"{field} is a link: name the column with the source's key for it")
        return
    if reading.is_optional or reading.prefix:
        raise ValueError(f"{field} is no link: 'optional' and 'prefix' mean nothing")
    if reading.scale and column.python not in (int, Decimal):
        raise ValueError(f"{field} is no number that could be scaled")
    vocabulary = column.note.vocab
    words = (reading.words or reading.contains or {}).values()
    said: list[object] = list(words) if reading.constant is None else [reading.constant]
    for each in said if vocabulary else ():
        if each not in [word.value for word in vocabulary or ()]:
            raise ValueError(f"{field}: '{each}' is none of {', '.join(word.value for word in vocabulary or ())}")
    kind = str if vocabulary else (int if column.python is Decimal else column.python)
    if reading.constant is not None and not isinstance(reading.constant, kind):
        raise ValueError(f"{field}: '{reading.constant}' is no {column.python.__name__}")


def _check_form(form: str, where: str) -> None:
    parts = set(re.findall(r"%.", form))
    if not all(parts & each for each in _DATE_PARTS):
        raise ValueError(f"'{form}'{where} is no whole date; write it with %Y, %m and %d")
