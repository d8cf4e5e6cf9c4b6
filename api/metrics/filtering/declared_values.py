"""The values of a filter over a dimension that a column declares."""

from datetime import date

from api.errors import AccordError, ErrorCode
from api.plan.value_checks.known_values import ClosedSet
from schema.kpis.declared_dimensions import DeclaredDimension

_TRUTHS = {"true": "true", "yes": "true", "false": "false", "no": "false"}


def declared_value(declared: DeclaredDimension, text: str) -> str:
    """The stored value that a text means, as breakdowns have it. Free texts are as they are.

    Errors: UNKNOWN_VALUE for a word that the column's vocabulary does not have; BAD_INPUT for no value of its type.
    """
    column = declared.column
    noun = f"{declared.table} {column.name}".replace("_", " ")
    if column.note.vocab is not None:
        closed, known = ClosedSet(noun, "values"), [word.value for word in column.note.vocab]
        word = closed.word(text, known)
        if word is None:
            raise closed.unknown(text, known)
        return word
    try:
        if column.python is bool:
            return _TRUTHS[text.strip().casefold()]
        if column.python is int:
            return str(int(text))
        if column.python is date:
            return date.fromisoformat(text.strip()).isoformat()
    except (ValueError, KeyError) as error:
        example = {bool: "true or false", int: "a whole number, such as 3", date: "a day, such as 2026-03-31"}
        raise AccordError(ErrorCode.BAD_INPUT, f"'{text}' is no {noun}.", f"Write {example[column.python]}.") from error
    return text
