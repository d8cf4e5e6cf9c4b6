"""Search: how text becomes the words that an index keeps, said once for the index and for those who ask it.

A word is what stands between blanks and punctuation, in small letters: ada.berg@acme-labs.example has five.
"""

from collections.abc import Iterable

# PostgreSQL's parser would keep an address, a number with its sign or a tag in one piece, or leave it out; and without
# a locale it takes what is not ASCII for a letter.
SEPARATORS = "@._-/+&<>~\u2019\u2013\u2014"


def words_of(columns: Iterable[str], row: str = "") -> str:
    """The words of some columns together, as SQL. Immutable, as an index needs; `concat_ws` is not."""
    first, *others = (f"coalesce({row}{column}, '')" for column in columns)
    joined, inner = first, first
    for each in others:  # with the brackets that PostgreSQL prints, so that comparisons find the same text
        joined = f"({inner} || ' ') || {each}"
        inner = f"({joined})"
    return f"to_tsvector('simple', translate({joined}, '{SEPARATORS}', '{' ' * len(SEPARATORS)}'))"
