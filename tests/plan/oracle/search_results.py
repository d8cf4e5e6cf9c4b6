"""Search results over several tables: which records match, and their order."""

from collections.abc import Iterable, Sequence

from schema.formats import Format
from schema.tables import SHAPES
from tests.plan.oracle.filters import words
from tests.plan.oracle.inputs import RejectedError
from tests.plan.oracle.records import Records
from tests.plan.oracle.shapes import VISIBLE, Row

TABLES = tuple(table for table, shape in VISIBLE.items() if shape.searched)
ADDRESSES = (Format.EMAIL, Format.DOMAIN)


def ranked_results(records: Records, text: str, types: Sequence[str] | None) -> list[tuple[str, Row]]:
    """Return the records that a search finds, with their tables, in order."""
    if types is not None and not types:
        raise RejectedError("BAD_INPUT")
    tables = TABLES if types is None else [kind.lower() for kind in dict.fromkeys(types)]
    ranked = [
        (rank, number, row["id"], table, row)
        for number, table in enumerate(tables)
        for row in records.unmerged(table)
        if (rank := _rank(table, row, words(text))) is not None
    ]
    return [(table, row) for *_, table, row in sorted(ranked, key=lambda result: result[:3])]


def _rank(table: str, row: Row, wanted: Sequence[str]) -> int | None:
    """Return 0 for whole words of the name, 1 for beginnings of its words, 2 for other matches, None without one."""
    searched = VISIBLE[table].searched
    names = [column for column in searched if SHAPES[table].column(column).note.format not in ADDRESSES]
    name_words, all_words = _words(row, names), _words(row, searched)
    if all(word in name_words for word in wanted):
        return 0
    for rank, found in ((1, name_words), (2, all_words)):
        if all(any(other.startswith(word) for other in found) for word in wanted):
            return rank
    return None


def _words(row: Row, columns: Iterable[str]) -> list[str]:
    return words(" ".join(row[column] or "" for column in columns))
