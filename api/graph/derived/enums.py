"""Enums: one for each closed vocabulary, and the planner's sort directions."""

from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from api.graph.declared import EnumType, EnumWord
from api.plan.list_arguments import SortDirection
from schema.vocab import Vocabulary

Word = TypeVar("Word", bound=Vocabulary)


class _Each(Enum):
    EACH = "EACH"


EACH = EnumType(
    "GroupByEach",
    "Groups rows by every single value of a field.",
    _Each,
    (EnumWord("EACH", "One group for each value."),),
)
SORT_DIRECTION = EnumType(
    "SortDirection",
    "The direction in which a list is sorted, and where its null values are placed.",
    SortDirection,
    (
        EnumWord("ASC", "Ascending: smallest, earliest or alphabetically first values first; nulls last."),
        EnumWord("DESC", "Descending: greatest, latest or alphabetically last values first; nulls last."),
        EnumWord("ASC_NULLS_FIRST", "Ascending, but nulls first."),
        EnumWord("DESC_NULLS_FIRST", "Descending, but nulls first."),
    ),
)


def enum_of(vocabulary: type[Word], doc_of: Callable[[Word], str] = lambda word: word.doc) -> EnumType:
    """Return the enum of a vocabulary, with the description of each word: its `doc`, or what `doc_of` returns."""
    doc = (vocabulary.__doc__ or "").strip()
    words = tuple(EnumWord(word.value, doc_of(word), word.deprecated) for word in vocabulary)
    return EnumType(vocabulary.graphql_name(), doc, vocabulary, words)
