"""`accord kpi --records`: the records that a number counts, in the order of the instants at which they count."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.access.principal import Principal
from api.csv_text import CsvWriter
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.graph.reading.field_paths import FieldPaths, read_field_paths
from api.metrics.answer import ContactPressure, KpiAnswer, KpiPart
from api.metrics.record_lists.record_pages import read_page
from api.plan.json_values import decimal_as_text
from api.plan.record_labels import record_labels
from schema.clauses.contact_policy import ContactPolicy
from schema.durations import format_duration, iso_duration
from schema.vocab import RecordSide, Unit

PAGE_SIZE = 500
_PRESSURE = ("touches", "at_most", "within", "first_touch_at", "last_touch_at")


@dataclass(frozen=True, slots=True)
class Listing:
    """Which records to list: the side, how many, and the paths of their fields; without paths, their names.

    `part` is the name of a part of a formula; None is the first one.
    """

    side: RecordSide
    first: int
    paths: tuple[str, ...] = ()
    part: str | None = None


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One record of the list, with its `value`: what it gives to the number, null for an amount that is kept apart.

    `row` has the requested fields as GraphQL nests them; None if the record is not visible.
    """

    id: str
    name: str | None
    at: datetime
    value: Decimal | None = None
    pressure: ContactPressure | None = None
    row: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class RecordList:
    """The first records of a side, and the number of all of them."""

    side: RecordSide
    records: tuple[RecordLine, ...]
    total: int
    unit: Unit  # of what they give
    policy: ContactPolicy | None = None  # that the KPI counts touches against, if it does
    fields: FieldPaths | None = None

    def cells(self, record: RecordLine) -> tuple[object, ...]:
        """The name of a record, or the values of the requested fields."""
        return (record.name,) if self.fields is None else self.fields.values(record.row or {})

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings of `cells`."""
        return ("name",) if self.fields is None else self.fields.paths


async def read_records(session: ReadSession, who: Principal, result: KpiAnswer, listing: Listing) -> RecordList:
    """Read the first records that a result counts, with their names or the requested fields.

    Errors: BAD_INPUT if the KPI lacks the side or the part, or the records a field.
    """
    part = _part(result, listing)
    drill_down, unit = (result.drill_down, result.unit) if part is None else (part.drill_down, part.unit)
    if drill_down is None:
        raise TypeError(f"the result of {result.key} has no records")
    fields = read_field_paths(drill_down.table, listing.paths) if listing.paths else None
    lines: list[RecordLine] = []
    after: str | None = None
    total: int | None = None
    while True:
        size = min(PAGE_SIZE, listing.first - len(lines))
        page = await read_page(
            session, drill_down, listing.side, size=size, after=after, needs_total=total is None, needs_pressure=True
        )
        total = page.total if total is None else total
        ids = [record.id for record in page.records]
        names = {} if fields else await record_labels(session, who, drill_down.table, ids)
        rows = await fields.read(session, who, ids) if fields else {}
        lines += [
            RecordLine(
                f"{drill_down.table}_{record.id}",
                names.get(record.id),
                record.at,
                record.value,
                record.pressure,
                rows.get(record.id),
            )
            for record in page.records
        ]
        if not page.has_more or len(lines) >= listing.first:
            # Every record of a ratio gives 1 to one of its sides, so its values are no shares.
            unit = Unit.COUNT if unit is Unit.RATIO else unit
            return RecordList(listing.side, tuple(lines), total or 0, unit, drill_down.contact_policy, fields)
        after = page.records[-1].cursor


def _part(result: KpiAnswer, listing: Listing) -> KpiPart | None:
    """The part whose records are listed; None if the KPI has no parts."""
    if listing.part is None:
        return result.parts[0] if result.parts else None
    for part in result.parts:
        if part.name == listing.part:
            return part
    known = ", ".join(part.name for part in result.parts)
    remedy = f"Use one of: {known}." if known else "Leave --part out."
    raise AccordError(ErrorCode.BAD_INPUT, f"This result of {result.key} has no part '{listing.part}'.", remedy)


def show_records(
    listed: RecordList, zone: ZoneInfo, console: Console, value_in_words: Callable[[Decimal | None], str]
) -> None:
    """Print the records as a table. Their values are left out if they only count them."""
    has_value = any(record.value != 1 for record in listed.records)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("at", *(("touches", "first touch", "last touch") if listed.policy else ())):
        table.add_column(heading, no_wrap=True)
    if has_value:
        table.add_column("value", justify="right", no_wrap=True)
    for heading in listed.headings:
        table.add_column(heading, overflow="fold")
    # Requested fields need the width; the id is one of them if it is wanted.
    has_id = listed.fields is None
    if has_id:
        table.add_column("id", no_wrap=True)
    for record in listed.records:
        pressure = _pressure_cells(record.pressure, zone) if listed.policy else ()
        shown = (escape(text) for text in _texts(listed.cells(record)))
        value = (value_in_words(record.value),) if has_value else ()
        table.add_row(_minute(record.at, zone), *pressure, *value, *shown, *((record.id,) if has_id else ()))
    console.print(table)
    if listed.policy is not None:
        allowed = f"{listed.policy.at_most:,} in {format_duration(listed.policy.within)}"
        console.print(f"[dim]touches: the most at once while over the contact policy, which allows {allowed}.[/dim]")
    if (rest := listed.total - len(listed.records)) > 0:
        console.print(f"[dim]{rest:,} more of {listed.total:,}: --first {listed.total} lists all.[/dim]")


def print_records_json(listed: RecordList) -> None:
    """Print the records as JSON. Requested fields are the `node` of each, nested as in GraphQL."""
    records: list[dict[str, object]] = []
    for record in listed.records:
        shown: dict[str, object] = {"id": record.id, "at": _iso(record.at), "value": _decimal(record.value)}
        shown |= {"name": record.name} if listed.fields is None else {"node": record.row}
        if listed.policy:
            shown["contactPressure"] = _pressure_values(record.pressure)
        records.append(shown)
    document = {"side": listed.side.value, "totalCount": listed.total, "records": records}
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_records_csv(listed: RecordList) -> None:
    """Print the records as CSV. Values of contact pressure are empty for people who were never over the policy."""
    writer = CsvWriter(sys.stdout, line_end="\n")
    has_id = "id" not in listed.headings
    writer.row(("at", *(("id",) if has_id else ()), "value", *listed.headings, *(_PRESSURE if listed.policy else ())))
    for record in listed.records:
        values = (_pressure_values(record.pressure) or dict.fromkeys(_PRESSURE)).values() if listed.policy else ()
        id_ = (record.id,) if has_id else ()
        cells = (_decimal(record.value), *listed.cells(record), *values)
        writer.row((_iso(record.at), *id_, *_texts(cells)))


def _decimal(value: Decimal | None) -> str | None:
    """A value as GraphQL writes it."""
    return None if value is None else decimal_as_text(value)


def _texts(values: Iterable[object]) -> Iterable[str]:
    """Values as text: nothing for null, the words of JSON for truths, and lists with semicolons."""
    for value in values:
        match value:
            case None:
                yield ""
            case bool():
                yield str(value).lower()
            case list():
                yield "; ".join(map(str, value))
            case _:
                yield str(value)


def _pressure_cells(pressure: ContactPressure | None, zone: ZoneInfo) -> tuple[str, ...]:
    if pressure is None:
        return ("",) * 3
    first, last = (_minute(instant, zone) for instant in (pressure.first_touch_at, pressure.last_touch_at))
    return f"{pressure.touches:,}", first, last


def _pressure_values(pressure: ContactPressure | None) -> dict[str, object] | None:
    """The values by their names in GraphQL."""
    if pressure is None:
        return None
    return {
        "touches": pressure.touches,
        "atMost": pressure.at_most,
        "within": iso_duration(pressure.within),
        "firstTouchAt": _iso(pressure.first_touch_at),
        "lastTouchAt": _iso(pressure.last_touch_at),
    }


def _minute(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
