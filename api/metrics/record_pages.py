"""Pages of the records that a figure counts, in the order of the counted instants."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import DrillDown
from api.sql import Sql, all_of
from schema.vocab import RecordSide

_POSITION = Sql('(r.at, r.id, r.tie collate "C")')
# Compared by bytes: a text's order otherwise depends on the database's collation, and cursors would not.
_ORDER = 'r.at, r.id, r.tie collate "C"'
_REVERSED = 'r.at desc, r.id desc, r.tie collate "C" desc'


@dataclass(frozen=True, slots=True)
class CountedRecord:
    """One counted record, and its position in the list."""

    id: UUID
    at: datetime
    tie: str

    @property
    def cursor(self) -> str:
        """The opaque cursor of its position."""
        return base64.b64encode(orjson.dumps([self.at, str(self.id), self.tie])).decode()


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page of the list, and whether there are records outside it; `total` only if requested."""

    records: tuple[CountedRecord, ...]
    has_more: bool  # between the cursors, after the page in the direction of reading
    is_after_some: bool = False  # at or before the cursor `after`
    is_before_some: bool = False  # at or after the cursor `before`
    total: int | None = None


async def read_page(
    session: ReadSession,
    drill_down: DrillDown,
    side: RecordSide,
    *,
    size: int,
    after: str | None = None,
    before: str | None = None,
    is_last: bool = False,
    needs_total: bool = False,
) -> RecordPage:
    """Read the first records of a figure between two cursors, or with `is_last` the last ones.

    Shapes: one figure -> at most `size` CountedRecords, in the order of their instants. Reads one statement.
    Errors: BAD_INPUT for a side that the KPI does not have, or a cursor that does not belong to such a list.
    """
    rows = drill_down.rows(side)
    ahead = None if after is None else Sql("{} <= {}", _POSITION, _position("after", after))
    beyond = None if before is None else Sql("{} >= {}", _POSITION, _position("before", before))
    # Then the statement reads the whole list once and keeps it; else it stops after the page.
    is_whole = needs_total or after is not None or before is not None
    # One more record than requested shows whether there are more.
    page = Sql(
        f"select r.id, r.at, r.tie from {{}} r where {{}} order by {_REVERSED if is_last else _ORDER} limit {{}}",
        Sql("counted") if is_whole else Sql("({})", rows),
        all_of(Sql("not ({})", outside) for outside in (ahead, beyond) if outside is not None),
        size + 1,
    )
    if is_whole:
        total = Sql("(select count(*) from counted)") if needs_total else Sql("null::bigint")
        around = Sql(
            "select {} as total, {} as after_some, {} as before_some", total, _is_some(ahead), _is_some(beyond)
        )
        page = Sql(
            "with counted as materialized ({}) select t.*, p.* from ({}) t left join ({}) p on true",
            rows,
            around,
            page,
        )
    found = await session.rows(page)
    records = tuple(CountedRecord(row["id"], row["at"], row["tie"]) for row in found if row["id"] is not None)
    records = tuple(sorted(records, key=lambda record: (record.at, record.id, record.tie)))
    has_more = len(records) > size
    shown = records[1 if has_more else 0 :] if is_last else records[:size]
    if not is_whole:
        return RecordPage(shown, has_more)
    return RecordPage(shown, has_more, found[0]["after_some"], found[0]["before_some"], found[0]["total"])


def _is_some(condition: Sql | None) -> Sql:
    return Sql("false") if condition is None else Sql("exists (select from counted r where {})", condition)


def _position(argument: str, cursor: str) -> Sql:
    try:
        at, record_id, tie = orjson.loads(base64.b64decode(cursor, validate=True))
        if isinstance(tie, str) and (moment := datetime.fromisoformat(at)).tzinfo is not None:
            return Sql("({}, {}::uuid, {}::text)", moment, UUID(record_id), tie)
    except (binascii.Error, ValueError, TypeError, AttributeError):
        pass  # whatever is wrong with it, the error below reports it
    end = "endCursor" if argument == "after" else "startCursor"
    raise AccordError(
        ErrorCode.BAD_INPUT,
        f"`{argument}` is not a cursor of a list of records behind a figure.",
        f"Take it from `pageInfo.{end}` or an edge's `cursor` of the same list.",
    )
