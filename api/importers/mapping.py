"""What a row of a file means: which records, and where their fields come from. Checked against the tables' columns."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from api.importers.fields import check_reading, fillable, must_be_filled
from api.importers.layout.file_layout import WORKBOOK_DATES, FileLayout, is_workbook
from api.importers.value_reading import Conditions, Key, PresetModel, Rankings, Readings, Texts, ValueReading
from api.intake.staged import record_tables
from schema.base import ColumnShape, TableShape
from schema.date_forms import NAMED_FORMS
from schema.tables import SHAPES

_DATE_PARTS = ({"%Y", "%y"}, {"%m", "%b", "%B"}, {"%d"})


class RecordMap(PresetModel):
    """One record that a row means. A row may mean several: write `[[files.records]]` for every one.

    Several rows and files may describe the same record. Where they differ, the value with the latest date (`since`)
    holds; without dates, that of the record that stands later in the preset; within a file, that of the later row. The
    order of rows never decides about links, nor about a table without keys, such as deal_contact: rows that differ
    there need a `primary` one, else they are reported and nothing is changed.
    """

    table: str = Field(
        description="The table of the record, such as contact, company, deal or touchpoint.",
        examples=['table = "contact"'],
    )
    key: Key | None = Field(
        default=None,
        description="The source's key for the record; without it, the file's key. A table without ids, such as"
        " deal_contact, has none: its records are identified by those that they link.",
        examples=['key = "person_id"', 'key = ["account", "region"]', 'key = { column = "id", prefix = "form" }'],
    )
    alias: Key | None = Field(
        default=None,
        description="A second key by which the source knows the same record.",
        examples=['key = "converted_contact_id"\nalias = "lead_id"'],
    )
    when: Conditions = Field(
        default={},
        description="Columns and their texts: only rows in which every column holds one of its texts mean such a"
        ' record. Case does not matter; "" is an empty cell.',
        examples=['when = { type = ["CALL", "MEETING"] }'],
    )
    unless: Conditions = Field(
        default={},
        description="Columns and their texts: rows in which any column holds one of its texts mean no such record.",
        examples=['unless = { email = "" }'],
    )
    is_optional: bool = Field(
        default=False,
        alias="optional",
        description="A row whose key is empty means no such record. Without it the row is rejected.",
        examples=['key = "manager"\noptional = true'],
    )
    creates: bool = Field(
        default=True,
        description="With `false` the row only adds to a record. It is rejected if the record is neither in the"
        " database nor created by another row.",
        examples=["creates = false"],
    )
    begins: Readings | None = Field(
        default=None,
        description="A date by which the record existed. Its values are assumed to hold since its earliest date; the"
        " pipeline stage, probability and close date of a closed deal since its closing. Only for tables with history,"
        " and not together with `since`.",
        examples=['begins = "Create Date"'],
    )
    since: Readings | None = Field(
        default=None,
        description="The date since which this row's values hold. The rows are the record's history then: before the"
        " first of them, the fields are unknown. Only for tables with history.",
        examples=['since = "changed_at"'],
    )
    primary: Rankings = Field(
        default=(),
        description="The columns and texts that mark the row that holds, where several rows give one record different"
        " links, such as the companies of a deal; conditions as in `when`. Of a list, the first that a row meets"
        " ranks it. If rows of the same rank differ, they are reported, and the link stays as it was.",
        examples=[
            'primary = { type_id = "5" }',
            'primary = [{ label = "Buyer" }, { label = ["Partner", "Agency"] }]',
        ],
    )
    fields: dict[str, Readings] = Field(
        default={},
        description="The fields of the table, or its links by name, and where their values come from. A link is read"
        " from a column that holds the source's key for the other record.",
        examples=['fields = { email = "E-mail", company = "Account ID", phone = ["Mobile", "Phone"] }'],
    )

    @property
    def shape(self) -> TableShape:
        """The table's declaration."""
        return SHAPES[self.table]

    @property
    def filled(self) -> tuple[tuple[ColumnShape, tuple[ValueReading, ...]], ...]:
        """The columns that the record fills, with their readings."""
        known = fillable(self.shape)
        return tuple((known[name], readings) for name, readings in self.fields.items())

    @property
    def is_since_vital(self) -> bool:
        """Whether a row without a date for `since` is rejected; otherwise its values hold without a date."""
        return all(reading.vital is not False for reading in self.since or ())

    @property
    def readings(self) -> tuple[ValueReading, ...]:
        """Every reading of the record."""
        keys = tuple(key for key in (self.key, self.alias) if key is not None)
        lists = (self.begins or (), self.since or (), *self.fields.values())
        return (*keys, *(reading for readings in lists for reading in readings))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the row that the record is read from."""
        read = (column for reading in self.readings for column in reading.own)
        ranking = (column for conditions in self.primary for column in conditions)
        return (*self.when, *self.unless, *ranking, *read)

    @model_validator(mode="after")
    def _fits_the_table(self) -> Self:
        if self.table not in record_tables():
            raise ValueError(f"'{self.table}' is not a table for imports; there are {', '.join(record_tables())}")
        known = fillable(self.shape)
        for name in self.fields:
            if name not in known:
                raise ValueError(f"{self.table} has no field '{name}'; there are {', '.join(sorted(known))}")
        for name, readings in self.fields.items():
            for reading in readings:
                is_list = not self.shape.has_id and known[name].link is not None
                check_reading(f"{self.table}.{name}", known[name], reading, may_be_list=is_list)
        missing = [name for name in must_be_filled(self.shape) if name not in self.fields]
        if self.creates and missing:
            raise ValueError(f"{self.table} needs {', '.join(missing)}")
        self._check_identity()
        self._check_given()
        return self

    def _check_identity(self) -> None:
        keys = [reading for reading in (self.key, self.alias, *(self.begins or ())) if reading is not None]
        if any(reading.vital is not None for reading in keys):
            raise ValueError("'vital' is for fields and 'since'; remove it from keys and 'begins'")
        if any(reading.at_import for reading in (*keys, *(self.since or ()))):
            raise ValueError("'at_import' is for the field deleted_at; remove it from keys, 'begins' and 'since'")
        if not self.shape.has_id and (self.key or self.alias or self.is_optional or not self.creates):
            raise ValueError(f"a {self.table} is identified by the records that it links; it has no key of its own")
        if (self.begins or self.since) and not self.shape.has_history:
            raise ValueError(f"{self.table} has no history, so remove 'begins' and 'since'")
        if self.begins and self.since:
            raise ValueError("a record has either 'begins' or 'since'")
        lists = [readings for readings in self.fields.values() if any(reading.split for reading in readings)]
        if self.key and self.key.split and not self.creates:
            raise ValueError("a list of keys creates its records; remove 'creates = false' or 'split'")
        if sum(len(readings) > 1 or reading.split is not None for readings in lists for reading in readings) > 1:
            raise ValueError("only one field of a record can be a list, and by one reading; remove 'split'")

    def _check_given(self) -> None:
        """Check that `given` and `not_before` name fields that stand above."""
        for place, (name, readings) in enumerate(self.fields.items()):
            above = list(self.fields)[:place]
            named = {field for reading in readings for field in (*reading.given, reading.not_before) if field}
            for field in sorted(named - set(above)):
                raise ValueError(f"{self.table}.{name} depends on '{field}', which is not a field above it")


class FileMap(PresetModel):
    """One file: what identifies its rows, how its dates are written, and which records a row means."""

    name: str = Field(
        pattern=r"^[^/\\]+$", description="The file's name in the imported folder.", examples=['name = "people.csv"']
    )
    key: Texts = Field(
        description="The column, or columns, that identify a row. A row with the key of an earlier one is rejected.",
        examples=['key = "id"', 'key = ["deal_id", "date_entered"]'],
    )
    is_optional: bool = Field(
        default=False, alias="optional", description="The file may be missing.", examples=["optional = true"]
    )
    signs: tuple[str, ...] = Field(
        default=(),
        description="Columns by which the file is recognised, whatever it is called: its header has all of them. `name`"
        " is then what messages call its kind. Only its signs must be there; upper and lower case of headings do not"
        " matter. Of several files of the preset that fit, the one with the most signs is meant. A"
        " preset has such files only, or none.",
        examples=['name = "contacts"\nsigns = ["Record ID", "Email"]'],
    )
    headings: dict[str, Texts] = Field(
        default={},
        description="For files with `signs`: other headings that a column may have, `*` standing for any text. The"
        " column itself comes first, then these in their order.",
        examples=['headings = { "Amount spent" = ["Amount spent (*)"], "Campaign" = "Campaign name" }'],
    )
    orders: dict[Literal["day-first", "month-first"], Texts] = Field(
        default={},
        description="For files with `signs`: formats of the dates, in two orders. The dates of the file decide which"
        " one is used; if they do not, the import needs `--dates`.",
        examples=['orders = { day-first = ["%d/%m/%Y"], month-first = ["%m/%d/%Y"] }'],
    )
    may_lack: tuple[str, ...] = Field(
        default=(),
        description="Columns that the file may not have; they are read as empty then. Every other column that the"
        " preset names must be there.",
        examples=['may_lack = ["Phone", "Mobile"]'],
    )
    sheet: str | None = Field(
        default=None,
        description="For a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods): the sheet to read, in place of the first that is"
        " visible. Dates and numbers are read as the workbook holds them, however it shows them.",
        examples=['name = "people.xlsx"\nsheet = "Contacts"'],
    )
    header_line: int | None = Field(
        default=None,
        ge=1,
        description="The line of the header, counted from 1. Without it, the header is the first line that has every"
        " needed column.",
        examples=["header_line = 4"],
    )
    skip_last: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="How many rows at the end are no records, such as totals and notes; blank lines do not count, and"
        " with 0 every row is a record. Without it, certain totals and notes are detected and left out, and a row that"
        " may be a total or a record is rejected.",
        examples=["skip_last = 1"],
    )
    until: str | None = Field(
        default=None,
        min_length=1,
        description="The text with which the first row below the table begins; the file is read up to it.",
        examples=['until = "Confidential Information"'],
    )
    forms: Texts = Field(
        default=(),
        description="The forms of the dates in all columns that `dates` does not name. `iso`: 2026-01-02, or 2026-01-02"
        " 09:30:00.123456 UTC, with T or a blank, any number of decimals, and Z, UTC, GMT or an offset at the end."
        " `epoch`, `epoch-ms`, `epoch-us`: seconds, milliseconds or microseconds since 1970. `excel`: days since 1900,"
        " such as 46032.395833. Any other form is a format: %Y year, %m month, %d day, %H hour, %I hour to 12, %p AM or"
        " PM, %M minute, %S second, %f fraction, %z offset, Z or UTC. Decimals beyond the microsecond are cut. A zone"
        " in the cell precedes the preset's.",
        examples=['forms = "iso"', 'forms = ["%d/%m/%Y", "%d/%m/%Y %I:%M %p"]'],
    )
    dates: dict[str, Texts] = Field(
        default={},
        description="The forms of the dates in single columns. A cell that two of them read differently is rejected.",
        examples=['dates = { "Create Date" = "%d/%m/%Y", "Close Date" = ["iso", "%Y%m%d"], "Last Seen" = "epoch-ms" }'],
    )
    records: tuple[RecordMap, ...] = Field(
        default=(),
        description="The records that a row means; a file that only others look up has none.",
        examples=['[[files.records]]\ntable = "contact"\nfields = { email = "mail" }'],
    )

    @field_validator("key")
    @classmethod
    def _has_key(cls, key: tuple[str, ...]) -> tuple[str, ...]:
        if not key:
            raise ValueError("must not be empty")
        return key

    @field_validator("dates", "orders")
    @classmethod
    def _has_date_formats(cls, dates: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for column, forms in dates.items():
            _check_formats(forms, f" of {column}")
        return dates

    @field_validator("forms")
    @classmethod
    def _has_formats(cls, forms: tuple[str, ...]) -> tuple[str, ...]:
        _check_formats(forms, "")
        return forms

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the rows are read from, once, in the order in which the preset names them."""
        return tuple(dict.fromkeys((*self.key, *(column for record in self.records for column in record.columns))))

    @property
    def key_label(self) -> str:
        """How reports name the key of the file's rows."""
        return ", ".join(self.key)

    @property
    def layout(self) -> FileLayout:
        """What the preset states about where the table is."""
        return FileLayout(self.header_line, self.skip_last, self.until, self.sheet)

    def forms_of(self, column: str) -> tuple[str, ...]:
        """The formats of the dates in a column. A workbook's own dates are read as well as dates in its texts."""
        stated = self.dates.get(column, self.forms)
        return tuple(dict.fromkeys((*stated, *WORKBOOK_DATES))) if is_workbook(Path(self.name)) else stated

    @property
    def date_columns(self) -> tuple[str, ...]:
        """The columns that are read as dates, once."""
        found: dict[str, None] = {}
        for record in self.records:
            dated = [(record.begins or ()), (record.since or ())]
            dated += [readings for shape, readings in record.filled if shape.python in (datetime, date)]
            for reading in (reading for readings in dated for reading in readings if reading.lookup is None):
                found |= dict.fromkeys(reading.sources)
        return tuple(found)

    @model_validator(mode="after")
    def _dates_have_formats(self) -> Self:
        for column in self.date_columns:
            if not self.forms_of(column) and not self.orders:
                raise ValueError(f"the format of the dates in column '{column}' is missing; state it under 'dates'")
        return self

    @model_validator(mode="after")
    def _is_recognised_where_headings_vary(self) -> Self:
        has_heading = any(reading.heading for record in self.records for reading in record.readings)
        if not self.signs and (self.headings or self.orders or has_heading):
            raise ValueError("'headings', 'heading' and 'orders' are for files with 'signs'")
        unknown = [column for column in self.headings if column not in (*self.columns, *self.signs)]
        if unknown:
            raise ValueError(f"'headings' has the column '{unknown[0]}', which nothing reads")
        return self


def _check_formats(forms: tuple[str, ...], where: str) -> None:
    for form in forms:
        if form in NAMED_FORMS:
            continue
        parts = set(re.findall(r"%.", form))
        if "%Z" in parts:
            raise ValueError(f"'{form}'{where} would lose the zone: write %z, which also reads UTC and GMT, or 'iso'")
        if not all(parts & codes for codes in _DATE_PARTS):
            named = ", ".join(NAMED_FORMS)
            raise ValueError(
                f"'{form}'{where} is not the format of a whole date; it needs %Y, %m and %d, or is one of {named}"
            )
