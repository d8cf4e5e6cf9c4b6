"""How many people marketing delivered to sales, of those whom it owed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from api.metrics.answer import AnswerWarning
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import ALL, MILLIONTH, CellAddress, FigureCell, FigureTable, Keys
from api.metrics.handoff_kinds.handoff_rows import HandoffKind, handoff_rows
from api.metrics.kinds.contact_facts import in_parts, person_of
from api.metrics.kinds.kind import FigureValues, figure_values
from api.metrics.periods.buckets import pairs
from api.metrics.periods.calendar_units import day_of, first_day_of, plus_units
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.source_gaps import STAGE_ENTRIES
from api.sql import Sql, join
from schema.accord import Accord
from schema.clauses.clause_vocab import DeliveryCount
from schema.clauses.handoff_duties import VolumeDuty
from schema.clauses.reporting import Reporting
from schema.kpis.answer_vocab import WarningCode

_LONGEST = timedelta(days=36_525)  # 100 years


@dataclass(frozen=True, slots=True)
class DeliveryShare(HandoffKind):
    """The people delivered in the period, divided by those whom the accord's duties of volume owe for its days.

    Shapes: one row per person, duty and part (bucket or total): a person counts once in each.
    Source: the handoffs; the stage entries of the current evaluation; the accord's duties of volume.
    """

    row_noun = "people"
    reads = (STAGE_ENTRIES, "handoff", "contact")

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The people: `contact_id, part, at` (the first delivery in the part)`, duty`."""
        return CountedRows(rows=_delivered(request, boundaries), tie=Sql("c.duty::text"), has_parts=True)

    def adjusted(
        self, request: ResolvedKpiRequest, table: FigureTable, boundaries: tuple[datetime, ...]
    ) -> FigureTable:
        """Every cell with what is owed in its time. A group is a share of all that is owed, so that groups sum up."""
        zone = request.frame.zone
        days = [(day_of(start, zone), day_of(before, zone)) for start, before in pairs(boundaries)]
        owed: dict[int | Literal["all"], Decimal | None] = {ALL: _owed_in_period(request)}
        owed |= {number: owed_between(request.context.accord, *span) for number, span in enumerate(days, start=1)}
        rows: tuple[Keys | Literal["all"], ...] = (ALL, *table.keys)
        addresses: list[CellAddress] = [(keys, bucket) for keys in rows for bucket in owed]
        cells = {
            address: replace(table.cells.get(address, FigureCell()), owed=owed[address[1]]) for address in addresses
        }
        return replace(table, cells=cells)

    def figure(self, cell: FigureCell) -> FigureValues:
        """The delivered divided by the owed, which may be more than 1."""
        delivered = Decimal(cell.n)
        value = (delivered / cell.owed).quantize(MILLIONTH) if cell.owed else None
        return figure_values(cell, value, fraction=(delivered, cell.owed or Decimal(0)))

    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """Nothing is owed; None if something is, of which nothing was delivered."""
        return None if _owed_in_period(request) else _why_nothing_is_owed(request)

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """ZERO_DENOMINATOR if people were delivered, and nothing was owed."""
        if table.total.n and not table.total.owed:
            yield AnswerWarning(
                code=WarningCode.ZERO_DENOMINATOR, message=_why_nothing_is_owed(request), count=table.total.n
            )


def owed_between(accord: Accord, first: date, before: date) -> Decimal:
    """How many people marketing owes for the days `[first, before)`. A period that is cut is owed by its days."""
    total = sum((_owed(duty, first, before, accord.reporting) for duty in _duties(accord)), Fraction(0))
    return (Decimal(total.numerator) / total.denominator).quantize(MILLIONTH)


def _owed(duty: VolumeDuty, first: date, before: date, reporting: Reporting) -> Fraction:
    total, start = Fraction(0), first_day_of(duty.per, first, reporting)
    while start < before:
        end = plus_units(start, duty.per, 1)
        days = (min(end, before) - max(start, first)).days
        total += Fraction(duty.at_least * days, (end - start).days)
        start = end
    return total


def _owed_in_period(request: ResolvedKpiRequest) -> Decimal | None:
    """What is owed for the whole period, also for its days to come; None if it has no start or is too long."""
    days = request.frame.days
    before = days.before or day_of(request.frame.as_of, request.frame.zone) + timedelta(days=1)
    if days.starts_on is None or before - days.starts_on > _LONGEST:
        return None
    return owed_between(request.context.accord, days.starts_on, before)


def _why_nothing_is_owed(request: ResolvedKpiRequest) -> str:
    if not _duties(request.context.accord):
        return "The accord owes no number of people: agree on one in handoff.marketing.volume."
    return "Marketing owes people by period: name a period with a start, of at most 100 years."


def _duties(accord: Accord) -> tuple[VolumeDuty, ...]:
    marketing = accord.handoff.marketing if accord.handoff else None
    return marketing.volume if marketing else ()


def _delivered(request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
    rows = [_handed_over(request, place, duty) for place, duty in enumerate(_duties(request.context.accord))]
    if not rows:
        rows = [handoff_rows(request, Sql("h.handed_at"), [Sql("false")], Sql("0 as duty"))]
    return Sql(
        "select p.contact_id, p.duty, p.part, min(p.at) as at from ({}) p group by p.contact_id, p.duty, p.part",
        in_parts(join(" union all ", rows), boundaries, Sql("r.at")),
    )


def _handed_over(request: ResolvedKpiRequest, place: int, duty: VolumeDuty) -> Sql:
    """The handoffs of people who had entered the stage of a duty, at the instant at which they count as delivered."""
    person, _ = person_of(request.context, "h")
    had_entered = Sql(
        "exists (select from stage_entry e where e.contact_id = {} and e.evaluation_id = {} and e.stage = {}"
        " and e.entered_at <= h.handed_at)",
        person,
        request.context.evaluation,
        duty.stage,
    )
    is_accepted = duty.count is DeliveryCount.ACCEPTED
    at = Sql("h.decided_at" if is_accepted else "h.handed_at")
    accepted = [Sql("h.status = 'ACCEPTED'")] if is_accepted else []
    return handoff_rows(request, at, [had_entered, *accepted], Sql("{}::int as duty", place))
