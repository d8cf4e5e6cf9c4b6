"""Texts that spreadsheets, CRMs and exports write in place of an empty cell.

`empty_cells` makes the set that an import compares its cells with. The error values of spreadsheets are always in it;
words such as `null` are in it where a preset names them, because they may be values elsewhere: `NA` is Namibia, and
Null and None are family names.
"""

from collections.abc import Iterable

# Excel, LibreOffice and Google Sheets, in English, German, French, Spanish and Portuguese.
SPREADSHEET_ERRORS = frozenset(
    """
    #N/A #N/A! #REF! #VALUE! #DIV/0! #NAME? #NULL! #NUM! #SPILL! #CALC! #FIELD! #BLOCKED! #CONNECT! #BUSY! #EXTERNAL!
    #PYTHON! #UNKNOWN! #GETTING_DATA #ERROR! #NV #BEZUG! #WERT! #ZAHL! #ÜBERLAUF! #VALEUR! #NOM? #NOMBRE! #NUL! #N/D
    #¡REF! #¡VALOR! #¡DIV/0! #¿NOMBRE? #¡NUM! #¡NULO! #VALOR! #NOME? #NÚM! #NULO!
    """.split()
)
# What databases, CRMs and people write. Not here: NA (Namibia) and Unknown, which sources also use as a value.
PLACEHOLDERS = (
    *("N/A", "n.a.", "null", "None", "nil", "NaN", "undefined", "<null>", "\\N"),
    *("-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", ".", "?"),
    *("(No value)", "(blank)", "(empty)", "(none)", "(null)", "(not set)", "(not provided)", "(unknown)"),
    *("[not provided]", "[null]", "[unknown]", "[[Unknown]]", "--None--", "- None -"),
)
_FOLDED = frozenset(text.casefold() for text in PLACEHOLDERS)


def empty_cells(texts: Iterable[str] = ()) -> frozenset[str]:
    """The cells to read as empty: the error values of spreadsheets, and these texts in lower, upper and title case."""
    return frozenset(
        spelling
        for text in (*SPREADSHEET_ERRORS, *texts)
        for spelling in (text, text.lower(), text.upper(), text.capitalize(), text.title())
    )


def without_words(cells: frozenset[str]) -> frozenset[str]:
    """Those of the cells that cannot be a person's or a firm's name: the ones that hold more than letters."""
    return frozenset(cell for cell in cells if not cell.isalpha())


def is_placeholder(cell: str) -> bool:
    """Whether a text is one of the usual placeholders, in any case."""
    return cell.casefold() in _FOLDED
