"""How a preset reads a value from a row: its columns, words, conditions, and other files.

The keys of a preset's TOML document are the fields of the models here, in `mapping.py` and in `preset.py`. Their
descriptions and examples make the reference page `presets/README.md` (see `preset_reference.py`).
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class PresetModel(BaseModel):
    """A part of a preset: immutable; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class TomlType:
    """How the reference page names the type of a key that takes more than its Python type shows."""

    name: str


def as_list(value: object) -> object:
    """Accept one text in place of a list. `true` and `false` are texts of a file too."""
    if isinstance(value, bool):
        return (str(value).lower(),)
    return (value,) if isinstance(value, str) else value


DecimalMark = Literal["point", "comma"]
MARKS: dict[DecimalMark, tuple[str, str]] = {"point": (".", ","), "comma": (",", ".")}  # decimal mark, thousands mark
Texts = Annotated[tuple[str, ...], BeforeValidator(as_list), TomlType("text, or list of texts")]
Conditions = dict[str, Texts]


def as_conditions(value: object) -> object:
    """Accept one table of conditions in place of a list."""
    return (value,) if isinstance(value, dict) else value


Rankings = Annotated[
    tuple[Conditions, ...],
    BeforeValidator(as_conditions),
    TomlType("table: name = text, or list of texts; or a list of these"),
]


class Lookup(PresetModel):
    """Reads the column from another file: from its only row whose `match` column equals this row's `by` column."""

    file: str = Field(
        description="The other file, as it is named in the preset.",
        examples=['amount = { column = "value", lookup = { file = "prices.csv", by = "sku", match = "id" } }'],
    )
    by: str = Field(
        description="The column of this file whose cell is looked up.",
        examples=['amount = { column = "value", lookup = { file = "prices.csv", by = "sku", match = "id" } }'],
    )
    match: str = Field(
        description="The column of the other file in which it is looked up. If several rows match, the value is empty,"
        " unless they are merged into one contact. E-mail addresses match whatever their case.",
        examples=['amount = { column = "value", lookup = { file = "prices.csv", by = "sku", match = "id" } }'],
    )


class ValueReading(PresetModel):
    """Where a value comes from: one column, several columns, or a constant; and how its cell becomes a value.

    The name of a column alone, `email = "E-mail"`, is short for `email = { column = "E-mail" }`. For a field, a list of
    readings may stand: the first that gives a value holds. For a key, a list of columns makes one key of all of them.
    """

    column: str | None = Field(
        default=None, description="The column to read.", examples=['email = { column = "E-mail" }']
    )
    columns: tuple[str, ...] = Field(
        default=(),
        description="Several columns to join: texts with a space between them, keys into one key.",
        examples=['name = { columns = ["First Name", "Last Name"] }'],
    )
    constant: bool | int | str | None = Field(
        default=None,
        description="A value that is the same for every row, in place of a column.",
        examples=['kind = { constant = "CALL" }'],
    )
    prefix: str | None = Field(
        default=None,
        description="For keys: a text before the cell. It keeps keys apart that are numbered alike in two files.",
        examples=['key = { column = "id", prefix = "form" }'],
    )
    words: dict[str, str] | None = Field(
        default=None,
        description="Cells of the file and the values of Accord that they mean. Upper and lower case differ.",
        examples=['outcome = { column = "Stage", words = { "Closed Won" = "WON", "Closed Lost" = "LOST" } }'],
    )
    contains: dict[str, str] | None = Field(
        default=None,
        description="As `words`, for cells that contain the text anywhere, in upper or lower case; the first that is"
        " contained holds.",
        examples=['kind = { column = "team", contains = { market = "MARKETING", sales = "SALES" } }'],
    )
    others: Literal["refused", "unknown", "kept"] = Field(
        default="refused",
        description="What to do with a cell that `words` or `contains` does not have: treat it as a cell that cannot be"
        " read (`refused`; see `vital`), leave the value empty (`unknown`), or take the cell itself (`kept`).",
        examples=['industry = { column = "sector", words = { technolgy = "technology" }, others = "kept" }'],
    )
    unknown: Texts = Field(
        default=(),
        description="Cells that mean that the value is not known; they are read as empty.",
        examples=['amount = { column = "close_value", unknown = ["0", "n/a"] }'],
    )
    first_of: Texts = Field(
        default=(),
        description="The cell is a list with this separator, or with one of these; its first item is read. Without this"
        " key a cell with several e-mail addresses is rejected.",
        examples=['email = { column = "E-mail", first_of = [";", ","] }'],
    )
    decimal: DecimalMark | None = Field(
        default=None,
        description="The decimal mark of a number. Thousands may then be grouped by the other mark, by blanks or by"
        " apostrophes. Without this key a number has a decimal point and no grouping.",
        examples=['amount = { column = "Betrag", decimal = "comma" }'],
    )
    scale: Decimal | None = Field(
        default=None,
        gt=0,
        description="A factor for a number, such as 0.01 for percentages. For a field of whole numbers the result is"
        " rounded.",
        examples=['probability = { column = "Probability (%)", scale = 0.01 }'],
    )
    plus: int = Field(
        default=0,
        description="A whole number to add to a number, after `scale`; days to add to a date.",
        examples=[
            'rank = { column = "display_order", plus = 1 }',
            'from_on = "Day"\nbefore_on = { column = "Day", plus = 1 }',
        ],
    )
    plus_months: int = Field(
        default=0,
        ge=0,
        description="For dates: whole months to add. The day must be in the resulting month, as the first always is.",
        examples=['from_on = "Month"\nbefore_on = { column = "Month", plus_months = 1 }'],
    )
    when: Conditions = Field(
        default={},
        description="Columns and their texts: every column must hold one of its texts, else the reading gives no value."
        ' Case does not matter; "" is an empty cell.',
        examples=['amount = { column = "close_value", when = { deal_stage = "Won" } }'],
    )
    unless: Conditions = Field(
        default={},
        description="Columns and their texts: no column may hold one of its texts, else the reading gives no value.",
        examples=['currency = { constant = "USD", unless = { revenue = "" } }'],
    )
    given: Conditions = Field(
        default={},
        description="Fields above this one and their values: every field must have one of its values, else the reading"
        " gives no value.",
        examples=[
            """outcome = { column = "Stage", words = { Won = "WON", Lost = "LOST" } }
closed_at = { column = "Close Date", given = { outcome = ["WON", "LOST"] } }"""
        ],
    )
    not_before: str | None = Field(
        default=None,
        description="A field above this one that is an instant. If this value is a date without a time and on the same"
        " day, it becomes that instant, so that it is not earlier.",
        examples=['opened_at = "created"\nclosed_at = { column = "close_day", not_before = "opened_at" }'],
    )
    lookup: Lookup | None = Field(
        default=None,
        description="Reads the column from another file; see below.",
        examples=['amount = { column = "value", lookup = { file = "prices.csv", by = "sku", match = "id" } }'],
    )
    through: str | None = Field(
        default=None,
        pattern=r"^[a-z_]+\.[a-z_]+$",
        description="A field of another table, as `table.field`: the column holds the key of a record in that table,"
        " and the value is that record's. A row whose key belongs to no record is rejected, unless an earlier reading"
        " of the field gives the value.",
        examples=['outcome = { column = "stage_id", through = "pipeline_stage.category" }'],
    )
    split: str | None = Field(
        default=None,
        min_length=1,
        description="For keys, and for one link of a table without ids: the cell is a list with this separator, and the"
        " row means one record for every item.",
        examples=[
            'key = { column = "merged_ids", split = ";" }',
            'deal = "id"\ncontact = { column = "contact_ids", split = ";", optional = true }',
        ],
    )
    single: str | None = Field(
        default=None,
        min_length=1,
        description="For keys, links and texts: the cell may be a list with this separator. A list of one item is read"
        " as that item; a list of several gives no value, because their order does not show which one counts.",
        examples=['company = { column = "Associated Company IDs", single = ";", optional = true }'],
    )
    id_form: Literal["salesforce"] | None = Field(
        default=None,
        description="For keys and links: the form of the source's ids. Salesforce writes the same id with 15 characters"
        " in reports and with 18 elsewhere; `salesforce` reads both as that of 18.",
        examples=['key = { column = "Contact ID", id_form = "salesforce" }'],
    )
    heading: str | None = Field(
        default=None,
        pattern=r"^[^*]*\*[^*]*$",
        description="The text that stands in place of `*` in the heading of a column, for files with `signs`. Without"
        " such a column it gives no value.",
        examples=['currency = { heading = "Amount spent (*)" }'],
    )
    ends_at: str | None = Field(
        default=None,
        min_length=1,
        description="For keys with `split`: an item ends before this text; what follows is no part of the key.",
        examples=['key = { column = "merged_ids_and_times", split = ";", ends_at = ":" }'],
    )
    is_optional: bool = Field(
        default=False,
        alias="optional",
        description="For links: a key that belongs to no record leaves the link empty. Without it the row is rejected.",
        examples=['owner = { column = "owner_id", optional = true }'],
    )
    is_required: bool = Field(
        default=False,
        alias="required",
        description="Reject a row whose cell is empty; in a list of readings, also a row for which none of them gives a"
        " value. Fields that a table cannot do without are required anyway.",
        examples=['closed_at = { column = "won_date", required = true }'],
    )
    vital: bool | None = Field(
        default=None,
        description="What to do with a cell that cannot be read: reject its row (`true`), or leave out the value alone"
        " (`false`), so that the record keeps the value it has. Without this key, the row is rejected for a link, for a"
        " field that a table cannot do without, for the closing date of a deal, the decision date of a handoff, and"
        " where `required`, `lookup` or `through` stands. Of every other field, only the value is left out. A row"
        " without a date for `since` is rejected too, or with `false` its values hold without a date.",
        examples=['amount = { column = "value", vital = true }'],
    )
    at_import: bool = Field(
        default=False,
        description="For `deleted_at`: where the cell is empty, or the file lacks its column, the instant of the first"
        " import that has the row. A date that cannot be read counts as that instant without this key.",
        examples=['deleted_at = { column = "deleted_on", when = { is_deleted = true }, at_import = true }'],
    )

    @property
    def is_number(self) -> bool:
        """Whether it reads its cells as numbers."""
        return self.decimal is not None or self.scale is not None

    @property
    def is_shifted(self) -> bool:
        """Whether it adds something to a number or to a date."""
        return bool(self.plus or self.plus_months)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it reads, of this file or of the one that it looks up."""
        return self.columns if self.column is None else (self.column,)

    @property
    def own(self) -> tuple[str, ...]:
        """The columns of the row's own file that it needs."""
        read = self.sources if self.lookup is None else (self.lookup.by,)
        return (*read, *self.when, *self.unless)

    @property
    def label(self) -> str:
        """How reports name the cell."""
        return self.lookup.by if self.lookup else ", ".join(self.sources)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        values = (self.column is not None, bool(self.columns), self.constant is not None, self.heading is not None)
        if values.count(True) != 1:
            raise ValueError("a reading has exactly one of 'column', 'columns' and 'constant' (or 'heading')")
        of_cells: tuple[object, ...] = (self.words, self.contains, self.unknown, self.lookup, self.through, self.split)
        of_cells += (self.is_number, self.is_shifted, self.single, self.id_form, self.first_of)
        of_cells += (self.vital is not None, self.at_import)
        if not self.sources and (any(of_cells) or self.is_required):
            raise ValueError("a constant is never empty and takes no keys that are about cells, such as 'words'")
        if self.words and self.contains:
            raise ValueError("a reading has either 'words' or 'contains'")
        if [bool(self.first_of), self.single is not None, self.split is not None].count(True) > 1:
            raise ValueError("a reading has one of 'first_of', 'single' and 'split'")
        if not all(self.first_of):
            raise ValueError("a separator of 'first_of' must not be empty")
        if self.others != "refused" and not (self.words or self.contains):
            raise ValueError("'others' needs 'words' or 'contains'")
        if self.ends_at and not self.split:
            raise ValueError("'ends_at' needs 'split'")
        if self.lookup and (self.columns or self.through or self.split):
            raise ValueError("a lookup reads one column of the other file")
        return self


def as_reading(value: object) -> object:
    """Accept the name of a column in place of a reading, and a list of names for a key of several columns."""
    if isinstance(value, str):
        return {"column": value}
    return {"columns": value} if isinstance(value, list) else value


def as_readings(value: object) -> object:
    """Accept one reading in place of a list, and names of columns in place of readings."""
    several = value if isinstance(value, list | tuple) else (value,)
    return tuple({"column": one} if isinstance(one, str) else one for one in several)


Key = Annotated[ValueReading, BeforeValidator(as_reading), TomlType("column, list of columns, or reading")]
Readings = Annotated[
    tuple[ValueReading, ...],
    BeforeValidator(as_readings),
    TomlType("column, reading, or list of either"),
    Field(min_length=1),
]


def label_of(readings: tuple[ValueReading, ...]) -> str:
    """How reports name the cells of several readings; of a constant, those that decide whether it holds."""
    labels = (label for reading in readings for label in ((reading.label,) if reading.label else reading.when))
    return ", ".join(dict.fromkeys(labels))
