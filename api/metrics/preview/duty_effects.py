"""What a version would have made of marketing's duties to sales, and what the effects on all duties have in common."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, partial

from api.accord.clause_paths import item_steps
from api.db import ScratchSession
from api.metrics.context import MetricContext
from api.metrics.figure_table import share
from api.metrics.kinds.contact_facts import person_of
from api.metrics.periods.buckets import buckets, is_cut, pairs
from api.metrics.preview.figures import PreviewDuty
from api.metrics.preview.preview_frame import PreviewFrame
from api.sql import Sql, all_of, join, name
from schema.accord import Accord
from schema.clauses.handoff_duties import (
    CompletenessDuty,
    HandoffDuties,
    HandOverDuty,
    MarketingDuties,
    VolumeDuty,
)
from schema.clauses.time_limits import TimeLimit
from schema.sentences.duty_sentences import duty_sentences
from schema.vocab import TeamKind, Unit

Deadlines = Callable[[datetime], datetime]
SIDES = ("at_before", "at_after")
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class DutyResult:
    """What one version makes of a duty. `due` is for how many people it falls due; None for a volume."""

    value: Decimal | None
    due: int | None = None


Both = tuple[DutyResult, DutyResult]


def fulfilled(judged: Collection[bool]) -> DutyResult:
    """The share of the people for whom a duty was fulfilled, of those for whom it falls due."""
    return DutyResult(share(sum(judged), len(judged)), len(judged))


def preview_duty(clause: str, team: TeamKind, title: str, unit: Unit, owed: Decimal, both: Both) -> PreviewDuty:
    """A duty with what both versions make of it."""
    before, after = both
    return PreviewDuty(
        clause=clause,
        team=team,
        title=title,
        unit=unit,
        owed=owed,
        due_before=before.due,
        due_after=after.due,
        value_before=before.value,
        value_after=after.value,
    )


async def find_marketing_duties(
    session: ScratchSession, accord: Accord, context: MetricContext, frame: PreviewFrame
) -> tuple[PreviewDuty, ...]:
    """Measure every duty of marketing, by both versions.

    Shapes: the temporary table `preview_person` -> one PreviewDuty per duty, in the order of the document.
    """
    marketing = accord.handoff.marketing if accord.handoff else None
    if marketing is None:
        return ()
    found: list[PreviewDuty] = []
    for step, volume in zip(item_steps(marketing.volume), marketing.volume, strict=True):
        both = await _volume(session, volume, frame)
        alone = MarketingDuties(volume=(volume,))
        found.append(_duty(accord, f"volume.{step}", alone, Unit.PEOPLE, Decimal(volume.at_least), both))
    for step, completeness in zip(item_steps(marketing.completeness), marketing.completeness, strict=True):
        both = await _completeness(session, completeness, accord)
        alone = MarketingDuties(completeness=(completeness,))
        found.append(_duty(accord, f"completeness.{step}", alone, Unit.RATIO, completeness.at_least, both))
    for step, hand_over in zip(item_steps(marketing.hand_over), marketing.hand_over, strict=True):
        both = await _hand_over(session, hand_over, accord, context, frame)
        alone = MarketingDuties(hand_over=(hand_over,))
        found.append(_duty(accord, f"hand_over.{step}", alone, Unit.RATIO, Decimal(1), both))
    return tuple(found)


def _duty(accord: Accord, path: str, alone: MarketingDuties, unit: Unit, owed: Decimal, both: Both) -> PreviewDuty:
    (sentence,) = duty_sentences(HandoffDuties(marketing=alone), accord)
    return preview_duty(f"handoff.marketing.{path}", TeamKind.MARKETING, sentence, unit, owed, both)


async def _volume(session: ScratchSession, duty: VolumeDuty, frame: PreviewFrame) -> Both:
    """The people counted in the stage, on average over the whole periods of the duty."""
    edges = buckets(frame.days, frame.start, frame.as_of, duty.per, frame.zone, frame.reporting)
    whole = [
        (start, before)
        for start, before in pairs(edges)
        if before <= frame.as_of and not is_cut(start, before, duty.per, frame.zone, frame.reporting)
    ]
    if not whole:
        return DutyResult(None), DutyResult(None)
    first, last = whole[0][0], whole[-1][1]
    row = await session.row(
        Sql(
            "select count(*) filter (where at_before >= {} and at_before < {}),"
            " count(*) filter (where at_after >= {} and at_after < {}) from preview_person where stage = {}",
            *(first, last, first, last, duty.stage),
        )
    )
    if row is None:
        raise LookupError("an aggregate without groups has one row")
    before, after = (DutyResult((Decimal(count) / len(whole)).quantize(_CENT)) for count in row)
    return before, after


async def _completeness(session: ScratchSession, duty: CompletenessDuty, accord: Accord) -> Both:
    """The share of the people for whom everything that the stage needs is known at the moment at which they count."""
    needs = accord.stages[accord.rank(duty.stage) - 1].needs
    held = "coalesce({0}.valid_from, {0}.recorded_at) <= p.at and ({0}.valid_to is null or {0}.valid_to > p.at)"
    known = all_of(
        Sql("{}.{} is not null", name("w" if need.startswith("company.") else "v"), name(need.partition(".")[2]))
        for need in needs
    )
    found = []
    for column in SIDES:
        row = await session.row(
            Sql(
                f"""select count(*) filter (where {{}}), count(*)
from (select contact_id, {column} as at from preview_person where stage = {{}} and {column} is not null) p
left join contact_version v on v.contact_id = p.contact_id and {held.format("v")}
left join company_version w on w.company_id = v.company_id and {held.format("w")}""",
                known,
                duty.stage,
            )
        )
        if row is None:
            raise LookupError("an aggregate without groups has one row")
        found.append(DutyResult(share(row[0], row[1]), row[1]))
    return found[0], found[1]


async def _hand_over(
    session: ScratchSession, duty: HandOverDuty, accord: Accord, context: MetricContext, frame: PreviewFrame
) -> Both:
    """The share of the people who were handed over in time. Whose time is not over yet is left out."""
    columns = join(", ", (Sql(f"min(h.handed_at) filter (where h.handed_at >= p.{column})") for column in SIDES))
    rows = await session.rows(
        Sql(
            """select p.at_before, p.at_after, {} from preview_person p
left join ({}) h using (contact_id) where p.stage = {} group by p.contact_id, p.at_before, p.at_after""",
            columns,
            handoffs(context, frame, Sql("h.handed_at")),
            duty.stage,
        )
    )
    ends = deadlines(accord, duty.within)
    before, after = (
        fulfilled([*in_time(((row[at], row[handed], frame.as_of) for row in rows), duty.within, ends)])
        for at, handed in ((0, 2), (1, 3))
    )
    return before, after


def handoffs(context: MetricContext, frame: PreviewFrame, columns: Sql) -> Sql:
    """The handoffs `h` up to now: the person as `contact_id`, and further columns."""
    person, merged = person_of(context, "h")
    return Sql(
        "select {} as contact_id, {} from handoff h{} where h.handed_at <= {}", person, columns, merged, frame.as_of
    )


def deadlines(accord: Accord, limit: TimeLimit) -> Deadlines:
    """What finds the instant at which a limit ends, by its start. Both versions count much the same people: it keeps
    what it found.
    """
    return cache(partial(accord.after, limit))


def in_time(
    moments: Iterable[tuple[datetime | None, datetime | None, datetime]], limit: TimeLimit, ends: Deadlines
) -> Iterator[bool]:
    """Whether something was done in time, for every start after which it was done, or after which the time is over.

    Shapes: (when the time began, when it was done, until when it was owed if it was not done) -> a bool, or nothing.
            A start of None is left out.
    """
    for start, done, until in moments:
        if start is None:
            continue
        end = done or until
        # The calendar is never open for longer than the time that passes, so most people need no calendar.
        is_within = end <= start + limit.time or (limit.calendar is not None and end <= ends(start))
        if done is not None or not is_within:
            yield done is not None and is_within
