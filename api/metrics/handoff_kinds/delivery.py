"""How many people marketing delivered to sales, of those whom it owed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

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
    without_duty: ClassVar[str] = "The accord owes no number of people: agree on one in handoff.marketing.volume."

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The people: `contact_id, part, at` (the first delivery in the part)`, duty`."""
        return CountedRows(rows=self.delivered(request, boundaries), tie=Sql("c.duty::text"), has_parts=True)

    def duties(self, accord: Accord) -> tuple[VolumeDuty, ...]:
        """The duties that the KPI is about."""
        marketing = accord.handoff.marketing if accord.handoff else None
        return marketing.volume if marketing else ()

    def worth(self, duty: VolumeDuty) -> Decimal:
        """What a person of a duty counts for."""
        return Decimal(1)

    def handed_over(self, request: ResolvedKpiRequest, place: int, duty: VolumeDuty) -> Sql:
        """The handoffs that fulfil a duty: `contact_id, handoff_id, at` (when they count)`, duty, worth`."""
        is_accepted = duty.count is DeliveryCount.ACCEPTED
        at = Sql("h.decided_at" if is_accepted else "h.handed_at")
        accepted = [Sql("h.status = 'ACCEPTED'")] if is_accepted else []
        columns = (Sql("{}::int as duty", place), Sql("{}::numeric as worth", self.worth(duty)))
        return handoff_rows(request, at, [had_entered(request, duty.stage), *accepted], *columns)

    def delivered(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
        """One row per person, duty and part: `contact_id, duty, worth, part, at`."""
        duties = self.duties(request.context.accord)
        rows = [self.handed_over(request, place, duty) for place, duty in enumerate(duties)]
        if not rows:
            none = (Sql("0 as duty"), Sql("0::numeric as worth"))
            rows = [handoff_rows(request, Sql("h.handed_at"), [Sql("false")], *none)]
        return Sql(
            "select p.contact_id, p.duty, p.worth, p.part, min(p.at) as at from ({}) p"
            " group by p.contact_id, p.duty, p.worth, p.part",
            in_parts(join(" union all ", rows), boundaries, Sql("r.at")),
        )

    def owed_between(self, accord: Accord, first: date, before: date) -> Decimal:
        """What marketing owes for the days `[first, before)`. A period that is cut is owed by its days."""
        owed = (
            _people_owed(duty, first, before, accord.reporting) * Fraction(self.worth(duty))
            for duty in self.duties(accord)
        )
        total = sum(owed, Fraction(0))
        return (Decimal(total.numerator) / total.denominator).quantize(MILLIONTH)

    def adjusted(
        self, request: ResolvedKpiRequest, table: FigureTable, boundaries: tuple[datetime, ...]
    ) -> FigureTable:
        """Every cell with what is owed in its time. A group is a share of all that is owed, so that groups sum up."""
        zone = request.frame.zone
        days = [(day_of(start, zone), day_of(before, zone)) for start, before in pairs(boundaries)]
        owed: dict[int | Literal["all"], Decimal | None] = {ALL: self.owed_in_period(request)}
        owed |= {number: self.owed_between(request.context.accord, *span) for number, span in enumerate(days, start=1)}
        rows: tuple[Keys | Literal["all"], ...] = (ALL, *table.keys)
        addresses: list[CellAddress] = [(keys, bucket) for keys in rows for bucket in owed]
        cells = {
            address: replace(table.cells.get(address, FigureCell()), owed=owed[address[1]]) for address in addresses
        }
        return replace(table, cells=cells)

    def figure(self, cell: FigureCell) -> FigureValues:
        """The delivered divided by the owed, which may be more than 1."""
        delivered = self.numerator(cell)
        value = (delivered / cell.owed).quantize(MILLIONTH) if cell.owed else None
        return figure_values(cell, value, fraction=(delivered, cell.owed or Decimal(0)))

    def numerator(self, cell: FigureCell) -> Decimal:
        """What was delivered."""
        return Decimal(cell.n)

    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """Nothing is owed; None if something is, of which nothing was delivered."""
        return None if self.owed_in_period(request) else self.why_nothing_is_owed(request)

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """ZERO_DENOMINATOR if people were delivered, and nothing was owed."""
        if table.total.n and not table.total.owed:
            yield AnswerWarning(
                code=WarningCode.ZERO_DENOMINATOR, message=self.why_nothing_is_owed(request), count=table.total.n
            )

    def owed_in_period(self, request: ResolvedKpiRequest) -> Decimal | None:
        """What is owed for the whole period, also for its days to come; None if it has no start or is too long."""
        days = request.frame.days
        before = days.before or day_of(request.frame.as_of, request.frame.zone) + timedelta(days=1)
        if days.starts_on is None or before - days.starts_on > _LONGEST:
            return None
        return self.owed_between(request.context.accord, days.starts_on, before)

    def why_nothing_is_owed(self, request: ResolvedKpiRequest) -> str:
        """The reason, and what to do."""
        if not self.duties(request.context.accord):
            return self.without_duty
        return "Marketing owes people by period: name a period with a start, of at most 100 years."


def owed_between(accord: Accord, first: date, before: date) -> Decimal:
    """How many people marketing owes for the days `[first, before)`."""
    return DeliveryShare().owed_between(accord, first, before)


def had_entered(request: ResolvedKpiRequest, stage: str) -> Sql:
    """Whether the person of the handoff `h` had entered a stage by the handing over."""
    person, _ = person_of(request.context, "h")
    return Sql(
        "exists (select from stage_entry e where e.contact_id = {} and e.evaluation_id = {} and e.stage = {}"
        " and e.entered_at <= h.handed_at)",
        person,
        request.context.evaluation,
        stage,
    )


def _people_owed(duty: VolumeDuty, first: date, before: date, reporting: Reporting) -> Fraction:
    total, start = Fraction(0), first_day_of(duty.per, first, reporting)
    while start < before:
        end = plus_units(start, duty.per, 1)
        days = (min(end, before) - max(start, first)).days
        total += Fraction(duty.at_least * days, (end - start).days)
        start = end
    return total
