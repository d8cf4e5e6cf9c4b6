"""What a row of a file means: records, and where their fields come from. Held against the tables' declarations."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Self

from pydantic import Field, field_validator, model_validator

from api.importers.value_reading import Conditions, Key, Part, Reading, Readings, Words
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

# What no file tells: our own bookkeeping, and what is derived.
_OUR_OWN = frozenset({"id", "created_at", "updated_at", "row_version", "recorded_at", "email_kind"})
_DERIVED_TABLES = frozenset({"stage_entry"})
_DATE_PARTS = ({"%Y", "%y"}, {"%m", "%b", "%B"}, {"%d"})


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
        return self.shape.has_id

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
            named = {each for reading in readings for each in (*reading.given, reading.not_before) if each is not None}
            for each in sorted(named):
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
    records: tuple[RecordMap, ...] = ()

    @field_validator("key")
    @classmethod
    def _is_told_apart(cls, key: tuple[str, ...]) -> tuple[str, ...]:
        if not key:
            raise ValueError("must not be empty")
        return key

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


def importable() -> tuple[str, ...]:
    """The tables that rows can mean."""
    return tuple(name for name, shape in SHAPES.items() if not shape.is_hidden and name not in _DERIVED_TABLES)


def fillable(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns that a row can fill, by the name that a preset uses: a link's is that of its field."""
    told = [each for each in shape.columns if not each.note.hidden or each.name == "deleted_at"]
    return {each.link.name if each.link else each.name: each for each in told if each.name not in _OUR_OWN}


def is_needed(column: ColumnShape) -> bool:
    """Whether a record cannot be without it."""
    return not column.is_nullable and not column.has_default


def check_reading(field: str, column: ColumnShape, reading: Reading) -> None:
    """Hold what a preset itself says against the declaration of the column."""
    if reading.split:
        raise ValueError(f"{field}: only a key can be a list")
    if column.link is not None:
        if reading.through or reading.is_number or not isinstance(reading.constant, str | None):
            raise ValueError(f"{field} is a link: name the column with the source's key for it")
        return
    if reading.is_optional or reading.prefix:
        raise ValueError(f"{field} is no link: 'optional' and 'prefix' mean nothing")
    if reading.is_number and column.python not in (int, Decimal):
        raise ValueError(f"{field} is no number: 'decimal', 'scale' and 'plus' mean nothing")
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
