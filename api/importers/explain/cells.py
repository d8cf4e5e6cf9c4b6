"""Explains how the cells of a row were read: format, words, placeholders, conditions."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from api.importers.explain.explanation import CellExplanation, CellUse
from api.importers.explain.row_watch import RowWatch
from api.importers.plan import StagedFile
from api.importers.row_values import StagedColumn
from api.importers.source_file import SourceFile
from api.importers.value_reading import ValueReading
from schema.date_forms import has_zone
from schema.vocab import EmailKind

_NOT_READ = "not read"


def explain_cells(watch: RowWatch, file: StagedFile, source: SourceFile, zone: str) -> tuple[CellExplanation, ...]:
    """Return every cell of the watched row with the ways in which it was read."""
    if not isinstance(watch.row, list) or len(watch.row) != len(source.header):
        return ()
    explained = []
    for column, text in zip(source.header, watch.row, strict=True):
        uses = [
            _use(watch, place, staged, text.strip(), zone)
            for place, staged in enumerate(file.columns)
            if column in (staged.column, *staged.others) and not staged.is_test
        ]
        explained.append(CellExplanation(column, text, _distinct(uses)))
    return tuple(explained)


def describe_conditions(when: Mapping[str, Collection[str]], unless: Mapping[str, Collection[str]]) -> str:
    """Return conditions in words: `type is 'CALL' or 'MEETING'; not where email is empty`."""
    wanted = [f"{column} is {_any_of(texts)}" for column, texts in when.items()]
    return "; ".join((*wanted, *(f"not where {column} is {_any_of(texts)}" for column, texts in unless.items())))


def _any_of(texts: Collection[str]) -> str:
    return " or ".join(f"'{text}'" if text else "empty" for text in sorted(texts))


def _distinct(uses: Sequence[CellUse]) -> tuple[CellUse, ...]:
    """The uses with different results; those that do not apply to the row only if no other does."""
    applying = [use for use in uses if not use.problem.startswith(_NOT_READ)]
    return tuple({(repr(use.value), use.problem): use for use in reversed(applying or uses)}.values())[::-1]


def _use(watch: RowWatch, place: int, staged: StagedColumn, text: str, zone: str) -> CellUse:
    problem = watch.wrong.get(place, "")
    value = watch.values.get(place)
    how = _how(staged, value, text, zone)
    if not problem and value is None and text:
        reading = staged.reading
        if reading is not None and text in reading.unknown:
            problem = "the preset states that it means no value"
        elif text in staged.empty:
            problem = "it stands for an empty cell"
        elif staged.condition is not None:
            when, unless = dict(staged.condition.when), dict(staged.condition.unless)
            problem = f"{_NOT_READ}, or no value: it is read only where {describe_conditions(when, unless)}"
        else:
            problem = "it means no value"
    return CellUse(how, value, problem)


def _how(staged: StagedColumn, value: object, text: str, zone: str) -> str:
    """How a staged column is read, for its value in this row."""
    reading = staged.reading
    together = f" together with {', '.join(staged.others)}" if staged.others else ""
    if reading is None:
        return f"as a key{together}"
    parts = []
    if reading.words and text in reading.words:
        parts.append(f"the preset's word for {reading.words[text]}")
    elif reading.contains and value is not None:
        parts.append("the preset's words that it contains")
    elif isinstance(value, datetime | date) or (staged.forms and value is None):
        parts.append(f"as a date ({' or '.join(staged.forms)}{_in_zone(staged, zone)})")
    elif isinstance(value, EmailKind):
        parts.append("as the kind of a mailbox")
    elif reading.is_number:
        parts.append(_number(reading))
    else:
        parts.append({"BOOLEAN": "as true or false", "INTEGER": "as a whole number"}.get(staged.sql_type, "as it is"))
    if reading.prefix:
        parts.append(f"with '{reading.prefix}' before it")
    return ", ".join(parts) + together


def _in_zone(staged: StagedColumn, zone: str) -> str:
    return "" if all(has_zone(form) for form in staged.forms) or staged.sql_type == "DATE" else f", {zone}"


def _number(reading: ValueReading) -> str:
    mark = f" with a decimal {reading.decimal}" if reading.decimal else ""
    scale = f", times {reading.scale}" if reading.scale is not None else ""
    plus = f", plus {reading.plus}" if reading.plus else ""
    return f"as a number{mark}{scale}{plus}"
