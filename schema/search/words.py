"""Full-text search: how text is split into words, for the index and for the queries that use it.

A word is a run of characters between blanks and punctuation, in lower case: ada.berg@acme-labs.example has five words.
"""

from collections.abc import Iterable, Mapping

# These are replaced by blanks first: PostgreSQL's parser would keep e-mail addresses and signed numbers whole and drop
# tags, and in the C locale it takes every character outside ASCII for a letter.
SEPARATORS = "@._-/+&<>~\u2019\u2013\u2014"


def names_among(formats: Mapping[str, object]) -> tuple[str, ...]:
    """Return the searched columns that name a record: those without a format, such as an address has.

    Shapes: the formats of the searched columns, by name of the column -> names of columns.
    """
    return tuple(column for column, format_ in formats.items() if format_ is None)


def words_of(columns: Iterable[str], row: str = "") -> str:
    """Return the SQL expression for the words of several columns.

    It is immutable, as an index requires; `concat_ws` is not.
    """
    first, *others = (f"coalesce({row}{column}, '')" for column in columns)
    joined, inner = first, first
    for column in others:  # bracketed as PostgreSQL prints it, so that the catalogue comparison finds the same text
        joined = f"({inner} || ' ') || {column}"
        inner = f"({joined})"
    return f"to_tsvector('simple', translate({joined}, '{SEPARATORS}', '{' ' * len(SEPARATORS)}'))"
