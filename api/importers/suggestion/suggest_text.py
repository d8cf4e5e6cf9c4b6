"""Writes a suggestion as the text of a preset: valid TOML, with every question above the line that answers it."""

import json
import re
from collections.abc import Iterator

from api.accord.documents import built_in_accords
from api.importers.date_formats import DateColumn
from api.importers.suggestion.fields import SampledColumn, SuggestedField
from api.importers.suggestion.suggest import TABLES, Suggestion

_SHOWN = 60
_LONGEST_REASON = 200
_MOST_NO_KEYS = 5
_COMMENTED_LINES = "Remove the # from the line that is right"


def preset_text(suggestion: Suggestion) -> str:
    """Return the text of a suggested preset."""
    parts = (_head, _dates, _main_record, _linked, _left_over)
    return "\n".join(line for part in parts for line in part(suggestion)) + "\n"


def _head(suggestion: Suggestion) -> Iterator[str]:
    yield f"# What the rows of {_remark(suggestion.file)} mean, suggested from its header and {suggestion.rows:,} rows."
    if suggestion.questions:
        yield f"# {suggestion.questions} question{'s' * (suggestion.questions > 1)} to answer first: look for QUESTION."
    if suggestion.shipped is not None:
        yield f"# {suggestion.shipped.advice(_remark(suggestion.file))}"
    yield f"# Then: accord import csv {_remark(suggestion.file)} --preset THIS_FILE --dry-run"
    yield f"title = {_text(suggestion.file)}"
    yield "# The system whose keys these are: the same name for all files of one system, and for next month's export."
    yield "# Name it here or with --source NAME; files with the same columns are then known to be from it."
    yield '# source = "our_crm"'
    yield f"# The accord to adopt if the database has none yet: {', '.join(built_in_accords())}, or a TOML file."
    yield 'accord = "standard"'
    yield "# The time zone of dates without an offset."
    yield 'zone = "UTC"'
    if suggestion.empty:
        yield "# Cells that stand for an empty one. Names keep those that are a mere word, such as None."
        for text, columns in suggestion.empty.items():
            yield f"#   '{_remark(text)}' in {_remark(', '.join(columns))}"
        yield f"empty = [{', '.join(_text(text) for text in suggestion.empty)}]"
    yield ""
    yield "[[files]]"
    yield f"name = {_text(suggestion.file)}"
    if suggestion.layout.sheet is not None:
        yield f"sheet = {_text(suggestion.layout.sheet)}"
    if suggestion.layout.header_line is not None:
        yield f"header_line = {suggestion.layout.header_line}"
    yield from _row_key(suggestion)


def _row_key(suggestion: Suggestion) -> Iterator[str]:
    key = suggestion.key
    if key is None:
        yield "# QUESTION: which column identifies a row? None is an identity by name, such as Id or Record ID."
        yield '# key = "…"'
    elif key.spellings is None:
        yield f"# Filled, and different, in all {suggestion.rows:,} rows that were read."
        yield f"key = {_text(key.name)}"
    else:
        if suggestion.is_key_open:
            yield "# QUESTION: is one e-mail address one person here? Else write the column that identifies a row."
        if key.spellings.repeated:
            repeated, example = key.spellings.repeated, _remark(key.spellings.example)
            yield f"# Rows that repeat an address, capitals and blanks aside: {repeated:,}, such as '{example}'."
            yield "# The first row of an address is taken, and the others are rejected."
        if key.filled < key.rows:
            yield f"# Rows without an address, which are rejected: {key.rows - key.filled:,}."
        yield f"key = {_text(key.name)}"
    # Beside an identity, nobody looks for another key.
    shown = suggestion.no_keys if key is None or key.spellings is not None else ()
    for column, reason in shown[:_MOST_NO_KEYS]:
        yield f"# Not the key: {_remark(column.name)}; {_remark(reason, _LONGEST_REASON)}."


def _dates(suggestion: Suggestion) -> Iterator[str]:
    if suggestion.dates:
        yield ""
        yield "[files.dates]"
    for name, column in suggestion.dates.items():
        choices = list(column.choices())
        if column.not_date_count:
            shown = ", ".join(f"'{_remark(value)}'" for value in column.not_dates)
            yield f"# {column.not_date_count:,} values are not dates and cannot be read: {shown}"
        if column.is_proven:
            proof = f"  # proven by {_remark(column.proof)}" if column.proof else ""
            yield f"{_key(name)} = {_forms(choices[0])}{proof}"
            continue
        yield from _date_question(name, column)
        for forms in choices:
            yield f"# {_key(name)} = {_forms(forms)}"


def _date_question(name: str, column: DateColumn) -> Iterator[str]:
    if column.example.isdecimal():
        yield f"# QUESTION: how is {column.example} to be read? None of {column.values:,} values decides it."
        yield "# Remove the # from the line that is right (epoch-ms: milliseconds since 1970):"
        return
    if column.is_contradictory:
        yield f"# QUESTION: the dates of {_remark(name)} prove two different orders. Which one is right?"
    elif column.example:
        yield f"# QUESTION: which is the day in {_remark(column.example)}? None of {column.values:,} values decides it."
    else:
        yield f"# QUESTION: no value of {_remark(name)} is in a date format that Accord detects. What is its format?"
        yield f'# {_key(name)} = "%Y-%m-%d"'
        return
    yield f"# {_COMMENTED_LINES} (%d day, %m month, %Y year):"


def _main_record(suggestion: Suggestion) -> Iterator[str]:
    yield ""
    yield "[[files.records]]"
    yield from _table(suggestion)
    if suggestion.begins is not None:
        yield f"begins = {_text(suggestion.begins.name)}  # the record existed by then; its values are assumed since"
    yield "[files.records.fields]"
    for field in suggestion.fields:
        if field.name != "closed_at":
            yield from _field(field)
    for name, column in suggestion.links.items():
        yield f"{name} = {_text(column.name)}"
    if suggestion.is_outcome_unknown:
        yield "# QUESTION: which column shows whether a deal is open, won or lost? Write its name and its words."
        yield 'outcome = { column = "THE COLUMN THAT SAYS WON OR LOST", words = { "Closed Won" = "WON" } }'
    for field in suggestion.fields:
        if field.words or field.unknown_words:
            yield from _words(field)
    closed = next((field for field in suggestion.fields if field.name == "closed_at" and field.doubt is None), None)
    if closed is not None:
        yield ""
        yield "# The date at which a deal was won or lost; an open deal has none."
        if suggestion.lost_at is not None:
            for column, outcome in ((closed.column, "WON"), (suggestion.lost_at, "LOST")):
                yield "[[files.records.fields.closed_at]]"
                yield f"column = {_text(column.name)}"
                yield f"given = {{ outcome = {_text(outcome)} }}"
            return
        yield "[files.records.fields.closed_at]"
        yield f"column = {_text(closed.column.name)}"
        yield 'given = { outcome = ["WON", "LOST"] }'
        yield "required = true"


def _table(suggestion: Suggestion) -> Iterator[str]:
    if suggestion.is_table_certain:
        yield f"table = {_text(suggestion.table)}"
        return
    yield f"# QUESTION: what is a row? No header shows it; the fields below are those of a {suggestion.table}."
    yield f"# {_COMMENTED_LINES}. It may also be a product, a member, a touchpoint …"
    for table in TABLES:
        yield f"# table = {_text(table)}"


def _field(field: SuggestedField) -> Iterator[str]:
    column = _text(field.column.name)
    if field.misfits:
        count = f"{field.misfit_count:,} value{'s' * (field.misfit_count > 1)}"
        yield f"# {count} cannot be read: {'; '.join(map(_remark, field.misfits))}"
    if field.doubt is not None:
        yield f"# Left out, because {_remark(field.doubt)}."
        yield f"# {field.name} = {column}"
    elif field.words or field.unknown_words:
        return
    elif field.is_mark_open:
        example = _remark(next(value for value in field.column.values if "." in value or "," in value))
        yield f"# QUESTION: is the decimal mark the point or the comma? {example} fits both. Write which it is."
        yield f'{field.name} = {{ column = {column}, decimal = "POINT OR COMMA" }}'
    elif field.separators:
        yield f"# QUESTION: cells such as '{_remark(field.several)}' hold several values, and are left out. Which one"
        yield "# is right? To take the first one, write instead:"
        yield f"# {field.name} = {{ column = {column}, first_of = {_forms(field.separators)} }}"
        yield f"{field.name} = {column}"
    elif field.decimal is not None:
        yield f"{field.name} = {{ column = {column}, decimal = {_text(field.decimal)} }}"
    elif field.scale is not None:
        yield f'{field.name} = {{ column = {column}, scale = "{field.scale}" }}  # percent'
    else:
        yield f"{field.name} = {column}"


def _words(field: SuggestedField) -> Iterator[str]:
    yield ""
    yield f"[files.records.fields.{field.name}]"
    yield f"column = {_text(field.column.name)}"
    yield f"[files.records.fields.{field.name}.words]"
    for theirs, ours in field.words.items():
        yield f"{_key(theirs)} = {_text(ours)}"
    if field.unknown_words:
        yield f"# QUESTION: which of these is {', '.join(field.vocabulary)}? Their rows are rejected until then."
    for theirs in field.unknown_words:
        yield f'# {_key(theirs)} = ""'


def _linked(suggestion: Suggestion) -> Iterator[str]:
    tables = {"company": "company", "owner": "member"}
    for name, column in suggestion.links.items():
        yield ""
        yield f"# The file has only the name of a {tables[name]}, so the name is its key."
        yield "[[files.records]]"
        yield f"table = {_text(tables[name])}"
        yield f"key = {_text(column.name)}"
        yield "optional = true"
        yield f"fields = {{ name = {_text(column.name)} }}"


def _left_over(suggestion: Suggestion) -> Iterator[str]:
    if suggestion.table == "contact" and all(field.name != "email" for field in suggestion.fields):
        for column in suggestion.left_over:
            if any("@" in value for value in column.values):
                yield ""
                yield f"# No e-mail address is read. {_remark(column.name)} holds some inside of longer texts:"
                yield "# export it with one address in a cell, and read it as `email`."
    if suggestion.left_over:
        yield ""
        yield "# Columns that match no field, with some of their values:"
    for column in suggestion.left_over:
        yield f"#   {_remark(column.name)}: {_examples(column)}"


def _examples(column: SampledColumn) -> str:
    return ", ".join(f"'{_remark(value)}'" for value in column.examples) or "empty throughout"


def _text(value: str) -> str:
    """A TOML string. JSON's is one too, except that TOML forbids the DEL character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _forms(forms: tuple[str, ...]) -> str:
    written = [_text(form) for form in forms]
    return written[0] if len(written) == 1 else f"[{', '.join(written)}]"


def _remark(text: str, longest: int = _SHOWN) -> str:
    """Text for a comment: on one line, and cut if it is long."""
    shown = re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+", " ", text)
    return shown if len(shown) <= longest else f"{shown[:longest]}…"
