"""Reading the argument `search`: a text becomes words."""

import re
import string

from api.errors import AccordError, ErrorCode
from api.plan.search.words import Words
from api.plan.value_checks.storable_text import require_storable
from schema.search.words import SEPARATORS

MAX_SEARCH_LENGTH = 200  # characters; PostgreSQL's text search rejects words of more than 2,046 bytes
_WORD = re.compile(rf"[^\s{re.escape(string.punctuation + SEPARATORS)}]+", re.ASCII)


def read_search(text: str) -> Words:
    """Return the words of a text. Errors: BAD_INPUT for a text without words; TOO_LARGE for a long one."""
    if len(text) > MAX_SEARCH_LENGTH:
        message = f"`search` has {len(text):,} characters. The limit is {MAX_SEARCH_LENGTH}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Search for a few words of a name or an address.")
    words = tuple(word for word in _WORD.findall(text) if any(map(str.isalnum, word)))
    if not words:
        message = "`search` contains no word."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Give at least one letter or digit, or leave `search` out.")
    require_storable(text, "of `search`")
    return words
