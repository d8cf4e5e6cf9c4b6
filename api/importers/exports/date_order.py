"""Decides whether the dates of a file have the day or the month first, by the dates themselves."""

from collections.abc import Iterator

from api.errors import AccordError, ErrorCode
from api.importers.cell_parsers import DateSettings
from api.importers.cell_values import Parse
from api.importers.csv_rows import UnreadableLine, read_csv
from api.importers.mapping import FileMap
from api.importers.source_file import SourceFile

ORDERS = ("day-first", "month-first")
_MOST_DISTINCT = 100_000


def with_date_order(file: FileMap, source: SourceFile, stated: str | None) -> FileMap:
    """Return the preset's file with the formats of the order that its dates have, or that is `stated`.

    Errors: BAD_FILE if no date decides, or dates of both orders are there, and none is stated.
    """
    if not file.orders:
        return file
    forms = {str(order): formats for order, formats in file.orders.items()}
    return file.model_copy(update={"forms": forms[stated or _order_of(file, source, forms)]})


def _order_of(file: FileMap, source: SourceFile, forms: dict[str, tuple[str, ...]]) -> str:
    settings = DateSettings("UTC", ())
    parsers = {order: settings.days(formats) for order, formats in forms.items()}
    proofs: dict[str, str] = {}
    undecided = ""
    for text in _date_cells(file, source):
        read = {order: _read(parse, text) for order, parse in parsers.items()}
        orders = [order for order, value in read.items() if value is not None]
        if len(orders) == 1:
            proofs.setdefault(orders[0], text)
        elif len(set(read.values())) > 1:
            undecided = undecided or text
    state = f"tate it: --dates {' or --dates '.join(ORDERS)}."
    if len(proofs) > 1:
        shown = " and ".join(f"{text} ({order})" for order, text in proofs.items())
        message = f"The dates of {source.path} have two orders: {shown}."
        raise AccordError(ErrorCode.BAD_FILE, message, f"Export it again with one order, or s{state}")
    if not proofs and undecided:
        message = f"No date of {source.path} shows which is the day in {undecided}."
        raise AccordError(ErrorCode.BAD_FILE, message, f"S{state}")
    return next(iter(proofs), next(iter(forms)))


def _read(parse: Parse, text: str) -> object | None:
    try:
        return parse(text)
    except ValueError:
        return None


def _date_cells(file: FileMap, source: SourceFile) -> Iterator[str]:
    """The texts of the columns that are read as dates, most of them once."""
    places = [source.header.index(column) for column in file.date_columns if column in source.header]
    seen: set[str] = set()
    for _, row in read_csv(source):
        if isinstance(row, UnreadableLine) or len(row) != len(source.header):
            continue
        for place in places:
            text = row[place].strip()
            if text and text not in seen:
                if len(seen) < _MOST_DISTINCT:
                    seen.add(text)
                yield text
