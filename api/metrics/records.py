"""The records behind a figure: what was counted, one row each, in the order of the counted instants."""

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import orjson

from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import Behind
from api.metrics.counted import RECORD_OF, counted, placed_rows
from api.metrics.dimensions import key_name
from api.metrics.periods import Stretch
from api.metrics.question import Question
from api.sql import Sql, all_of, name
from schema.vocab import Dimension, RecordSide

_PLACE = Sql('(r.at, r.id, r.tie collate "C")')
_ORDER = 'r.at, r.id, r.tie collate "C"'
_TURNED = 'r.at desc, r.id desc, r.tie collate "C" desc'
_NOBODY = Sql("select null::uuid as id, null::timestamptz as at, '' as tie where false")


@dataclass(frozen=True, slots=True)
class Place:
    """A figure's place in its answer: the whole, or one combination of keys, or one bucket, or both."""

    question: Question
    keys: tuple[object, ...] | None = None
    starts_at: datetime | None = None
    before: datetime | None = None

    @property
    def table(self) -> str:
        """The table of the records."""
        return RECORD_OF[self.question.kpi.subject]

    @property
    def is_of_nobody(self) -> bool:
        """Whether it asks about people where none is known, and perhaps none was judged."""
        return self.question.is_about_people and not self.question.ground.has_people

    def in_bucket(self, starts_at: datetime, before: datetime) -> "Place":
        """The same, of one bucket."""
        return replace(self, starts_at=starts_at, before=before)

    def rows(self, side: RecordSide) -> Sql:
        """Everything counted on that side: `id, at, tie`. BAD_INPUT where the KPI has no such side."""
        if self.is_of_nobody:
            return _NOBODY
        asked = self._of_the_bucket()
        found = counted(asked)
        test = found.is_base if side is RecordSide.BASE else found.is_converted
        if test is None:
            raise _one_sided(asked)
        conditions = [test]
        for place, key in enumerate(self.keys or (), start=1):
            if side is RecordSide.BASE and asked.by[place - 1] is Dimension.REJECT_REASON:
                continue  # each reason is a share of everything decided
            column = Sql("c.{}", key_name(place))
            conditions.append(Sql("{} is null", column) if key is None else Sql("{} = {}", column, key))
        # Without a key to look for, what the dimensions read need not be looked up.
        placed = placed_rows(asked if self.keys is not None else replace(asked, by=()), found.rows, ())
        record = name(f"{self.table}_id")
        return Sql(
            "select c.{} as id, c.at, {} as tie from ({}) c where {}", record, found.tie, placed, all_of(conditions)
        )

    def _of_the_bucket(self) -> Question:
        """The question of the bucket's stretch of time alone: a bucket counts what its own period would."""
        if self.starts_at is None:
            return self.question
        within = Stretch(self.starts_at, self.before)
        return replace(self.question, frame=replace(self.question.frame, stretch=within))


@dataclass(frozen=True, slots=True)
class StepPlace:
    """A stage's place in a funnel, or in that of one group: behind it are the people of the cohort who reached it."""

    cohort: Place
    rank: int

    @property
    def table(self) -> str:
        """The table of the records."""
        return self.cohort.table

    def rows(self, side: RecordSide) -> Sql:
        """Who reached the stage, at that instant; CONVERTED: those of them who reached the next one."""
        question = self.cohort.question
        stages = question.ground.accord.stages
        if side is RecordSide.CONVERTED and self.rank == len(stages):
            raise AccordError(
                ErrorCode.BAD_INPUT,
                f"{stages[-1].key} is the last stage: nobody goes on from it.",
                "Ask for side BASE.",
            )
        if self.cohort.is_of_nobody:
            return _NOBODY
        first = replace(self.cohort, question=replace(question, stages=question.stages[:1]))
        reached = Sql(
            "e.evaluation_id = {} and e.occurrence = 1 and e.entered_at < {}",
            question.ground.evaluation,
            question.frame.as_of,
        )
        rows = Sql(
            "select c.id, e.entered_at as at, '' as tie from ({}) c join stage_entry e on e.contact_id = c.id"
            " where {} and e.rank = {}",
            first.rows(RecordSide.BASE),
            reached,
            self.rank,
        )
        if side is RecordSide.BASE:
            return rows
        on = Sql("select from stage_entry e where e.contact_id = b.id and {} and e.rank = {}", reached, self.rank + 1)
        return Sql("select b.* from ({}) b where exists ({})", rows, on)


@dataclass(frozen=True, slots=True)
class CountedRecord:
    """One counted record, and its place in the list."""

    id: UUID
    at: datetime
    tie: str

    @property
    def cursor(self) -> str:
        """The opaque place, to go on behind it."""
        return base64.b64encode(orjson.dumps([self.at, str(self.id), self.tie])).decode()


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page of the list, and whether there are records outside it; `total` only where it was asked."""

    records: tuple[CountedRecord, ...]
    has_more: bool  # between the cursors, further on in the direction of reading
    is_after_some: bool = False  # up to the cursor `after`
    is_before_some: bool = False  # from the cursor `before` on
    total: int | None = None


async def read_page(
    session: ReadSession,
    behind: Behind,
    side: RecordSide,
    *,
    size: int,
    after: str | None = None,
    before: str | None = None,
    is_last: bool = False,
    is_total_asked: bool = False,
) -> RecordPage:
    """So many records behind a figure between two cursors, the first or the last ones, by the instant they count at.

    Shapes: one figure -> at most `size` CountedRecords. Reads one statement.
    Errors: BAD_INPUT for a side that the KPI lacks, or a cursor that is none.
    """
    rows = behind.rows(side)
    ahead = None if after is None else Sql("{} <= {}", _PLACE, _place("after", after))
    beyond = None if before is None else Sql("{} >= {}", _PLACE, _place("before", before))
    is_kept = is_total_asked or after is not None or before is not None
    # One more than asked tells whether there is more.
    page = Sql(
        f"select r.id, r.at, r.tie from {{}} r where {{}} order by {_TURNED if is_last else _ORDER} limit {{}}",
        Sql("counted") if is_kept else Sql("({})", rows),
        all_of(Sql("not ({})", each) for each in (ahead, beyond) if each is not None),
        size + 1,
    )
    if is_kept:
        total = Sql("(select count(*) from counted)") if is_total_asked else Sql("null::bigint")
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
    records = tuple(sorted(records, key=lambda each: (each.at, each.id, each.tie)))
    has_more = len(records) > size
    shown = records[1 if has_more else 0 :] if is_last else records[:size]
    if not is_kept:
        return RecordPage(shown, has_more)
    return RecordPage(shown, has_more, found[0]["after_some"], found[0]["before_some"], found[0]["total"])


def _is_some(condition: Sql | None) -> Sql:
    return Sql("false") if condition is None else Sql("exists (select from counted r where {})", condition)


def _place(argument: str, cursor: str) -> Sql:
    try:
        at, record, tie = orjson.loads(base64.b64decode(cursor, validate=True))
        if isinstance(tie, str) and (moment := datetime.fromisoformat(at)).tzinfo is not None:
            return Sql("({}, {}::uuid, {}::text)", moment, UUID(record), tie)
    except (binascii.Error, ValueError, TypeError, AttributeError):
        pass  # told below: whatever it is, it is no cursor
    end = "endCursor" if argument == "after" else "startCursor"
    raise AccordError(
        ErrorCode.BAD_INPUT,
        f"`{argument}` is no cursor of a list of records behind a figure.",
        f"Take it from `pageInfo.{end}` or an edge's `cursor` of the same list.",
    )


def _one_sided(question: Question) -> AccordError:
    return AccordError(
        ErrorCode.BAD_INPUT,
        f"{question.kpi.key} has no records on the side CONVERTED: its numerator counts none.",
        "Ask for the side BASE, which has the records that n counts.",
    )
