"""What a version would have made of sales' duties to marketing, by what happened to the people whom it counts.

Nobody knows what sales would have done with people who were never handed over. So the duties are judged by the real
handoffs of the people whom a version counts in the stage from which marketing hands over.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from api.accord.diff.part_sentences import sales_sentence
from api.db import ScratchSession
from api.metrics.context import MetricContext
from api.metrics.handoff_kinds.handoff_rows import ATTEMPT, REACHED
from api.metrics.kinds.contact_facts import belongs_to
from api.metrics.preview.duty_effects import SIDES, Deadlines, deadlines, fulfilled, handoffs, in_time, preview_duty
from api.metrics.preview.figures import PreviewDuty
from api.metrics.preview.preview_frame import PreviewFrame
from api.metrics.preview.seller_load import handed_over_stage
from api.metrics.preview.sides import Sides
from api.sql import Sql
from schema.accord import Accord
from schema.clauses.handoff_duties import RejectionPart, SalesDuties
from schema.clauses.time_limits import TimeLimit
from schema.vocab import HandoffStatus, TeamKind, Unit


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What happened to a person after the first handoff that was not returned. All instants are known by now.

    `touched_at` is the first outbound touch of sales by hand; `attempted_at` the last of as many as are agreed, made
    after the acceptance; `reached_at` when the person was first reached.
    """

    handed_at: datetime
    status: str
    decided_at: datetime | None
    reject_reason: str | None
    has_note: bool
    touched_at: datetime | None
    attempted_at: datetime | None
    reached_at: datetime | None


People = Sequence[HandedOver]


async def find_sales_duties(
    session: ScratchSession, sides: Sides, context: MetricContext, frame: PreviewFrame
) -> tuple[PreviewDuty, ...]:
    """Measure every duty of sales, by both versions.

    Shapes: the temporary table `preview_person` -> one PreviewDuty per duty, in the order of the document.
    """
    accord = sides.after.accord
    duties = accord.handoff.sales if accord.handoff else None
    if duties is None:
        return ()
    stages = handed_over_stage(sides.before.accord), handed_over_stage(accord)
    before, after = [
        () if stage is None else await _handed_over(session, stage, column, duties, context, frame)
        for stage, column in zip(stages, SIDES, strict=True)
    ]
    # A reason that another version has was one of the accord's when it was given.
    documents = (accord, sides.before.accord, *(version.accord for version in context.versions))
    codes = frozenset(reason.code for document in documents for reason in document.reject_reasons)
    return tuple(
        preview_duty(
            f"handoff.sales.{field}",
            TeamKind.SALES,
            sales_sentence(field, duties, accord),
            Unit.RATIO,
            Decimal(1),
            (fulfilled([*judged(before)]), fulfilled([*judged(after)])),
        )
        for field, judged in _agreed(duties, accord, codes, frame.as_of)
    )


def _agreed(
    duties: SalesDuties, accord: Accord, codes: frozenset[str], now: datetime
) -> Iterator[tuple[str, Callable[[People], Iterator[bool]]]]:
    """The agreed duties: the field, and what says for every person for whom it falls due whether it was fulfilled."""
    if limit := duties.decide_within:
        yield "decide_within", partial(_decided, limit=limit, ends=deadlines(accord, limit), now=now)
    if limit := duties.first_touch_within:
        yield "first_touch_within", partial(_touched, limit=limit, ends=deadlines(accord, limit), now=now)
    if attempts := duties.attempts:
        yield "attempts", partial(_attempted, limit=attempts.within, ends=deadlines(accord, attempts.within), now=now)
    if parts := duties.reject_with:
        yield "reject_with", partial(_explained, parts=parts, codes=codes)


def _decided(people: People, limit: TimeLimit, ends: Deadlines, now: datetime) -> Iterator[bool]:
    """Whether sales accepted or rejected a person in time."""
    return in_time(((person.handed_at, person.decided_at, now) for person in people), limit, ends)


def _touched(people: People, limit: TimeLimit, ends: Deadlines, now: datetime) -> Iterator[bool]:
    """Whether sales touched a person in time. Sales owes no touch once it rejected the person."""
    moments = []
    for person in people:
        until = now
        if person.status == HandoffStatus.REJECTED and person.decided_at is not None:
            until = person.decided_at
        is_touched = person.touched_at is not None and person.touched_at <= until
        moments.append((person.handed_at, person.touched_at if is_touched else None, until))
    return in_time(moments, limit, ends)


def _attempted(people: People, limit: TimeLimit, ends: Deadlines, now: datetime) -> Iterator[bool]:
    """Whether sales tried as often as agreed to reach an accepted person, or reached the person."""
    moments = []
    for person in people:
        if person.status == HandoffStatus.ACCEPTED:
            done = [at for at in (person.attempted_at, person.reached_at) if at is not None]
            moments.append((person.decided_at, min(done, default=None), now))
    return in_time(moments, limit, ends)


def _explained(people: People, parts: Sequence[RejectionPart], codes: frozenset[str]) -> Iterator[bool]:
    """Whether a rejection has a reason that is one of the codes, and a note, as far as they are agreed."""
    for person in people:
        if person.status == HandoffStatus.REJECTED:
            has_reason = "REASON" not in parts or person.reject_reason in codes
            yield has_reason and ("NOTE" not in parts or person.has_note)


async def _handed_over(
    session: ScratchSession,
    stage: str,
    column: str,
    duties: SalesDuties,
    context: MetricContext,
    frame: PreviewFrame,
) -> tuple[HandedOver, ...]:
    """The people whom a version counts in a stage, with what followed. `column` has their moments of this version."""
    # A decision that is dated ahead has not been made yet.
    columns = Sql(
        """h.id, h.handed_at, case when h.decided_at <= {} then h.decided_at end as decided_at,
  case when h.decided_at <= {} then h.status else 'PROPOSED' end as status, h.reject_reason, h.note""",
        frame.as_of,
        frame.as_of,
    )
    first = Sql(
        f"""select distinct on (p.contact_id) p.contact_id, h.handed_at, h.status, h.decided_at, h.reject_reason,
  coalesce(h.note ~ '[^[:space:]]', false) as has_note
from preview_person p join ({{}}) h using (contact_id)
where p.stage = {{}} and h.handed_at >= p.{column} and h.status <> 'RETURNED'
order by p.contact_id, h.handed_at, h.id""",
        handoffs(context, frame, columns),
        stage,
    )
    rows = await session.rows(
        Sql(
            """select c.handed_at, c.status, c.decided_at, c.reject_reason, c.has_note, a.touched_at, a.attempted_at,
  a.reached_at
from ({}) c{}""",
            first,
            _touches(duties, context, frame),
        )
    )
    return tuple(HandedOver(*row) for row in rows)


def _touches(duties: SalesDuties, context: MetricContext, frame: PreviewFrame) -> Sql:
    """A join of `a`: what the touches of the person of `c` since the handoff say. Without such a duty, none is read."""
    if duties.first_touch_within is None and duties.attempts is None:
        return Sql(
            " cross join (select null::timestamptz as touched_at, null::timestamptz as attempted_at,"
            " null::timestamptz as reached_at) a"
        )
    owned, merged = belongs_to(context, "t", "c")
    return Sql(
        """{} cross join lateral (
  select min(t.occurred_at) filter (where {}) as touched_at,
    (array_agg(t.occurred_at order by t.occurred_at)
      filter (where {} and t.occurred_at >= c.decided_at))[{}::int] as attempted_at,
    min(t.occurred_at) filter (where {}) as reached_at
  from touchpoint t where {} and t.voided_at is null and t.occurred_at >= c.handed_at and t.occurred_at <= {}
) a""",
        merged,
        ATTEMPT,
        ATTEMPT,
        duties.attempts.at_least if duties.attempts else 1,
        REACHED,
        owned,
        frame.as_of,
    )
