"""How a preset says where a value comes from: columns, words, conditions, other files."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class Part(BaseModel):
    """Any part of a preset: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def as_list(value: object) -> object:
    """One word where several may stand; true and false are words of a file too."""
    if isinstance(value, bool):
        return (str(value).lower(),)
    return (value,) if isinstance(value, str) else value


Mark = Literal["point", "comma"]
MARKS: dict[Mark, tuple[str, str]] = {"point": (".", ","), "comma": (",", ".")}  # before fractions, between thousands
Words = Annotated[tuple[str, ...], BeforeValidator(as_list)]
Conditions = dict[str, Words]


class Lookup(Part):
    """Another file that says it: its one row whose `match` equals `by` of this row."""

    file: str
    by: str
    match: str


class Reading(Part):
    """Where a value comes from: a column, several, or a constant.

    Several columns are put together: texts with a space between, keys into one. `words` maps the source's words to
    ours, `contains` does so for cells that hold a word somewhere, whatever its case; `others` says what becomes of
    other cells: they are refused, unknown, or kept as they are. `unknown` are cells that mean that nothing is known.
    `decimal` is the mark before a number's fractions, its thousands being set apart by the other mark, by blanks or
    apostrophes, or not; without it a number has a point and nothing else. `scale` multiplies a number, `plus` adds to
    it. `when` and `unless` name columns and the words that they hold (whatever their case; "" is an empty cell): where
    they say no, the cell is not read. `given` names fields of the record that are told before this one, and their
    values; `not_before` is one of them: an instant that this one, which tells the day alone, is not earlier than if it
    is on that day. `lookup` takes the column from another file; `through` a field of the record whose key the column
    holds. A row with a link, or a way `through` one, whose key nobody knows is refused; but a link that is `optional`
    is unknown then, and no way is asked for where a reading before it says the value. `split` is for keys alone: the
    cell is a list, and the row means one record for each of its items.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    constant: bool | int | str | None = None
    prefix: str | None = None
    words: dict[str, str] | None = None
    contains: dict[str, str] | None = None
    others: Literal["refused", "unknown", "kept"] = "refused"
    unknown: Words = ()
    decimal: Mark | None = None
    scale: Decimal | None = Field(default=None, gt=0)
    plus: int = 0
    when: Conditions = {}
    unless: Conditions = {}
    given: Conditions = {}
    not_before: str | None = None
    lookup: Lookup | None = None
    through: str | None = Field(default=None, pattern=r"^[a-z_]+\.[a-z_]+$")
    split: str | None = Field(default=None, min_length=1)
    is_optional: bool = Field(default=False, alias="optional")
    is_required: bool = Field(default=False, alias="required")

    @property
    def is_number(self) -> bool:
        """Whether its cells are said to be numbers."""
        return self.decimal is not None or self.scale is not None or bool(self.plus)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that are read, of the file that has them."""
        return self.columns if self.column is None else (self.column,)

    @property
    def own(self) -> tuple[str, ...]:
        """The columns of the row's own file that it needs."""
        read = self.sources if self.lookup is None else (self.lookup.by,)
        return (*read, *self.when, *self.unless)

    @property
    def label(self) -> str:
        """What a person would call the cell."""
        return self.lookup.by if self.lookup else ", ".join(self.sources)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.column is not None, bool(self.columns), self.constant is not None].count(True) != 1:
            raise ValueError("a field has either a column or a constant")
        asked = (self.words, self.contains, self.unknown, self.is_number, self.lookup, self.through, self.split)
        if not self.sources and (any(asked) or self.is_required):
            raise ValueError("a constant has no words and is never missing")
        if self.words and self.contains:
            raise ValueError("a field has either words, or words that its cells contain")
        if self.others != "refused" and not (self.words or self.contains):
            raise ValueError("'others' needs words that they are not among")
        if self.lookup and (self.columns or self.through or self.split):
            raise ValueError("a lookup takes one column of the other file")
        return self


def as_reading(value: object) -> object:
    """A column's name alone is a whole reading, and so is a list of those that make a key."""
    if isinstance(value, str):
        return {"column": value}
    return {"columns": value} if isinstance(value, list) else value


def as_readings(value: object) -> object:
    """One reading, or a list of them: the first that says something holds."""
    each = value if isinstance(value, list | tuple) else (value,)
    return tuple({"column": one} if isinstance(one, str) else one for one in each)


Key = Annotated[Reading, BeforeValidator(as_reading)]
Readings = Annotated[tuple[Reading, ...], BeforeValidator(as_readings), Field(min_length=1)]
