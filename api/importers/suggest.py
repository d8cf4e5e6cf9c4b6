"""A starter preset from a file's header and values: what the values prove is stated, what they do not is asked.

The columns' names lead to fields (`synonyms.toml`), their values decide whether they can be those. Bounded memory: a
sample of the rows, and beyond it only the dates whose order is still open.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from api.errors import AccordError, ErrorCode
from api.importers.cell_values import Parse, parser, written_out
from api.importers.csv_rows import NoRow, read_csv
from api.importers.date_formats import DateColumn
from api.importers.mapping import fillable
from api.importers.source_file import Source, find_source
from api.importers.value_reading import MARKS, Mark
from schema.base import ColumnShape
from schema.tables import SHAPES

SAMPLE_ROWS = 10_000
_MOST_WORDS = 100
_MOST_DISTINCT = 1000
_PROGRESS_ROWS = 5000
TABLES = ("contact", "company", "deal")  # of the same number of signs, the first


@dataclass(slots=True)
class Column:
    """What the sample has in a column."""

    name: str
    place: int
    filled: int = 0
    rows: int = 0
    values: Counter[str] = field(default_factory=Counter)  # the first distinct ones; empty cells are none
    is_unique: bool = True
    dates: DateColumn | None = None

    @property
    def is_key(self) -> bool:
        """Whether it tells the rows of the sample apart."""
        return self.is_unique and self.filled == self.rows > 0

    @property
    def examples(self) -> list[str]:
        """A few of its values."""
        return [value for value, _ in self.values.most_common(3)]


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a column tells: certain, or with what has to be answered first."""

    name: str
    column: Column
    words: dict[str, str] = field(default_factory=dict)
    unknown_words: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    scale: str | None = None
    decimal: Mark | None = None
    is_mark_open: bool = False
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a preset for a file can say."""

    file: str
    table: str
    rows: int
    key: Column | None
    begins: Column | None
    fields: tuple[Field, ...]
    links: dict[str, Column]
    left_over: tuple[Column, ...]
    dates: dict[str, DateColumn]
    is_table_told: bool

    @property
    def questions(self) -> int:
        """How many answers the preset needs before it can be used."""
        open_dates = sum(not each.is_proven for each in self.dates.values())
        asked = sum(bool(each.unknown_words) or each.is_mark_open for each in self.fields)
        return open_dates + asked + (self.key is None) + self.is_outcome_unknown + (not self.is_table_told)

    @property
    def unread(self) -> tuple[str, ...]:
        """The columns whose values are none of the field that their name leads to."""
        return tuple(each.column.name for each in self.fields if each.doubt is not None and each.column.filled)

    @property
    def is_outcome_unknown(self) -> bool:
        """Whether rows are deals of which no column says if they are won."""
        return self.table == "deal" and all(each.name != "outcome" for each in self.fields)


def suggest(path: Path, progress: Callable[[str, int, int], None] | None = None) -> Suggestion:
    """Read a file's header and a sample of its rows, and say what they mean. Errors: BAD_FILE."""
    source = find_source(path.parent, path.name, ())
    names = Counter(source.header)
    columns = [Column(name, place) for place, name in enumerate(source.header) if name and names[name] == 1]
    known = _synonyms()
    table, is_told = _table_of(columns)
    named = _named(columns, known[table]["fields"])
    begins = _first(columns, known[table]["begins"])
    _take_dates(table, named, begins)
    rows = _read(source, columns, progress or (lambda _step, _done, _total: None))
    if not rows:
        message = f"{path} has a header and no row that could be read: nothing can be told from it."
        raise AccordError(ErrorCode.BAD_FILE, message, "Name a file with rows.")
    dates = {each.name: each.dates for each in columns if each.dates is not None and each.filled}
    fields = tuple(_field(table, name, column) for name, column in named.items())
    links = {name: column for name, column in _named(columns, known[table]["links"]).items() if column.filled}
    taken = {each.column.name for each in fields} | {each.name for each in links.values()} | set(dates)
    key = _key(columns, known[table]["key"])
    left = [each for each in columns if each.name not in taken and each is not key]
    started = begins if begins is not None and begins.name in dates else None
    return Suggestion(path.name, table, rows, key, started, fields, links, tuple(left), dates, is_told)


def plain(name: str) -> str:
    """A header without case, blanks and punctuation, and without the `property_` that copies of HubSpot have."""
    return re.sub(r"[\W_]+", "", name.casefold().removeprefix("property_"))


@cache
def _synonyms() -> dict[str, Any]:
    return tomllib.loads(files("api.importers").joinpath("synonyms.toml").read_text("utf-8"))


def _table_of(columns: list[Column]) -> tuple[str, bool]:
    """What a row is, and whether any header says so."""
    there = {plain(each.name) for each in columns}
    signs = {table: len({plain(each) for each in _synonyms()[table]["signs"]} & there) for table in TABLES}
    table = max(TABLES, key=lambda table: signs[table])
    return table, signs[table] > 0


def _first(columns: list[Column], words: Iterable[str]) -> Column | None:
    there = {plain(each.name): each for each in reversed(columns)}
    return next((there[plain(word)] for word in words if plain(word) in there), None)


def _named(columns: list[Column], wanted: dict[str, list[str]]) -> dict[str, Column]:
    found = {name: _first(columns, words) for name, words in wanted.items()}
    return {name: column for name, column in found.items() if column is not None}


def _is_dated(table: str, name: str) -> bool:
    return fillable(SHAPES[table])[name].python in (datetime, date)


def _take_dates(table: str, named: dict[str, Column], begins: Column | None) -> None:
    for column in (*(column for name, column in named.items() if _is_dated(table, name)), begins):
        if column is not None:
            column.dates = DateColumn()


def _read(source: Source, columns: list[Column], progress: Callable[[str, int, int], None]) -> int:
    """Take the sample, and then as many rows as the dates need; how many rows the sample has."""
    seen: dict[int, set[int]] = {each.place: set() for each in columns}
    rows = 0
    for line, row in read_csv(source):
        if line % _PROGRESS_ROWS == 0:
            progress(source.name, line, source.lines)
        if isinstance(row, NoRow) or len(row) != len(source.header):
            continue
        if rows < SAMPLE_ROWS:
            rows += 1
            for column in columns:
                _count(column, row[column.place].strip(), seen[column.place])
            continue
        still_open = [each for each in columns if each.dates is not None and each.dates.is_open]
        if not still_open:
            break
        for column in still_open:
            if (text := row[column.place].strip()) and column.dates is not None:
                column.dates.add(text)
    progress(source.name, source.lines, source.lines)
    return rows


def _count(column: Column, text: str, seen: set[int]) -> None:
    column.rows += 1
    if not text:
        return
    column.filled += 1
    if column.is_unique:
        column.is_unique = hash(text) not in seen
        seen.add(hash(text))
    if text in column.values or len(column.values) < _MOST_DISTINCT:
        column.values[text] += 1
    if column.dates is not None:
        column.dates.add(text)


def _key(columns: list[Column], words: Iterable[str]) -> Column | None:
    there = {plain(each.name): each for each in reversed(columns)}
    ranked = [there[plain(word)] for word in words if plain(word) in there]
    ranked += [each for each in columns if plain(each.name).endswith("id")]
    return next((each for each in (*ranked, *columns) if each.is_key), None)


def _field(table: str, name: str, column: Column) -> Field:
    """Hold a column's values against the field that its name leads to."""
    shape = fillable(SHAPES[table])[name]
    if not column.filled:
        return Field(name, column, doubt="it is empty throughout")
    if _is_dated(table, name):
        return Field(name, column)
    if shape.note.vocab is not None and not shape.is_nullable:
        return _worded(name, column, shape)
    if shape.python in (int, Decimal) and (marked := _marked(name, column, shape)):
        return marked
    wrong = _wrong(shape, column.values)
    if name == "probability" and wrong and not (still_wrong := _wrong(shape, map(_as_share, column.values))):
        return Field(name, column, scale="0.01", doubt=still_wrong)
    return Field(name, column, doubt=wrong)


def _marked(name: str, column: Column, shape: ColumnShape) -> Field | None:
    """A number whose values are not all plain digits with a point: its decimal mark, or the question which it is."""
    point, comma = (_numbers(written_out(parser(shape), *MARKS[mark]), column.values) for mark in MARKS)
    if point is not None and comma is not None:
        return Field(name, column, is_mark_open=True) if point != comma else None
    if comma is not None:
        return Field(name, column, decimal="comma")
    return Field(name, column, decimal="point") if point is not None and _wrong(shape, column.values) else None


def _numbers(parse: Parse, values: Iterable[str]) -> list[object] | None:
    try:
        return [parse(value) for value in values]
    except ValueError:
        return None


def _wrong(shape: ColumnShape, values: Iterable[str]) -> str | None:
    parse = parser(shape)
    for value in values:
        try:
            parse(value)
        except ValueError as error:
            return f"'{value}' {error}"
    return None


def _as_share(percent: str) -> str:
    return f"{float(percent) / 100:.6f}" if re.fullmatch(r"\d{1,3}(\.\d{1,4})?", percent) else percent


def _worded(name: str, column: Column, shape: ColumnShape) -> Field:
    """Map the words of a column that are certain; the others are asked for."""
    ours = [word.value for word in shape.note.vocab or ()]
    known = {plain(word): word for word in ours}
    for word, theirs in _synonyms()["words"].get(name, {}).items():
        known.update({plain(each): word for each in theirs})
    words = {value: known[plain(value)] for value in column.values if plain(value) in known}
    others = [value for value, _ in column.values.most_common() if value not in words]
    if len(column.values) > _MOST_WORDS:
        return Field(name, column, doubt=f"it has more than {_MOST_WORDS} words", vocabulary=tuple(ours))
    return Field(name, column, words=words, unknown_words=tuple(others), vocabulary=tuple(ours))
