"""Suggests a preset for a file from its header and values. What they do not decide becomes a question to the user.

The columns' names suggest fields (`synonyms.toml`); a field is kept if the values fit it. Reads a sample of the rows,
and beyond it only dates whose order of day and month is still open, so memory is bounded.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from api.errors import AccordError, ErrorCode
from api.importers.cell_values import FORMAT_PARSERS, Parse, column_parser, grouped_number_parser, key_spelling
from api.importers.csv_rows import UnreadableLine, read_csv
from api.importers.date_formats import DateColumn
from api.importers.mapping import fillable, is_name
from api.importers.source_file import SourceFile, detect_file
from api.importers.value_reading import MARKS, DecimalMark
from api.progress import Progress, no_progress
from schema.base import ColumnShape
from schema.placeholders import empty_cells, is_placeholder
from schema.tables import SHAPES

SAMPLE_ROWS = 10_000
_MOST_WORDS = 100
_MOST_DISTINCT = 1000
_PROGRESS_ROWS = 5000
_SHOWN_MISFITS = 2
_SEPARATORS = (";", ",", "|", "\n", "/", " ")
_ERRORS = empty_cells()  # what an import always reads as empty
TABLES = ("contact", "company", "deal")  # of two with as many signs in the header, the first is suggested


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
    is_name: bool = False
    placeholders: Counter[str] = field(default_factory=Counter)

    @property
    def is_key(self) -> bool:
        """Whether it identifies the rows of the sample: never empty, never twice the same."""
        return self.is_unique and self.filled == self.rows > 0

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


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The content of a suggested preset.

    `left_over` are columns that no field is known for; `empty` the placeholders for empty cells, with their columns.
    """

    file: str
    table: str
    rows: int
    key: SampledColumn | None
    begins: SampledColumn | None
    fields: tuple[SuggestedField, ...]
    links: dict[str, SampledColumn]
    left_over: tuple[SampledColumn, ...]
    dates: dict[str, DateColumn]
    is_table_certain: bool
    empty: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def questions(self) -> int:
        """How many questions have to be answered before the preset can be used."""
        dates = sum(not column.is_proven for column in self.dates.values())
        fields = sum(bool(field.unknown_words or field.is_mark_open or field.separators) for field in self.fields)
        return dates + fields + (self.key is None) + self.is_outcome_unknown + (not self.is_table_certain)

    @property
    def unread(self) -> tuple[str, ...]:
        """The columns whose values do not fit the field that their name suggests."""
        doubtful = (field.column for field in self.fields if field.doubt is not None)
        return tuple(column.name for column in doubtful if column.filled)

    @property
    def is_outcome_unknown(self) -> bool:
        """Whether the rows are deals, and no column shows whether they are won."""
        return self.table == "deal" and all(field.name != "outcome" for field in self.fields)


def suggest(path: Path, progress: Progress = no_progress) -> Suggestion:
    """Suggest a preset from a file's header and a sample of its rows. Errors: BAD_FILE."""
    source = detect_file(path.parent, path.name, ())
    names = Counter(source.header)
    columns = [SampledColumn(name, place) for place, name in enumerate(source.header) if name and names[name] == 1]
    known = _synonyms()
    table, is_certain = _table_of(columns)
    by_field = _columns_by_field(columns, known[table]["fields"])
    begins = next(_matching(columns, known[table]["begins"]), None)
    _collect_dates(table, by_field, begins)
    for name, column in by_field.items():
        column.is_name = is_name(fillable(SHAPES[table])[name])
    rows = _read(source, columns, progress)
    if not rows:
        message = f"{path} has a header, but no row that can be read."
        raise AccordError(ErrorCode.BAD_FILE, message, "Name a file with rows.")
    dates = {column.name: column.dates for column in columns if column.dates is not None and column.filled}
    fields = tuple(_field(table, name, column) for name, column in by_field.items())
    by_link = _columns_by_field(columns, known[table]["links"])
    links = {name: column for name, column in by_link.items() if column.filled}
    taken = {field.column.name for field in fields} | {column.name for column in links.values()} | set(dates)
    key = _key(columns, known[table]["key"])
    left = [column for column in columns if column.name not in taken and column is not key]
    used = [column for column in columns if column.name in taken or column is key]
    empty = {
        text: tuple(column.name for column in used if text in column.placeholders)
        for text in dict.fromkeys(text for column in used for text in column.placeholders)
    }
    started = begins if begins is not None and begins.name in dates else None
    return Suggestion(path.name, table, rows, key, started, fields, links, tuple(left), dates, is_certain, empty)


def plain(name: str) -> str:
    """Reduce a header to what is compared: no case, blanks, punctuation, nor the `property_` of HubSpot exports."""
    return re.sub(r"[\W_]+", "", name.casefold().removeprefix("property_"))


@cache
def _synonyms() -> dict[str, Any]:
    return tomllib.loads(files("api.importers").joinpath("synonyms.toml").read_text("utf-8"))


def _table_of(columns: list[SampledColumn]) -> tuple[str, bool]:
    """The table whose signs the header has most of, and whether it has any."""
    headers = {plain(column.name) for column in columns}
    signs = {table: len({plain(sign) for sign in _synonyms()[table]["signs"]} & headers) for table in TABLES}
    table = max(TABLES, key=lambda table: signs[table])
    return table, signs[table] > 0


def _matching(columns: list[SampledColumn], names: Iterable[str]) -> Iterator[SampledColumn]:
    """The columns that have these names, in the order of the names."""
    by_name = {plain(column.name): column for column in reversed(columns)}
    return (by_name[plain(name)] for name in names if plain(name) in by_name)


def _columns_by_field(columns: list[SampledColumn], fields: dict[str, list[str]]) -> dict[str, SampledColumn]:
    found = {field: next(_matching(columns, names), None) for field, names in fields.items()}
    return {field: column for field, column in found.items() if column is not None}


def _is_dated(table: str, name: str) -> bool:
    return fillable(SHAPES[table])[name].python in (datetime, date)


def _collect_dates(table: str, by_field: dict[str, SampledColumn], begins: SampledColumn | None) -> None:
    """Make the columns of date fields collect what their values prove."""
    for column in (*(column for name, column in by_field.items() if _is_dated(table, name)), begins):
        if column is not None:
            column.dates = DateColumn()


def _read(source: SourceFile, columns: list[SampledColumn], progress: Progress) -> int:
    """Read the sample, and then as many rows as the dates need. Returns the number of rows in the sample."""
    seen: dict[int, set[int]] = {column.place: set() for column in columns}
    rows = 0
    for line, row in read_csv(source):
        if line % _PROGRESS_ROWS == 0:
            progress(source.name, line, source.lines)
        if isinstance(row, UnreadableLine) or len(row) != len(source.header):
            continue
        if rows < SAMPLE_ROWS:
            rows += 1
            for column in columns:
                _count(column, row[column.place].strip(), seen[column.place])
            continue
        undecided = [(column.place, column.dates) for column in columns if column.dates and column.dates.is_open]
        if not undecided:
            break
        for place, dates in undecided:
            if (text := row[place].strip()) and text not in _ERRORS and not is_placeholder(text):
                dates.add(text)
    progress(source.name, source.lines, source.lines)
    return rows


def _count(column: SampledColumn, text: str, seen: set[int]) -> None:
    """Add a cell to its column. `seen` has the hashes of its values: they need less memory than the values."""
    column.rows += 1
    if not text or text in _ERRORS:
        return
    if is_placeholder(text) and not (column.is_name and text.isalpha()):
        column.placeholders[text] += 1
        return
    column.filled += 1
    if column.is_unique:
        key = hash(key_spelling(text))
        column.is_unique = key not in seen
        seen.add(key)
    if text in column.values or len(column.values) < _MOST_DISTINCT:
        column.values[text] += 1
    if column.dates is not None:
        column.dates.add(text)


def _key(columns: list[SampledColumn], names: Iterable[str]) -> SampledColumn | None:
    """The first column that identifies the rows: one with a usual name, one that ends in `id`, any."""
    ids = (column for column in columns if plain(column.name).endswith("id"))
    return next((column for column in (*_matching(columns, names), *ids, *columns) if column.is_key), None)


def _field(table: str, name: str, column: SampledColumn) -> SuggestedField:
    """Check whether a column's values fit the field that its name suggests."""
    shape = fillable(SHAPES[table])[name]
    if not column.filled:
        return SuggestedField(name, column, doubt="it is empty throughout")
    if _is_dated(table, name):
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
    for word, synonyms in _synonyms()["words"].get(name, {}).items():
        known.update({plain(synonym): word for synonym in synonyms})
    words = {value: known[plain(value)] for value in column.values if plain(value) in known}
    others = [value for value, _ in column.values.most_common() if value not in words]
    if len(column.values) > _MOST_WORDS:
        reason = f"it has more than {_MOST_WORDS} different values"
        return SuggestedField(name, column, doubt=reason, vocabulary=tuple(vocabulary))
    return SuggestedField(name, column, words=words, unknown_words=tuple(others), vocabulary=tuple(vocabulary))
