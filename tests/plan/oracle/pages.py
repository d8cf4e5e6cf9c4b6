"""Pages of lists: the rows between two cursors, of these the first so many or the last."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.plan.oracle.filters import is_found, matches
from tests.plan.oracle.inputs import RefusedError, check
from tests.plan.oracle.orders import Order
from tests.plan.oracle.records import Records
from tests.plan.oracle.shapes import KEYS, Row

PAGE_SIZE, LARGEST_PAGE = 50, 500


@dataclass(frozen=True)
class Page:
    """A page of a list: all that match, those shown, and whether there are more on each side."""

    number: int
    table: str
    matching: list[Row]
    shown: list[Row]
    has_previous: bool
    has_next: bool

    def cursor(self, row: Row) -> str:
        """A stand-in: real cursors are opaque, but each tells a row of its page."""
        return f"cursor of {self.number}: {[str(row[key]) for key in KEYS[self.table]]}"


@dataclass(frozen=True)
class Edge:
    """A row of a page."""

    page: Page
    row: Row


def page_of(
    records: Records, table: str, rows: list[Row], arguments: Row, *, number: int, known: Mapping[str, Row]
) -> Page:
    """The page that a list's arguments ask for. `known` tells the rows that real cursors are of."""
    size, is_last = _size(arguments)
    after, before = (_row(arguments.get(each), known) for each in ("after", "before"))
    where, search = arguments.get("where") or {}, arguments.get("search")
    check(table, where)
    order = Order(records, table, arguments.get("orderBy") or [])
    found = (row for row in rows if matches(records, table, row, where))
    matching = order.sorted(row for row in found if search is None or is_found(table, row, search))
    begin = 0 if after is None else sum(order.compare(row, after) <= 0 for row in matching)
    end = len(matching) if before is None else sum(order.compare(row, before) < 0 for row in matching)
    between = matching[begin:end]
    shown = between[max(0, len(between) - size) :] if is_last else between[:size]
    is_cut = len(between) > size
    has_previous, has_next = begin > 0 or (is_cut and is_last), end < len(matching) or (is_cut and not is_last)
    return Page(number, table, matching, shown, has_previous, has_next)


def _size(arguments: Row) -> tuple[int, bool]:
    """How many rows, and whether they are counted from the end."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise RefusedError("BAD_INPUT")
    size: int = next((each for each in (first, last) if each is not None), PAGE_SIZE)
    if size > LARGEST_PAGE:
        raise RefusedError("TOO_LARGE")
    if size < 0:
        raise RefusedError("BAD_INPUT")
    return size, last is not None


def _row(cursor: str | None, known: Mapping[str, Row]) -> Row | None:
    """The row that a cursor is of."""
    if cursor is None:
        return None
    if cursor not in known:
        raise RefusedError("BAD_INPUT")
    return known[cursor]
