"""What a preset says: which files, and which records a row of them means. Data, one TOML document.

One row may tell of several records: `[[files.records]]` is one of them. Its fields name the table's columns, or its
links by name; a link's cell holds the key by which the source knows the other record. The same record may be told of by
many rows and files; where they differ, the later word holds.
"""

import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator

from api.accord.validation import say_mistakes
from api.errors import AccordError, ErrorCode
from api.importers.mapping import FileMap, fillable, importable
from api.importers.value_reading import Part
from schema.accord import Accord
from schema.tables import SHAPES


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
        if not files:
            raise ValueError("must not be empty")
        return files

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
        looked_up = {reading.lookup.file for reading in readings if reading.lookup}
        for file in self.files:
            if not file.records and file.name not in looked_up:
                raise ValueError(
                    f"the file {file.name} means nothing: it has no records, and no other file looks it up"
                )
        for reading in readings:
            if reading.lookup and reading.lookup.file not in names:
                raise ValueError(f"no file of the preset is called {reading.lookup.file}, which is looked up")
            if reading.through:
                table, _, field = reading.through.partition(".")
                if table not in importable() or field not in fillable(SHAPES[table]):
                    raise ValueError(f"'{reading.through}' is no field of a record")
        return self


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
    remedy = "Correct the preset; those in api/importers/presets show every part."
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AccordError(ErrorCode.BAD_FILE, f"The preset {origin} is no valid TOML: {error}.", remedy) from error
    try:
        return Preset.model_validate(document)
    except ValidationError as error:
        mistakes = say_mistakes(error, document)
        raise AccordError(ErrorCode.BAD_FILE, f"The preset {origin} is wrong. {mistakes}.", remedy) from error


def require_stages(preset: Preset, accord: Accord, origin: str) -> None:
    """Refuse a preset that reports people in stages which its accord does not have: BAD_FILE."""
    keys = {stage.key for stage in accord.stages}
    for file in preset.files:
        for record in (each for each in file.records if each.table == "reported_stage"):
            for reading in record.fields.get("stage", ()):
                said = {*(reading.words or reading.contains or {}).values(), reading.constant} - {None}
                for each in sorted(str(word) for word in said - keys):
                    raise AccordError(
                        ErrorCode.BAD_FILE,
                        f"The preset {origin} reports people in the stage '{each}' ({file.name}), which its accord"
                        f" '{preset.accord}' does not have; it has {', '.join(sorted(keys))}.",
                        "Name one of these stages, or another accord.",
                    )
