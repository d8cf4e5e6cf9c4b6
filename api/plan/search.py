"""Search: the rows of which every word that was asked begins some word, through the index that keeps the words."""

from collections.abc import Iterable

from api.access.scoped_tables import ScopedTables, of
from api.sql import Slot, Sql, name, through
from schema.search import words_of
from schema.tables import SHAPES

Words = tuple[str, ...]


def found_in_index(visits: ScopedTables, table: str, alias: str, words: Words | Slot) -> Sql:
    """The rows of a whole table that are found. What is found is read first: PostgreSQL, which cannot know how rare
    the words are, would else walk the table in the asked order until a page is full.
    """
    found = visits.alias()
    source = visits.source(table, found, has_words(table, found, words))
    return Sql("{} in (select {}{} offset 0)", of(alias, "id"), of(found, "id"), source)


def has_words(table: str, alias: str, words: Words | Slot) -> Sql:
    """Whether every word begins some word of a row's searched columns."""
    text = words_of(SHAPES[table].searched, f"{name(alias)}.")
    return Sql(f"{text} @@ to_tsquery('simple', {{}})", through(words, _prefixes))


def _prefixes(words: Iterable[str]) -> str:
    """The query in PostgreSQL's own language; a word has neither quotes nor backslashes in it."""
    return " & ".join(f"'{word}':*" for word in words)
