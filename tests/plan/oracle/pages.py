"""Pages of lists: the rows between two cursors, and of these the first or the last so many."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.plan.oracle.filters import matches_search, matches_where
from tests.plan.oracle.inputs import RejectedError, validate_where
from tests.plan.oracle.orders import Order
from tests.plan.oracle.records import Records
from tests.plan.oracle.shapes import KEYS, Row

PAGE_SIZE, LARGEST_PAGE = 50, 500
Result = tuple[str, Row]  # of a search: its table and row


@dataclass(frozen=True)
class Page:
    """A page of a list: all rows that match, the rows of the page, and whether there are rows before and after it."""

    number: int  # unique in the document
    table: str
    matching: list[Row]
    rows: list[Row]
    has_previous: bool
    has_next: bool

    def cursor(self, row: Row) -> str:
        """Return a stand-in for the cursor of a row: real cursors are opaque, so the oracle cannot compute them."""
        return f"cursor of {self.number}: {[str(row[key]) for key in KEYS[self.table]]}"


@dataclass(frozen=True)
class Edge:
    """A row of a page."""

    page: Page
    row: Row


@dataclass(frozen=True)
class ResultPage:
    """A page of search results."""

    number: int  # unique in the document
    count: int
    results: list[Result]
    has_previous: bool
    has_next: bool

    def cursor(self, result: Result) -> str:
        """Return a stand-in for the cursor of a result."""
        table, row = result
        return f"cursor of {self.number}: {table} {row['id']}"


@dataclass(frozen=True)
class ResultEdge:
    """A result on a page."""

    page: ResultPage
    result: Result


def result_page(
    found: list[Result], arguments: Row, *, number: int, results_by_cursor: Mapping[str, Result]
) -> ResultPage:
    """Return the page of search results that the arguments request."""
    size, _ = _size(arguments)
    after = arguments.get("after")
    if after is not None and after not in results_by_cursor:
        raise RejectedError("BAD_INPUT")
    start = 0 if after is None else found.index(results_by_cursor[after]) + 1
    shown = found[start : start + size]
    return ResultPage(number, len(found), shown, start > 0, start + size < len(found))


def page_of(
    records: Records, table: str, rows: list[Row], arguments: Row, *, number: int, rows_by_cursor: Mapping[str, Row]
) -> Page:
    """Return the page that a list's arguments request. `rows_by_cursor` has the rows of real cursors."""
    size, is_from_end = _size(arguments)
    after, before = (_row(arguments.get(argument), rows_by_cursor) for argument in ("after", "before"))
    where, search = arguments.get("where") or {}, arguments.get("search")
    validate_where(table, where, lists_merged=bool(arguments.get("includeMerged")))
    order = Order(records, table, arguments.get("orderBy") or [])
    filtered = (row for row in rows if matches_where(records, table, row, where))
    matching = order.sorted(row for row in filtered if search is None or matches_search(table, row, search))
    start = 0 if after is None else sum(order.compare(row, after) <= 0 for row in matching)
    end = len(matching) if before is None else sum(order.compare(row, before) < 0 for row in matching)
    between = matching[start:end]
    page_rows = between[max(0, len(between) - size) :] if is_from_end else between[:size]
    is_cut = len(between) > size
    has_previous = start > 0 or (is_cut and is_from_end)
    has_next = end < len(matching) or (is_cut and not is_from_end)
    return Page(number, table, matching, page_rows, has_previous, has_next)


def _size(arguments: Row) -> tuple[int, bool]:
    """Return the page size, and whether it counts from the end."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise RejectedError("BAD_INPUT")
    size: int = next((value for value in (first, last) if value is not None), PAGE_SIZE)
    if size > LARGEST_PAGE:
        raise RejectedError("TOO_LARGE")
    if size < 0:
        raise RejectedError("BAD_INPUT")
    return size, last is not None


def _row(cursor: str | None, rows_by_cursor: Mapping[str, Row]) -> Row | None:
    """Return the row of a cursor."""
    if cursor is None:
        return None
    if cursor not in rows_by_cursor:
        raise RejectedError("BAD_INPUT")
    return rows_by_cursor[cursor]
