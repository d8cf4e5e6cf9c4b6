"""The indexes that searches use."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from schema.search.words import names_among, words_of


def add_search_indexes(table: sa.Table, formats: Mapping[str, object], *, has_names: bool = True) -> None:
    """Declare the index for searches in all searched columns, and one for searches in names alone, which rank first.

    If all searched columns are names, one index serves both.

    Shapes: table, the formats of its searched columns by name -> one or two indexes, or none without such columns.
    """
    names = names_among(formats)
    if formats:
        _add_index(f"ix_{table.name}_search", table, formats)
    if has_names and names and len(names) < len(formats):
        _add_index(f"ix_{table.name}_name_search", table, names)


def _add_index(name: str, table: sa.Table, columns: Iterable[str]) -> None:
    sa.Index(name, sa.text(words_of(columns)), postgresql_using="gin", _table=table)
