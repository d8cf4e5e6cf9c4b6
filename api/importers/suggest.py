"""Suggests a preset for a file from its header and values. What they do not decide becomes a question to the user.

The columns' names suggest fields (`synonyms.toml`); a field is kept if the values fit it. Reads a sample of the rows,
and beyond it only dates whose order of day and month is still open, so memory is bounded.
"""

import re
import tomllib
import unicodedata
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
from api.importers.cell_values import Parse, column_parser, grouped_number_parser
from api.importers.csv_rows import UnreadableLine, read_csv
from api.importers.date_formats import DateColumn
from api.importers.exports.shipped import ShippedPreset, find_shipped_preset
from api.importers.layout.file_layout import DETECTED, FileLayout
from api.importers.layout.workbook import SheetCopies
from api.importers.mapping import fillable
from api.importers.source_file import SourceFile, detect_file
from api.importers.suggest_key import AddressSpellings, doubtful_keys, identity_column, is_address_column, is_identity
from api.importers.value_reading import MARKS, DecimalMark
from api.progress import Progress, no_progress
from schema.base import ColumnShape
from schema.tables import SHAPES

SAMPLE_ROWS = 10_000
_MOST_WORDS = 100
_MOST_DISTINCT = 1000
_PROGRESS_ROWS = 5000
_CURRENCY_NAMES = ("{} Currency", "Currency of {}", "{} Währung", "Devise {}", "Moneda {}", "Moeda {}")
TABLES = ("contact", "company", "deal")  # of two with as many signs in the header, the first is suggested


@dataclass(slots=True)
class SampledColumn:
    """A column of the file, and what the sample holds in it."""

    name: str
    place: int
    filled: int = 0
    rows: int = 0
    values: Counter[str] = field(default_factory=Counter)  # the first distinct ones, without empty cells
    is_unique: bool = True
    dates: DateColumn | None = None
    spellings: AddressSpellings | None = None  # of a column of e-mail addresses

    @property
    def examples(self) -> list[str]:
        """A few of its values."""
        return [value for value, _ in self.values.most_common(3)]


@dataclass(frozen=True, slots=True)
class SuggestedField:
    """A field that a column fills, and the questions about it. A field with a `doubt` is left out, for that reason."""

    name: str
    column: SampledColumn
    words: dict[str, str] = field(default_factory=dict)
    unknown_words: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    scale: str | None = None
    decimal: DecimalMark | None = None
    is_mark_open: bool = False
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The content of a suggested preset. `left_over` are columns that no field is known for.

    `no_keys` are columns that seem to identify the rows and are not taken, with the reason.
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
    layout: FileLayout = DETECTED
    shipped: ShippedPreset | None = None
    lost_at: SampledColumn | None = None
    no_keys: tuple[tuple[SampledColumn, str], ...] = ()

    @property
    def questions(self) -> int:
        """How many questions have to be answered before the preset can be used."""
        dates = sum(not column.is_proven for column in self.dates.values())
        fields = sum(bool(field.unknown_words) or field.is_mark_open for field in self.fields)
        return dates + fields + self.is_key_open + self.is_outcome_unknown + (not self.is_table_certain)

    @property
    def is_key_open(self) -> bool:
        """Whether a question about the key is left: there is none, or it is an address that repeats or is missing."""
        key = self.key
        return key is None or (key.spellings is not None and (key.spellings.repeated > 0 or key.filled < key.rows))

    @property
    def unread(self) -> tuple[str, ...]:
        """The columns whose values do not fit the field that their name suggests."""
        doubtful = (field.column for field in self.fields if field.doubt is not None)
        return tuple(column.name for column in doubtful if column.filled)

    @property
    def is_outcome_unknown(self) -> bool:
        """Whether the rows are deals, and no column shows whether they are won."""
        return self.table == "deal" and all(field.name != "outcome" for field in self.fields)


def suggest(path: Path, progress: Progress = no_progress, layout: FileLayout = DETECTED) -> Suggestion:
    """Suggest a preset from a file's header and a sample of its rows; `layout` is what is stated about the file.

    Errors: BAD_FILE.
    """
    with SheetCopies() as copies:
        return _suggest(path, detect_file(path.parent, path.name, (), layout=layout, copies=copies), progress)


def _suggest(path: Path, source: SourceFile, progress: Progress) -> Suggestion:
    names = Counter(source.header)
    columns = [SampledColumn(name, place) for place, name in enumerate(source.header) if name and names[name] == 1]
    known = _synonyms()
    table, is_certain = _table_of(columns)
    by_field = _columns_by_field(columns, known[table]["fields"])
    by_field |= _currencies_beside(table, by_field, columns)
    begins = next(_matching(columns, known[table]["begins"]), None)
    lost_at = next(_matching(columns, known[table].get("lost_at", ())), None) if "closed_at" in by_field else None
    _collect_dates(table, by_field, begins, lost_at)
    address = by_field.get("email")
    if address is not None:
        address.spellings = AddressSpellings()
    rows = _read(source, columns, progress)
    if not rows:
        message = f"{path} has a header, but no row that can be read."
        raise AccordError(ErrorCode.BAD_FILE, message, "Name a file with rows.")
    dates = {column.name: column.dates for column in columns if column.dates is not None and column.filled}
    fields = tuple(_field(table, name, column) for name, column in by_field.items())
    by_link = _columns_by_field(columns, known[table]["links"])
    links = {name: column for name, column in by_link.items() if column.filled}
    taken = {field.column.name for field in fields} | {column.name for column in links.values()} | set(dates)
    key = _key(columns, table, by_field)
    left = [column for column in columns if column.name not in taken and column is not key]
    started = begins if begins is not None and begins.name in dates else None
    shipped = find_shipped_preset(source.header)
    lost_at = lost_at if lost_at is not None and lost_at.name in dates else None
    return Suggestion(
        *(path.name, table, rows, key, started, fields, links, tuple(left), dates, is_certain),
        layout=source.layout,
        shipped=shipped,
        lost_at=lost_at,
        no_keys=tuple(doubtful_keys((column for column in columns if column is not key), table)),
    )


def plain(name: str) -> str:
    """Reduce a header to what is compared: no case, accents, blanks, punctuation, nor HubSpot's `property_`."""
    return re.sub(r"[\W_]+", "", _without_accents(name.casefold().removeprefix("property_")))


def _without_accents(text: str) -> str:
    return "".join(
        character for character in unicodedata.normalize("NFKD", text) if not unicodedata.combining(character)
    )


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


def _currencies_beside(
    table: str, by_field: dict[str, SampledColumn], columns: list[SampledColumn]
) -> dict[str, SampledColumn]:
    """The columns with the currency of an amount, named after the amount's column: they belong to no other amount."""
    found = {}
    for name, column in fillable(SHAPES[table]).items():
        if column.note.currency is not None and name in by_field:
            beside = (form.format(by_field[name].name) for form in _CURRENCY_NAMES)
            if currency := next(_matching(columns, beside), None):
                found[column.note.currency] = currency
    return found


def _is_dated(table: str, name: str) -> bool:
    return fillable(SHAPES[table])[name].python in (datetime, date)


def _collect_dates(table: str, by_field: dict[str, SampledColumn], *others: SampledColumn | None) -> None:
    """Make the columns of date fields, and other columns of dates, collect what their values prove."""
    for column in (*(column for name, column in by_field.items() if _is_dated(table, name)), *others):
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
            if text := row[place].strip():
                dates.add(text)
    progress(source.name, source.lines, source.lines)
    return rows


def _count(column: SampledColumn, text: str, seen: set[int]) -> None:
    """Add a cell to its column. `seen` has the hashes of its values: they need less memory than the values."""
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
    if column.spellings is not None:
        column.spellings.add(text)


def _key(columns: list[SampledColumn], table: str, by_field: dict[str, SampledColumn]) -> SampledColumn | None:
    """The column that identifies the rows: one with a usual name, one that is an id by its name, else an address."""
    address = by_field.get("email")
    # Two people, or two companies, may have the same name.
    no_ids = [column for column in (by_field.get("name"), address) if column is not None]
    usual = _matching(columns, _synonyms()[table]["key"])
    ids = (column for column in columns if is_identity(column.name, table))
    found = identity_column(column for column in (*usual, *ids) if column not in no_ids)
    if found is None and address is not None and is_address_column(address):
        return address
    return found


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
    misfit = _first_misfit(shape, column.values)
    if name == "probability" and misfit and _first_misfit(shape, map(_as_share, column.values)) is None:
        return SuggestedField(name, column, scale="0.01")
    return SuggestedField(name, column, doubt=misfit)


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
    for value in values:
        try:
            parse(value)
        except ValueError as error:
            return f"'{value}' {error}"
    return None


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
