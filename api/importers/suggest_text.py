"""A suggestion as the text of a preset: valid TOML, with every question beside the line that answers it."""

import json
import re
from collections.abc import Iterator

from api.accord.documents import built_in_accords
from api.importers.date_formats import DateColumn
from api.importers.suggest import TABLES, Column, Field, Suggestion

_SHOWN = 60


def preset_text(made: Suggestion) -> str:
    """Write a suggestion down."""
    return "\n".join((*_head(made), *_dates(made), *_main_record(made), *_linked(made), *_left_over(made))) + "\n"


def _head(made: Suggestion) -> Iterator[str]:
    yield f"# What the rows of {_remark(made.file)} mean, as far as its header and {made.rows:,} rows tell."
    if made.questions:
        yield f"# {made.questions} question{'s' * (made.questions > 1)} to answer first: look for QUESTION."
    yield f"# Then: accord import csv {_remark(made.file)} --preset THIS_FILE --dry-run"
    yield f"title = {_text(made.file)}"
    yield "# Whose keys these are. The same name for all files of one system; another system's keys are others."
    yield f"source = {_text(_source(made.file))}"
    yield f"# The stage definitions where the database has none yet: {', '.join(built_in_accords())}, or a TOML file."
    yield 'accord = "standard"'
    yield "# The time zone of dates that do not say theirs."
    yield 'zone = "UTC"'
    yield ""
    yield "[[files]]"
    yield f"name = {_text(made.file)}"
    if made.key is None:
        yield "# QUESTION: which column tells the rows apart? None is filled and different in every row."
        yield '# key = "…"'
    else:
        yield f"# Filled, and different in each of the {made.rows:,} rows that were looked at."
        yield f"key = {_text(made.key.name)}"


def _dates(made: Suggestion) -> Iterator[str]:
    if made.dates:
        yield ""
        yield "[files.dates]"
    for name, column in made.dates.items():
        choices = list(column.choices())
        if column.how_many_strange:
            shown = ", ".join(f"'{_remark(each)}'" for each in column.strangers)
            yield f"# {column.how_many_strange:,} values are no dates, and their rows will be refused: {shown}"
        if column.is_proven:
            proof = f"  # proven by {_remark(column.proof)}" if column.proof else ""
            yield f"{_key(name)} = {_forms(choices[0])}{proof}"
            continue
        yield from _date_question(name, column)
        for forms in choices:
            yield f"# {_key(name)} = {_forms(forms)}"


def _date_question(name: str, column: DateColumn) -> Iterator[str]:
    if column.is_contradictory:
        yield f"# QUESTION: the dates of {_remark(name)} prove one order and the other. Which rows are to be kept?"
    elif column.example:
        yield f"# QUESTION: which is the day in {_remark(column.example)}? None of {column.values:,} values proves it."
    else:
        yield f"# QUESTION: no value of {_remark(name)} is a date that Accord knows. What is their form?"
        yield f'# {_key(name)} = "%Y-%m-%d"'
        return
    yield "# Take the # from the line that is right (%d day, %m month, %Y year):"


def _main_record(made: Suggestion) -> Iterator[str]:
    yield ""
    yield "[[files.records]]"
    yield from _table(made)
    if made.begins is not None:
        yield f"begins = {_text(made.begins.name)}  # it existed then; its values are assumed since"
    yield "[files.records.fields]"
    for each in made.fields:
        if each.name == "closed_at":
            continue
        yield from _field(each)
    for name, column in made.links.items():
        yield f"{name} = {_text(column.name)}"
    if made.is_outcome_unknown:
        yield "# QUESTION: which column says whether a deal is open, won or lost? Write the words that it has."
        yield 'outcome = { column = "THE COLUMN THAT SAYS WON OR LOST", words = { "Closed Won" = "WON" } }'
    for each in made.fields:
        if each.words or each.unknown_words:
            yield from _words(each)
    closed = next((each for each in made.fields if each.name == "closed_at" and each.doubt is None), None)
    if closed is not None:
        yield ""
        yield "# The date at which a deal was won or lost; an open deal has none."
        yield "[files.records.fields.closed_at]"
        yield f"column = {_text(closed.column.name)}"
        yield 'given = { outcome = ["WON", "LOST"] }'
        yield "required = true"


def _table(made: Suggestion) -> Iterator[str]:
    if made.is_table_told:
        yield f"table = {_text(made.table)}"
        return
    yield f"# QUESTION: what is a row? No header tells it; the fields below are those of a {made.table}."
    yield "# Take the # from the line that is right. It may also be a product, a member, a touchpoint …"
    for table in TABLES:
        yield f"# table = {_text(table)}"


def _field(each: Field) -> Iterator[str]:
    column = _text(each.column.name)
    if each.doubt is not None:
        yield f"# Left out, for {_remark(each.doubt)}."
        yield f"# {each.name} = {column}"
    elif each.words or each.unknown_words:
        return
    elif each.is_mark_open:
        example = _remark(next(value for value in each.column.values if "." in value or "," in value))
        yield f"# QUESTION: is the decimal mark the point or the comma? {example} may be read by either. Write which."
        yield f'{each.name} = {{ column = {column}, decimal = "POINT OR COMMA" }}'
    elif each.decimal is not None:
        yield f"{each.name} = {{ column = {column}, decimal = {_text(each.decimal)} }}"
    elif each.scale is not None:
        yield f'{each.name} = {{ column = {column}, scale = "{each.scale}" }}  # percent'
    else:
        yield f"{each.name} = {column}"


def _words(each: Field) -> Iterator[str]:
    yield ""
    yield f"[files.records.fields.{each.name}]"
    yield f"column = {_text(each.column.name)}"
    yield f"[files.records.fields.{each.name}.words]"
    for theirs, ours in each.words.items():
        yield f"{_key(theirs)} = {_text(ours)}"
    if each.unknown_words:
        yield f"# QUESTION: which of these is {', '.join(each.vocabulary)}? Until it is said, their rows are refused."
    for theirs in each.unknown_words:
        yield f'# {_key(theirs)} = ""'


def _linked(made: Suggestion) -> Iterator[str]:
    tables = {"company": "company", "owner": "member"}
    for name, column in made.links.items():
        yield ""
        yield f"# The file knows a {tables[name]} by its name alone, so that is its key."
        yield "[[files.records]]"
        yield f"table = {_text(tables[name])}"
        yield f"key = {_text(column.name)}"
        yield "optional = true"
        yield f"fields = {{ name = {_text(column.name)} }}"


def _left_over(made: Suggestion) -> Iterator[str]:
    if made.left_over:
        yield ""
        yield "# Columns that no field is known for, with some of their values:"
    for column in made.left_over:
        yield f"#   {_remark(column.name)}: {_examples(column)}"


def _examples(column: Column) -> str:
    return ", ".join(f"'{_remark(each)}'" for each in column.examples) or "empty throughout"


def _source(file: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", file.rsplit(".", 1)[0].casefold()).strip("_")
    return (slug if slug[:1].isalpha() else f"csv_{slug}")[:40].strip("_")


def _text(value: str) -> str:
    """A string of TOML: JSON's, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _forms(forms: tuple[str, ...]) -> str:
    written = [_text(each) for each in forms]
    return written[0] if len(written) == 1 else f"[{', '.join(written)}]"


def _remark(text: str) -> str:
    """Text for a comment: on one line, and not too long."""
    shown = re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+", " ", text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
