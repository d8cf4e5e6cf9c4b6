"""A preset: one TOML document that describes the files of a source and the records that their rows mean.

`presets/README.md` lists every key. A preset is checked against the tables' declarations when it is read, so that an
import never finds a wrong key halfway through a file.
"""

import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator

from api.accord.validation import describe_errors
from api.errors import AccordError, ErrorCode
from api.importers.fields import fillable
from api.importers.mapping import FileMap
from api.importers.value_reading import PresetModel, Texts
from api.intake.staged import record_tables
from schema.accord import Accord
from schema.formats import SOURCE_NAME
from schema.tables import SHAPES


class Preset(PresetModel):
    """The whole preset: the source, its time zone, its accord, and its files."""

    title: str = Field(
        min_length=1, description="What the import is called in reports.", examples=['title = "Our CRM: people"']
    )
    source: str | None = Field(
        default=None,
        pattern=SOURCE_NAME,
        description="The system whose keys these are: small letters, digits and underscores. Presets with the same"
        " source share their keys, so that two of them can describe the same record. `--source NAME` overrides it."
        " Without either, the source is the only one of which files with the same columns were imported before.",
        examples=['source = "our_crm"'],
    )
    accord: str = Field(
        min_length=1,
        description="The accord to adopt if the database has none yet: standard, hubspot, salesforce, olist, maven, or"
        " a TOML file.",
        examples=['accord = "standard"'],
    )
    zone: str = Field(
        default="UTC",
        description="The IANA time zone of dates without an offset.",
        examples=['zone = "Europe/Berlin"'],
    )
    open_ends: tuple[date, ...] = Field(
        default=(),
        description="Dates that mean no date, such as the end of what holds until further notice.",
        examples=["open_ends = [2050-01-01, 9999-12-31]"],
    )
    empty: Texts = Field(
        default=(),
        description="Cells that stand for an empty one, in all columns, in lower, upper or title case. Names keep those"
        " that are a mere word, for Null and None are family names; a column keeps those that it has `words` for. The"
        " error values of spreadsheets, such as #N/A and #REF!, are always read as empty.",
        examples=['empty = ["N/A", "null", "(No value)", "-"]'],
    )
    files: tuple[FileMap, ...] = Field(
        description="The files of the source, one or more.",
        examples=['[[files]]\nname = "people.csv"\nkey = "id"'],
    )

    @field_validator("files")
    @classmethod
    def _has_files(cls, files: tuple[FileMap, ...]) -> tuple[FileMap, ...]:
        if not files:
            raise ValueError("must not be empty")
        return files

    @model_validator(mode="after")
    def _recognises_all_files_or_none(self) -> Self:
        signs = [bool(file.signs) for file in self.files]
        readings = [reading for file in self.files for record in file.records for reading in record.readings]
        if any(signs) and not all(signs):
            raise ValueError("either all files have 'signs' or none")
        if any(signs) and any(reading.lookup for reading in readings):
            raise ValueError("a file with 'signs' cannot be looked up")
        return self

    @property
    def is_recognised(self) -> bool:
        """Whether its files are recognised by their headers, whatever they are called."""
        return any(file.signs for file in self.files)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"'{name}' is not an IANA time zone; write one like Europe/Berlin") from error
        return name

    @model_validator(mode="after")
    def _links_have_targets(self) -> Self:
        created = {record.table for file in self.files for record in file.records if record.creates}
        for file in self.files:
            for record in file.records:
                if not record.creates and record.table not in created:
                    raise ValueError(f"no file creates a {record.table}, which {file.name} adds to")
                for column, _ in record.filled:
                    if column.link and column.link.target not in created:
                        raise ValueError(f"no file creates a {column.link.target}, which a {record.table} links to")
        return self

    @model_validator(mode="after")
    def _lookups_have_files(self) -> Self:
        names = [file.name for file in self.files]
        readings = [reading for file in self.files for record in file.records for reading in record.readings]
        looked_up = {reading.lookup.file for reading in readings if reading.lookup}
        for file in self.files:
            if not file.records and file.name not in looked_up:
                raise ValueError(f"the file {file.name} is not used: it has no records, and no other file looks it up")
        for reading in readings:
            if reading.lookup and reading.lookup.file not in names:
                raise ValueError(f"the preset has no file {reading.lookup.file}, which a lookup names")
            if reading.through:
                table, _, field = reading.through.partition(".")
                if table not in record_tables() or field not in fillable(SHAPES[table]):
                    raise ValueError(f"'{reading.through}' is not a field of a table; write table.field")
        return self


def preset_names() -> tuple[str, ...]:
    """The names of the presets that ship with Accord."""
    shipped = files("api.importers").joinpath("presets").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in shipped if file.name.endswith(".toml")))


def read_preset(name: str) -> Preset:
    """Read a preset by its name, or from a TOML file.

    Errors: UNKNOWN_PRESET; BAD_FILE with the place of the wrong key.
    """
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
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        remedy = "Name a TOML file that you can read."
        raise AccordError(ErrorCode.BAD_FILE, f"The preset {name} cannot be read: {reason}.", remedy) from error
    return parse_preset(text, origin=name)


def parse_preset(text: str, *, origin: str) -> Preset:
    """Read a preset from TOML text. Errors name it by `origin`."""
    remedy = "Correct the preset; api/importers/presets/README.md lists every key with an example."
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AccordError(ErrorCode.BAD_FILE, f"The preset {origin} is not valid TOML: {error}.", remedy) from error
    try:
        return Preset.model_validate(document)
    except ValidationError as error:
        mistakes = describe_errors(error, document, Preset)
        raise AccordError(ErrorCode.BAD_FILE, f"The preset {origin} is wrong. {mistakes}.", remedy) from error


def require_stages(preset: Preset, accord: Accord, origin: str) -> None:
    """Raise BAD_FILE if a preset reports people in stages that its accord does not have."""
    keys = {stage.key for stage in accord.stages}
    for file in preset.files:
        for record in (record for record in file.records if record.table == "reported_stage"):
            for reading in record.fields.get("stage", ()):
                named = {*(reading.words or reading.contains or {}).values(), reading.constant} - {None}
                for stage in sorted(str(word) for word in named - keys):
                    raise AccordError(
                        ErrorCode.BAD_FILE,
                        f"The preset {origin} reports people in the stage '{stage}' ({file.name}), which its accord"
                        f" '{preset.accord}' does not have; it has {', '.join(sorted(keys))}.",
                        "Name one of these stages, or another accord.",
                    )
