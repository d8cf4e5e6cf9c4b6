"""Texts that a request compares: PostgreSQL can store them, and they are not longer than a limit.

A text that can be stored has neither U+0000 nor unpaired surrogates.
"""

from api.errors import AccordError, ErrorCode

MAX_COMPARED = 1_000  # characters; a comparison may look at all of them in every row


def require_storable(text: str, use: str) -> None:
    """Reject a text that PostgreSQL cannot store, and therefore cannot take as a parameter.

    Shapes: the text, and what it is for in words, such as "for `jobTitle`". Errors: BAD_INPUT.
    """
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        message = f"The text {use} has a character that no stored text can have."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Leave out U+0000 and unpaired surrogates.")


def require_comparable(text: str, use: str) -> None:
    """Reject a text that is too long to be compared with every row, or that no row can have.

    Shapes: as `require_storable`. Errors: TOO_LARGE; BAD_INPUT.
    """
    if len(text) > MAX_COMPARED:
        message = f"The text {use} has {len(text):,} characters. The limit is {MAX_COMPARED:,}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Compare with a shorter text.")
    require_storable(text, use)
