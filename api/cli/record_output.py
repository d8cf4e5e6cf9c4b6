"""`accord kpi --records`: the records that a number counts, in the order of the instants at which they count."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.access.principal import Principal
from api.csv_text import CsvWriter
from api.db import ReadSession
from api.metrics.answer import KpiAnswer
from api.metrics.record_pages import read_page
from api.plan.record_labels import record_labels
from schema.vocab import RecordSide

PAGE_SIZE = 500


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One record of the list."""

    id: str
    name: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordList:
    """The first records of a side, and the number of all of them."""

    side: RecordSide
    records: tuple[RecordLine, ...]
    total: int


async def read_records(
    session: ReadSession, who: Principal, result: KpiAnswer, side: RecordSide, first: int
) -> RecordList:
    """Read the first records that a result counts, with their names. Errors: BAD_INPUT if the KPI lacks the side."""
    drill_down = result.drill_down
    if drill_down is None:
        raise TypeError(f"the result of {result.key} has no records")
    lines: list[RecordLine] = []
    after: str | None = None
    total: int | None = None
    while True:
        size = min(PAGE_SIZE, first - len(lines))
        page = await read_page(session, drill_down, side, size=size, after=after, needs_total=total is None)
        total = page.total if total is None else total
        names = await record_labels(session, who, drill_down.table, [record.id for record in page.records])
        lines += [
            RecordLine(f"{drill_down.table}_{record.id}", names.get(record.id), record.at) for record in page.records
        ]
        if not page.has_more or len(lines) >= first:
            return RecordList(side, tuple(lines), total or 0)
        after = page.records[-1].cursor


def show_records(listed: RecordList, zone: ZoneInfo, console: Console) -> None:
    """Print the records as a table."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("at", "name", "id"):
        table.add_column(heading, no_wrap=heading != "name", overflow="fold")
    for record in listed.records:
        table.add_row(f"{record.at.astimezone(zone):%Y-%m-%d %H:%M}", escape(record.name or ""), record.id)
    console.print(table)
    if (rest := listed.total - len(listed.records)) > 0:
        console.print(f"[dim]{rest:,} more of {listed.total:,}: --first {listed.total} lists all.[/dim]")


def print_records_json(listed: RecordList) -> None:
    """Print the records as JSON."""
    records = [{"id": record.id, "name": record.name, "at": _iso(record.at)} for record in listed.records]
    document = {"side": listed.side.value, "totalCount": listed.total, "records": records}
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_records_csv(listed: RecordList) -> None:
    """Print the records as CSV."""
    writer = CsvWriter(sys.stdout, line_end="\n")
    writer.row(("at", "id", "name"))
    writer.rows((_iso(record.at), record.id, record.name or "") for record in listed.records)


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
