"""`accord kpi --records`: the records behind a number, by the instant at which they count."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.db import ReadSession
from api.metrics.answer import KpiAnswer
from api.metrics.record_pages import CountedRecord, read_page
from api.sql import Sql, name
from schema.tables import SHAPES
from schema.vocab import RecordSide

PAGE = 500
_PERSON = "coalesce(nullif(concat_ws(' ', {0}.first_name, {0}.last_name), ''), {0}.email)"


@dataclass(frozen=True, slots=True)
class Listed:
    """One record as a line."""

    id: str
    name: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordList:
    """The first so many records of a side, and how many there are."""

    side: RecordSide
    records: tuple[Listed, ...]
    total: int


async def read_list(session: ReadSession, answer: KpiAnswer, side: RecordSide, first: int) -> RecordList:
    """Read the first records behind an answer's total, with their names. Errors: BAD_INPUT for a side it lacks."""
    drill_down = answer.drill_down
    if drill_down is None:
        raise TypeError(f"the answer of {answer.key} has no drill-down")
    found: list[Listed] = []
    after: str | None = None
    total: int | None = None
    while True:
        size = min(PAGE, first - len(found))
        page = await read_page(session, drill_down, side, size=size, after=after, needs_total=total is None)
        total = page.total if total is None else total
        names = await _names(session, drill_down.table, page.records)
        found += [Listed(f"{drill_down.table}_{each.id}", names.get(each.id), each.at) for each in page.records]
        if not page.has_more or len(found) >= first:
            return RecordList(side, tuple(found), total or 0)
        after = page.records[-1].cursor


def show_list(listed: RecordList, zone: ZoneInfo, console: Console) -> None:
    """Show the records as a table."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in ("at", "name", "id"):
        table.add_column(head, no_wrap=head != "name", overflow="fold")
    for each in listed.records:
        table.add_row(f"{each.at.astimezone(zone):%Y-%m-%d %H:%M}", escape(each.name or ""), each.id)
    console.print(table)
    if (rest := listed.total - len(listed.records)) > 0:
        console.print(f"[dim]{rest:,} more of {listed.total:,}: --first {listed.total} lists all.[/dim]")


def print_list_json(listed: RecordList) -> None:
    """Print the records as JSON."""
    records = [{"id": each.id, "name": each.name, "at": _text(each.at)} for each in listed.records]
    found = {"side": listed.side.value, "totalCount": listed.total, "records": records}
    sys.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_list_csv(listed: RecordList) -> None:
    """Print the records as CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("at", "id", "name"))
    writer.writerows((_text(each.at), each.id, each.name or "") for each in listed.records)


async def _names(session: ReadSession, table: str, records: Sequence[CountedRecord]) -> dict[UUID, str | None]:
    """What the records are called: people by name or address, deals without a name by their company's; else by name.

    A part of a person's is called by theirs.
    """
    columns = {column.name for column in SHAPES[table].columns}
    ids = [each.id for each in records]
    if table == "contact":
        asked = Sql(f"select r.id, {_PERSON.format('r')} as called from contact r where r.id = any ({{}})", ids)
    elif table == "deal":
        called = (
            "select r.id, coalesce(r.name, o.name) as called from deal r left join company o on o.id = r.company_id"
        )
        asked = Sql(called + " where r.id = any ({})", ids)
    elif "name" in columns:
        asked = Sql("select r.id, r.name as called from {} r where r.id = any ({})", name(table), ids)
    else:
        person = f"select r.id, {_PERSON.format('x')} as called from {{}} r join contact x on x.id = r.contact_id"
        asked = Sql(person + " where r.id = any ({})", name(table), ids)
    return {row["id"]: row["called"] for row in await session.rows(asked)}


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
