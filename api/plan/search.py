"""Full-text search: the rows in which every given word begins some word of the searched columns."""

from collections.abc import Iterable

from api.access.scoped_tables import ScopedTables, qualified
from api.sql import Parameter, Sql, converted, name
from schema.search import words_of
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
    matching = tables.from_clause(table, found, has_words(table, found, words))
    return Sql("{} in (select {}{} offset 0)", qualified(alias, "id"), qualified(found, "id"), matching)


def has_words(table: str, alias: str, words: Words | Parameter) -> Sql:
    """Return the condition that every word begins some word of a row's searched columns.

    Errors: KeyError for an unknown table.
    """
    text = words_of(SHAPES[table].searched, f"{name(alias)}.")
    return Sql(f"{text} @@ to_tsquery('simple', {{}})", converted(words, _prefix_query))


def _prefix_query(words: Iterable[str]) -> str:
    """Return PostgreSQL's tsquery text. The caller has split the words, so none contains a quote or a backslash."""
    return " & ".join(f"'{word}':*" for word in words)
