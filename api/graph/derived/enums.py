"""Enums: the closed vocabularies with the meaning of each word, and the planner's sort directions."""

from api.graph.declared import EnumType, Word
from api.plan.selection import SortDirection
from schema.vocab import Vocabulary

SORT_DIRECTION = EnumType(
    "SortDirection",
    "Which way a list is sorted.",
    SortDirection,
    (
        Word("ASC", "Smallest, earliest or first of the alphabet first; empty values last."),
        Word("DESC", "Greatest, latest or last of the alphabet first; empty values last."),
        Word("ASC_NULLS_FIRST", "As ASC, but empty values first."),
        Word("DESC_NULLS_FIRST", "As DESC, but empty values first."),
    ),
)


def enum_of(vocabulary: type[Vocabulary]) -> EnumType:
    """The enum of a vocabulary; every word is described by its own line."""
    doc = (vocabulary.__doc__ or "").strip()
    return EnumType(
        vocabulary.__name__, doc, vocabulary, tuple(Word(word.value, word.doc, word.deprecated) for word in vocabulary)
    )
