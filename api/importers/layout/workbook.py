"""A sheet of an Excel workbook as a CSV file, so that it goes through the same reading as any other file.

Memory: the sheet's cells, about 130 MB for 200,000 rows of 8 columns. The copy, some 20 MB, is a file on disk.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import python_calamine as calamine

from api.csv_text import write_unprotected
from api.errors import AccordError, ErrorCode
from api.importers.layout.dialect import CsvDialect

SHEET_DIALECT = CsvDialect(",", '"', is_escaped=False)
_SHOWN_SHEETS = 20


class SheetCopies:
    """Copies sheets into a temporary folder, which only its owner may read and which ends with the block."""

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="accord-")
        self._copies: dict[tuple[Path, str | None], tuple[Path, str]] = {}
        return self

    def __exit__(self, *_failure: object) -> None:
        self._folder.cleanup()

    def copy(self, workbook: Path, sheet: str | None) -> tuple[Path, str]:
        """Return the copy of a sheet as CSV, and the sheet's name. Errors: BAD_FILE."""
        if (workbook, sheet) not in self._copies:
            target = Path(self._folder.name) / f"{len(self._copies)}.csv"
            self._copies[workbook, sheet] = target, sheet_to_csv(workbook, sheet, target)
        return self._copies[workbook, sheet]


def sheet_to_csv(workbook: Path, sheet: str | None, target: Path) -> str:
    """Write a sheet (default: the first that is visible) as UTF-8 CSV. Line n of the file is row n of the sheet.

    Returns the sheet's name.

    Instants are written as `2026-01-31 09:30:00`, days as `2026-01-31`, whole numbers without a point. A line break
    within a cell becomes a blank.
    Errors: BAD_FILE if the workbook or the sheet cannot be read.
    """
    try:
        book = calamine.CalamineWorkbook.from_path(workbook)
        name = _sheet_name(workbook, book, sheet)
        rows = _rows(book.get_sheet_by_name(name))
        with target.open("w", encoding="utf-8", newline="") as file:
            write_unprotected(file, rows)
    except calamine.PasswordError as error:
        raise _bad(f"{workbook} is protected by a password.", "Save it without one.") from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise _bad(
            f"{workbook} cannot be read as a workbook: {error}.", "Save it again as .xlsx, or as CSV."
        ) from error
    return name


def _sheet_name(path: Path, book: calamine.CalamineWorkbook, sheet: str | None) -> str:
    visible = [
        found.name
        for found in book.sheets_metadata
        if found.visible is calamine.SheetVisibleEnum.Visible and found.typ is calamine.SheetTypeEnum.WorkSheet
    ]
    pages = {found.name for found in book.sheets_metadata if found.typ is calamine.SheetTypeEnum.WorkSheet}
    if sheet is not None and sheet in pages:
        return sheet
    names = ", ".join(f"'{name}'" for name in book.sheet_names[:_SHOWN_SHEETS] if name in pages) or "none"
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
            # Four decimals in place of three: 1.234 would be a grouped number where the decimal mark is a comma.
            text = f"{Decimal(repr(cell)):f}"
            return f"{text}0" if len(text.partition(".")[2]) == 3 else text
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
