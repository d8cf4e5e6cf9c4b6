"""What a preset says: which files, and which records a row of them means. Held against the tables' declarations.

One row may tell of several records: `[[files.records]]` is one of them. Its fields name the table's columns, or its
links by name; a link's cell holds the key by which the source knows the other record. The same record may be told of by
many rows and files; where they differ, the later word holds.
"""

import re
import tomllib
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from api.errors import AccordError, ErrorCode
from api.funnel.mistakes import say_mistakes
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

# What no file tells: our own bookkeeping, and what is derived.
_OUR_OWN = frozenset({"id", "created_at", "updated_at", "row_version", "recorded_at", "email_kind"})
_DERIVED_TABLES = frozenset({"stage_entry"})
_DATE_PARTS = ({"%Y", "%y"}, {"%m", "%b", "%B"}, {"%d"})


P = TypeVar("P", bound="Part")


class Part(BaseModel):
    """Any part of a preset: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_column(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


class Reading(Part):
    """Where a field's value comes from: a column, maybe through a map of the source's words to ours, or a constant."""

    column: str | None = None
    constant: bool | int | str | None = None
    words: dict[str, str] | None = None
    is_required: bool = Field(default=False, alias="required")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise ValueError("a field has either a column or a constant")
        if self.column is None and (self.words or self.is_required):
            raise ValueError("a constant has no words and is never missing")
        return self


class RecordMap(Part):
    """One record that a row means.

    `key` is the column with the source's key for it (the file's key if absent). `optional`: a row whose key is empty
    means no such record. `creates = false`: the row only adds to a record that other rows tell of, and is refused where
    there is none. `begins`: a date that proves that the record existed, its values being assumed since the earliest
    one. `since`: the date since when this row's values hold; before it, the fields were unknown.
    """

    table: str
    key: str | None = None
    is_optional: bool = Field(default=False, alias="optional")
    creates: bool = True
    begins: str | None = None
    since: str | None = None
    fields: dict[str, Annotated[Reading, BeforeValidator(_as_column)]] = {}

    @property
    def shape(self) -> TableShape:
        """The table's declaration."""
        return SHAPES[self.table]

    @property
    def has_key(self) -> bool:
        """Whether the record has an identity of its own; others are known by what they link."""
        return has_identity(self.shape)

    @property
    def filled(self) -> tuple[tuple[ColumnShape, Reading], ...]:
        """The columns that the record fills, each with its reading."""
        known = fillable(self.shape)
        return tuple((known[name], reading) for name, reading in self.fields.items())

    @model_validator(mode="after")
    def _fits_the_table(self) -> Self:
        if self.table not in importable():
            raise ValueError(f"'{self.table}' is no table for imports; there are {', '.join(importable())}")
        known = fillable(self.shape)
        for name in self.fields:
            if name not in known:
                raise ValueError(f"{self.table} has no field '{name}'; there are {', '.join(sorted(known))}")
        for name, reading in self.fields.items():
            _check_words(f"{self.table}.{name}", known[name], reading)
        needed = [name for name, column in known.items() if _is_needed(column)]
        missing = [name for name in needed if name not in self.fields]
        if self.creates and missing:
            raise ValueError(f"{self.table} needs {', '.join(missing)}")
        if self.is_optional and any(self.fields[name].column not in (self.key, None) for name in needed):
            raise ValueError(f"what a {self.table} needs must come with its key, where it is optional")
        self._check_identity()
        return self

    def _check_identity(self) -> None:
        if not self.has_key and (self.key or self.is_optional or not self.creates):
            raise ValueError(f"a {self.table} is known by what it links; it has no key of its own")
        if (self.begins or self.since) and not self.shape.has_history:
            raise ValueError(f"{self.table} has no history, so 'begins' and 'since' mean nothing")
        if self.begins and self.since:
            raise ValueError("a record either begins at a date or has these values since a date")


class FileMap(Part):
    """One file: the column that tells its rows apart, the form of its dates, and what a row means."""

    name: str = Field(pattern=r"^[^/\\]+$")
    key: str
    dates: dict[str, str] = {}
    records: tuple[RecordMap, ...]

    @field_validator("records")
    @classmethod
    def _means_something(cls, records: tuple[RecordMap, ...]) -> tuple[RecordMap, ...]:
        return _some(records)

    @field_validator("dates")
    @classmethod
    def _whole_dates(cls, dates: dict[str, str]) -> dict[str, str]:
        for column, form in dates.items():
            parts = set(re.findall(r"%.", form))
            if not all(parts & each for each in _DATE_PARTS):
                raise ValueError(f"'{form}' of {column} is no whole date; write it with %Y, %m and %d")
        return dates

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the rows are read from, each once, in the order of their mention."""
        found = [self.key]
        for record in self.records:
            found += [each for each in (record.key, record.begins, record.since) if each is not None]
            found += [reading.column for reading in record.fields.values() if reading.column is not None]
        return tuple(dict.fromkeys(found))

    @model_validator(mode="after")
    def _dates_have_forms(self) -> Self:
        for record in self.records:
            dated = [each for each in (record.begins, record.since) if each is not None]
            dated += [each.column for shape, each in record.filled if each.column and shape.python in (datetime, date)]
            for column in dated:
                if column not in self.dates:
                    raise ValueError(f"the form of the dates in column '{column}' is not stated under 'dates'")
        return self


class Preset(Part):
    """A whole preset: the source's name in external keys, the zone of its dates, its accord, its files."""

    title: str = Field(min_length=1)
    source: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    accord: str = Field(min_length=1)
    zone: str = "UTC"
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
    def _dated_fields_have_one_teller(self) -> Self:
        records = [record for file in self.files for record in file.records]
        for dated in (each for each in records if each.since is not None):
            others = [each for each in records if each is not dated and each.table == dated.table]
            twice = sorted({name for each in others for name in each.fields} & set(dated.fields))
            if twice:
                raise ValueError(f"{dated.table}.{twice[0]} is dated by 'since' in one record and told by another too")
        return self


def importable() -> tuple[str, ...]:
    """The tables that rows can mean."""
    return tuple(name for name, shape in SHAPES.items() if not shape.is_hidden and name not in _DERIVED_TABLES)


def has_identity(shape: TableShape) -> bool:
    """Whether records of the table have an id, and so a key in the source."""
    return any(column.name == "id" for column in shape.columns)


def fillable(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns that a row can fill, by the name that a preset uses: a link's is that of its field."""
    return {each.link.name if each.link else each.name: each for each in shape.visible if each.name not in _OUR_OWN}


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


def _is_needed(column: ColumnShape) -> bool:
    return not column.is_nullable and not column.has_default


def _check_words(field: str, column: ColumnShape, reading: Reading) -> None:
    """Hold what a preset itself says against the vocabulary of the column."""
    if column.link is not None:
        if reading.column is None or reading.words is not None:
            raise ValueError(f"{field} is a link: name the column with the source's key for it")
        return
    vocabulary = column.note.vocab
    said = list((reading.words or {}).values()) if reading.constant is None else [reading.constant]
    for each in said if vocabulary else ():
        if each not in [word.value for word in vocabulary or ()]:
            raise ValueError(f"{field}: '{each}' is none of {', '.join(word.value for word in vocabulary or ())}")
    if reading.constant is not None and not isinstance(reading.constant, column.python if vocabulary is None else str):
        raise ValueError(f"{field}: '{reading.constant}' is no {column.python.__name__}")
