"""A sheet of an Excel workbook as a CSV file, so that it goes through the same reading as any other file."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import python_calamine as calamine

from api.csv_text import write_unprotected
from api.errors import AccordError, ErrorCode

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_SHOWN_SHEETS = 20


def is_workbook(path: Path) -> bool:
    """Whether the file's name is that of a workbook."""
    return path.suffix.lower() in SUFFIXES


def sheet_to_csv(workbook: Path, sheet: str | None, target: Path) -> None:
    """Write a sheet (default: the first that is visible) as UTF-8 CSV. Line n of the file is row n of the sheet.

    Instants are written as `2026-01-31 09:30:00`, days as `2026-01-31`, whole numbers without a point. A line break
    within a cell becomes a blank.
    Errors: BAD_FILE if the workbook or the sheet cannot be read.
    """
    try:
        book = calamine.CalamineWorkbook.from_path(workbook)
        rows = _rows(book.get_sheet_by_name(_sheet_name(workbook, book, sheet)))
        with target.open("w", encoding="utf-8", newline="") as file:
            write_unprotected(file, rows)
    except calamine.PasswordError as error:
        raise _bad(f"{workbook} is protected by a password.", "Save it without one.") from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise _bad(
            f"{workbook} cannot be read as a workbook: {error}.", "Save it again as .xlsx, or as CSV."
        ) from error


def _sheet_name(path: Path, book: calamine.CalamineWorkbook, sheet: str | None) -> str:
    visible = [
        found.name
        for found in book.sheets_metadata
        if found.visible is calamine.SheetVisibleEnum.Visible and found.typ is calamine.SheetTypeEnum.WorkSheet
    ]
    if sheet is not None and sheet in book.sheet_names:
        return sheet
    names = ", ".join(f"'{name}'" for name in book.sheet_names[:_SHOWN_SHEETS]) or "none"
    if sheet is not None:
        raise _bad(f"{path} has no sheet '{sheet}'.", f"Its sheets are {names}.")
    if not visible:
        raise _bad(f"{path} has no visible sheet.", f"Name one with --sheet; its sheets are {names}.")
    return visible[0]


def _rows(sheet: calamine.CalamineSheet) -> Iterator[list[str]]:
    if sheet.start is None:
        return
    first_row, first_column = sheet.start
    yield from ([] for _ in range(first_row))
    margin = [""] * first_column
    for row in sheet.iter_rows():
        cells = [_text(cell) for cell in row]
        yield [*margin, *cells] if any(cells) else []


def _text(cell: object) -> str:
    match cell:
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return str(int(cell))
        case float():
            return f"{Decimal(repr(cell)):f}"
        case datetime():
            return cell.isoformat(" ")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(Decimal(str(cell.total_seconds())).normalize())
        case _:
            return " ".join(str(cell).splitlines())


def _bad(message: str, remedy: str) -> AccordError:
    return AccordError(ErrorCode.BAD_FILE, message, remedy)
