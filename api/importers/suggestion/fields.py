"""Checks whether the values of a column fit the field that its name suggests; what they leave open is a question."""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from api.importers.cell_values import FORMAT_PARSERS, Parse, column_parser, grouped_number_parser
from api.importers.date_formats import DateColumn
from api.importers.fields import fillable
from api.importers.suggestion.keys import AddressSpellings
from api.importers.value_reading import MARKS, DecimalMark
from schema.base import ColumnShape
from schema.tables import SHAPES

_MOST_WORDS = 100
_SHOWN_MISFITS = 2
_SEPARATORS = (";", ",", "|", "\n", "/", " ")


@dataclass(slots=True)
class SampledColumn:
    """A column of the file, and what the sample holds in it: values, and `placeholders` for empty cells."""

    name: str
    place: int
    filled: int = 0
    rows: int = 0
    values: Counter[str] = field(default_factory=Counter)  # the first distinct ones, without empty cells
    is_unique: bool = True
    dates: DateColumn | None = None
    spellings: AddressSpellings | None = None  # of a column of e-mail addresses
    is_name: bool = False
    placeholders: Counter[str] = field(default_factory=Counter)

    @property
    def examples(self) -> list[str]:
        """A few of its values."""
        return [value for value, _ in self.values.most_common(3)]


@dataclass(frozen=True, slots=True)
class SuggestedField:
    """A field that a column fills, and the questions about it. A field with a `doubt` is left out, for that reason.

    `several` is a cell that holds a list, whose items stand between the `separators`; `misfits` are values to reject.
    """

    name: str
    column: SampledColumn
    words: dict[str, str] = field(default_factory=dict)
    unknown_words: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    scale: str | None = None
    decimal: DecimalMark | None = None
    is_mark_open: bool = False
    separators: tuple[str, ...] = ()
    several: str = ""
    misfits: tuple[str, ...] = ()
    misfit_count: int = 0
    doubt: str | None = None


def plain(name: str) -> str:
    """Reduce a header to what is compared: no case, accents, blanks, punctuation, nor HubSpot's `property_`."""
    return re.sub(r"[\W_]+", "", _without_accents(name.casefold().removeprefix("property_")))


def _without_accents(text: str) -> str:
    return "".join(
        character for character in unicodedata.normalize("NFKD", text) if not unicodedata.combining(character)
    )


@cache
def synonyms() -> dict[str, Any]:
    """The names that fields, links, keys and words have in files, by table."""
    return tomllib.loads(files("api.importers").joinpath("synonyms.toml").read_text("utf-8"))


def is_dated(table: str, name: str) -> bool:
    """Whether a field of a table is a date or an instant."""
    return fillable(SHAPES[table])[name].python in (datetime, date)


def check_field(table: str, name: str, column: SampledColumn) -> SuggestedField:
    """Check whether a column's values fit the field that its name suggests."""
    shape = fillable(SHAPES[table])[name]
    if not column.filled:
        return SuggestedField(name, column, doubt="it is empty throughout")
    if is_dated(table, name):
        return SuggestedField(name, column)
    if shape.note.vocab is not None and not shape.is_nullable:
        return _field_with_words(name, column, shape)
    if shape.python in (int, Decimal) and (marked := _field_with_mark(name, column, shape)):
        return marked
    if shape.note.format is not None:
        return _field_with_format(name, column, FORMAT_PARSERS[shape.note.format])
    misfit = _first_misfit(shape, column.values)
    if name == "probability" and misfit and _first_misfit(shape, map(_as_share, column.values)) is None:
        return SuggestedField(name, column, scale="0.01")
    return SuggestedField(name, column, doubt=misfit)


def _field_with_format(name: str, column: SampledColumn, parse: Parse) -> SuggestedField:
    """A text of one spelling, such as an e-mail address, if most values are one. Cells with several are a question."""
    reasons = {value: reason for value in column.values if (reason := _reason(parse, value))}
    lists = {value: mark for value in reasons if (mark := _separator(parse, value))}
    misfits = [value for value in reasons if value not in lists]
    count = sum(column.values[value] for value in misfits)
    if count * 2 > column.values.total():
        return SuggestedField(name, column, doubt=f"'{misfits[0]}' {reasons[misfits[0]]}")
    shown = tuple(f"'{value}' {reasons[value]}" for value in misfits[:_SHOWN_MISFITS])
    several = next(iter(lists), "")
    marks = tuple(dict.fromkeys(lists.values()))
    return SuggestedField(name, column, separators=marks, several=several, misfits=shown, misfit_count=count)


def _reason(parse: Parse, value: str) -> str | None:
    """Why a parser does not take a value; None if it does."""
    try:
        parse(value)
    except ValueError as error:
        return str(error)
    return None


def _separator(parse: Parse, value: str) -> str | None:
    """The mark between the items of a cell that is a list of good values; None if it is none."""
    for mark in _SEPARATORS:
        items = [item.strip() for item in value.split(mark) if item.strip()]
        if len(items) > 1 and all(_reason(parse, item) is None for item in items):
            return mark
    return None


def _field_with_mark(name: str, column: SampledColumn, shape: ColumnShape) -> SuggestedField | None:
    """A number with a decimal mark or grouped thousands, or the question which mark it is; None for plain digits."""
    point, comma = (
        _numbers(grouped_number_parser(column_parser(shape), *MARKS[mark]), column.values) for mark in MARKS
    )
    if point is not None and comma is not None:
        return SuggestedField(name, column, is_mark_open=True) if point != comma else None
    if comma is not None:
        return SuggestedField(name, column, decimal="comma")
    is_grouped = point is not None and _first_misfit(shape, column.values)
    return SuggestedField(name, column, decimal="point") if is_grouped else None


def _numbers(parse: Parse, values: Iterable[str]) -> list[object] | None:
    """The values as numbers, or None if one of them is none."""
    try:
        return [parse(value) for value in values]
    except ValueError:
        return None


def _first_misfit(shape: ColumnShape, values: Iterable[str]) -> str | None:
    """The first value that the column does not take, with the reason; None if it takes all."""
    parse = column_parser(shape)
    reasons = ((value, _reason(parse, value)) for value in values)
    return next((f"'{value}' {reason}" for value, reason in reasons if reason), None)


def _as_share(percent: str) -> str:
    return f"{float(percent) / 100:.6f}" if re.fullmatch(r"\d{1,3}(\.\d{1,4})?", percent) else percent


def _field_with_words(name: str, column: SampledColumn, shape: ColumnShape) -> SuggestedField:
    """Translate the words of a column that are certain; the others become a question."""
    vocabulary = [word.value for word in shape.note.vocab or ()]
    known = {plain(word): word for word in vocabulary}
    for word, spellings in synonyms()["words"].get(name, {}).items():
        known.update({plain(synonym): word for synonym in spellings})
    words = {value: known[plain(value)] for value in column.values if plain(value) in known}
    others = [value for value, _ in column.values.most_common() if value not in words]
    if len(column.values) > _MOST_WORDS:
        reason = f"it has more than {_MOST_WORDS} different values"
        return SuggestedField(name, column, doubt=reason, vocabulary=tuple(vocabulary))
    return SuggestedField(name, column, words=words, unknown_words=tuple(others), vocabulary=tuple(vocabulary))
