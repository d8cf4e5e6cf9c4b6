"""The argument `search`: what is written in it, read into words."""

import re
import string

from api.errors import AccordError, ErrorCode
from api.graph.declared import Input, TypeRef
from api.graph.derived.naming import camel
from api.plan.search import Words
from schema.base import TableShape
from schema.search import SEPARATORS

MAX_SEARCH_LENGTH = 200  # PostgreSQL keeps no word of more than 2,046 bytes
_WORD = re.compile(rf"[^\s{re.escape(string.punctuation + SEPARATORS)}]+", re.ASCII)


def search_argument(shape: TableShape) -> Input:
    """The argument of the lists of a table with columns that are searched."""
    columns = ", ".join(f"`{camel(column)}`" for column in shape.searched)
    doc = (
        f"Only rows in which every word of this text begins some word of {columns}, in capitals or not:"
        ' "ada acme" finds ada.berg@acme.example. What is no letter and no digit stands between words.'
    )
    return Input("search", doc, TypeRef("String"), is_bound=True)


def read_search(text: str) -> Words:
    """The words of a text. Errors: BAD_INPUT for a text without any; TOO_LARGE for a long one."""
    if len(text) > MAX_SEARCH_LENGTH:
        message = f"`search` has {len(text):,} characters, and may have {MAX_SEARCH_LENGTH}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Search for a few words of a name or an address.")
    words = tuple(word for word in _WORD.findall(text) if any(map(str.isalnum, word)))
    if not words:
        message = "`search` has no word in it."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Name at least one letter or digit, or leave `search` out.")
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        message = "The text of `search` has a character that no stored text can have."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Leave out U+0000 and unpaired surrogates.")
    return words
