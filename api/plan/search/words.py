"""Full-text search: the rows in which every given word begins some word of the searched columns."""

from collections.abc import Iterable

from api.access.scoped_tables import ScopedTables, qualified
from api.sql import Parameter, Sql, converted, name
from schema.search.words import names_among, words_of
from schema.tables import SHAPES

Words = tuple[str, ...]


def matches_by_index(tables: ScopedTables, table: str, alias: str, words: Words | Parameter) -> Sql:
    """Return the condition that a row of a whole table matches, evaluated through the search index.

    Shapes: words -> `id in (subquery)`; the subquery runs once per statement.
    Errors: KeyError for an unknown table.
    """
    # `offset 0` keeps PostgreSQL from flattening the subquery. It cannot estimate how rare the words are, and would
    # otherwise scan the table in the requested order until a page is full. The cost: all matches are read for one page.
    found = tables.new_alias()
    # The list decides about merged records, the index finds them all.
    matching = tables.from_clause(table, found, has_words(table, found, words), with_merged=True)
    return Sql("{} in (select {}{} offset 0)", qualified(alias, "id"), qualified(found, "id"), matching)


def has_words(table: str, alias: str, words: Words | Parameter) -> Sql:
    """Return the condition that every word begins some word of a row's searched columns.

    Errors: KeyError for an unknown table.
    """
    return matches(SHAPES[table].searched, alias, prefixes(words))


def searched_names(table: str) -> tuple[str, ...]:
    """Return the searched columns of a table that name a record. Errors: KeyError for an unknown table."""
    shape = SHAPES[table]
    return names_among({column: shape.column(column).note.format for column in shape.searched})


def prefixes(words: Words | Parameter) -> Sql:
    """Return the query for texts in which every word begins some word."""
    return Sql("to_tsquery('simple', {})", converted(words, _prefix_query))


def whole_words(words: Words | Parameter) -> Sql:
    """Return the query for texts that contain every word."""
    return Sql("to_tsquery('simple', {})", converted(words, _word_query))


def matches(columns: Iterable[str], alias: str, query: Sql) -> Sql:
    """Return the condition that columns of a row match a query."""
    return Sql(f"{words_of(columns, f'{name(alias)}.')} @@ {{}}", query)


def _prefix_query(words: Iterable[str]) -> str:
    """Return PostgreSQL's tsquery text. The caller has split the words, so none contains a quote or a backslash."""
    return " & ".join(f"'{word}':*" for word in words)


def _word_query(words: Iterable[str]) -> str:
    return " & ".join(f"'{word}'" for word in words)
