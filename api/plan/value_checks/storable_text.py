"""Texts that PostgreSQL can store: without U+0000, and without unpaired surrogates."""

from api.errors import AccordError, ErrorCode


def require_storable(text: str, use: str) -> None:
    """Reject a text that PostgreSQL cannot store, and therefore cannot take as a parameter.

    Shapes: the text, and what it is for in words, such as "for `jobTitle`". Errors: BAD_INPUT.
    """
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        message = f"The text {use} has a character that no stored text can have."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Leave out U+0000 and unpaired surrogates.")
