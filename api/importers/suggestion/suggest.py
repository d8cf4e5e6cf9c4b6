"""Suggests a preset for a file from its header and values. What they do not decide becomes a question to the user.

The columns' names suggest fields (`synonyms.toml`); a field is kept if the values fit it. Reads a sample of the rows,
and beyond it only dates whose order of day and month is still open, so memory is bounded.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from api.errors import AccordError, ErrorCode
from api.importers.cell_values import key_spelling
from api.importers.csv_rows import UnreadableLine, read_csv
from api.importers.date_formats import DateColumn
from api.importers.exports.shipped import ShippedPreset, find_shipped_preset
from api.importers.fields import fillable, is_name
from api.importers.layout.file_layout import DETECTED, FileLayout
from api.importers.layout.workbook import SheetCopies
from api.importers.source_file import SourceFile, detect_file
from api.importers.suggestion.fields import SampledColumn, SuggestedField, check_field, is_dated, plain, synonyms
from api.importers.suggestion.keys import (
    AddressSpellings,
    doubtful_keys,
    identity_column,
    is_address_column,
    is_identity,
)
from api.progress import Progress, no_progress
from schema.placeholders import empty_cells, is_placeholder
from schema.tables import SHAPES

SAMPLE_ROWS = 10_000
_MOST_DISTINCT = 1000
_PROGRESS_ROWS = 5000
_CURRENCY_NAMES = ("{} Currency", "Currency of {}", "{} Währung", "Devise {}", "Moneda {}", "Moeda {}")
_ERRORS = empty_cells()  # what an import always reads as empty
TABLES = ("contact", "company", "deal")  # of two with as many signs in the header, the first is suggested


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The content of a suggested preset.

    `left_over` are columns that no field is known for; `empty` the placeholders for empty cells, with their columns.
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
    empty: dict[str, tuple[str, ...]] = field(default_factory=dict)
    layout: FileLayout = DETECTED
    shipped: ShippedPreset | None = None
    lost_at: SampledColumn | None = None
    no_keys: tuple[tuple[SampledColumn, str], ...] = ()

    @property
    def questions(self) -> int:
        """How many questions have to be answered before the preset can be used."""
        dates = sum(not column.is_proven for column in self.dates.values())
        fields = sum(bool(field.unknown_words or field.is_mark_open or field.separators) for field in self.fields)
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
    known = synonyms()
    table, is_certain = _table_of(columns)
    by_field = _columns_by_field(columns, known[table]["fields"])
    by_field |= _currencies_beside(table, by_field, columns)
    begins = next(_matching(columns, known[table]["begins"]), None)
    lost_at = next(_matching(columns, known[table].get("lost_at", ())), None) if "closed_at" in by_field else None
    _collect_dates(table, by_field, begins, lost_at)
    for name, column in by_field.items():
        column.is_name = is_name(fillable(SHAPES[table])[name])
    address = by_field.get("email")
    if address is not None:
        address.spellings = AddressSpellings()
    rows = _read(source, columns, progress)
    if not rows:
        message = f"{path} has a header, but no row that can be read."
        raise AccordError(ErrorCode.BAD_FILE, message, "Name a file with rows.")
    dates = {column.name: column.dates for column in columns if column.dates is not None and column.filled}
    fields = tuple(check_field(table, name, column) for name, column in by_field.items())
    by_link = _columns_by_field(columns, known[table]["links"])
    links = {name: column for name, column in by_link.items() if column.filled}
    taken = {field.column.name for field in fields} | {column.name for column in links.values()} | set(dates)
    key = _key(columns, table, by_field)
    left = [column for column in columns if column.name not in taken and column is not key]
    used = [column for column in columns if column.name in taken or column is key]
    empty = {
        text: tuple(column.name for column in used if text in column.placeholders)
        for text in dict.fromkeys(text for column in used for text in column.placeholders)
    }
    started = begins if begins is not None and begins.name in dates else None
    shipped = find_shipped_preset(source.header)
    lost_at = lost_at if lost_at is not None and lost_at.name in dates else None
    return Suggestion(
        *(path.name, table, rows, key, started, fields, links, tuple(left), dates, is_certain, empty),
        layout=source.layout,
        shipped=shipped,
        lost_at=lost_at,
        no_keys=tuple(doubtful_keys((column for column in columns if column is not key), table)),
    )


def _table_of(columns: list[SampledColumn]) -> tuple[str, bool]:
    """The table whose signs the header has most of, and whether it has any."""
    headers = {plain(column.name) for column in columns}
    signs = {table: len({plain(sign) for sign in synonyms()[table]["signs"]} & headers) for table in TABLES}
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


def _collect_dates(table: str, by_field: dict[str, SampledColumn], *others: SampledColumn | None) -> None:
    """Make the columns of date fields, and other columns of dates, collect what their values prove."""
    for column in (*(column for name, column in by_field.items() if is_dated(table, name)), *others):
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
    if column.spellings is not None:
        column.spellings.add(text)


def _key(columns: list[SampledColumn], table: str, by_field: dict[str, SampledColumn]) -> SampledColumn | None:
    """The column that identifies the rows: one with a usual name, one that is an id by its name, else an address."""
    address = by_field.get("email")
    # Two people, or two companies, may have the same name.
    no_ids = [column for column in (by_field.get("name"), address) if column is not None]
    usual = _matching(columns, synonyms()[table]["key"])
    ids = (column for column in columns if is_identity(column.name, table))
    found = identity_column(column for column in (*usual, *ids) if column not in no_ids)
    if found is None and address is not None and is_address_column(address):
        return address
    return found
