"""How often the open pipeline covers what is missing of the target."""

from fractions import Fraction
from typing import ClassVar

from api.metrics.composites.cell_days import CellDays
from api.metrics.composites.closing_pipeline import ClosingPipeline
from api.metrics.composites.composite_kind import AgreedValues, CompositeKind, GroupValues
from api.metrics.composites.parts import AgreedPart, CountedPart, NoValue, PartValue, PartValues, Quotient, given
from api.metrics.deal_kinds.deal_amounts import ClosingSum
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.targets.agreed_targets import KpiTargets, Part, part_of_filter, part_of_group
from schema.access.rights import Reach
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.measures.deals import Closings
from schema.kpis.pipeline import REVENUE_WON
from schema.vocab import DealOutcome, Unit

_PARTS = (
    CountedPart(
        name="open_pipeline",
        title="Open pipeline that closes in the period",
        unit=Unit.MONEY,
        kind=ClosingPipeline(),
        value=PartValue.SUM,
        has_own_total=True,
    ),
    AgreedPart(
        name="target",
        title="Target of revenue won",
        unit=Unit.MONEY,
        missing="The accord has no target of revenue_won for these days and this part of the deals: state one in "
        "[[targets]], for the period or for all of its quarters or months.",
    ),
    CountedPart(
        name="revenue_won",
        title="Revenue won so far",
        unit=Unit.MONEY,
        kind=ClosingSum(Closings((DealOutcome.WON,))),
        value=PartValue.SUM,
    ),
)


class PipelineCoverage(CompositeKind):
    """The open pipeline that is expected to close in the period, divided by what is missing of the target.

    Source: the deals, their history, and the exchange rates; the accord's targets of revenue won.
    """

    unit: ClassVar[Unit] = Unit.RATIO
    parts = _PARTS
    may_lie_ahead = True

    def agreed(self, request: ResolvedKpiRequest, days: CellDays, group: GroupValues | None) -> AgreedValues:
        """The target for the days of the cell and its group. A target is for all records: a partial reach has none."""
        if request.context.principal.reach is not Reach.ALL:
            return {}
        frame = request.frame
        targets = KpiTargets.of(REVENUE_WON, request.context.accord, frame.zone, frame.as_of)
        target = targets.only_agreed(days.first, days.before, _part_of_cell(request, group))
        return {} if target is None else {"target": Fraction(target.value)}

    def quotient(self, values: PartValues) -> Quotient | NoValue:
        """The open pipeline by the target without what is won."""
        missing = given(values, "target") - given(values, "revenue_won")
        if missing <= 0:
            return NoValue(WarningCode.TARGET_MET, "The target is met: nothing is left for the open pipeline to cover.")
        return Quotient(given(values, "open_pipeline"), missing)


def _part_of_cell(request: ResolvedKpiRequest, group: GroupValues | None) -> Part | None:
    """The part of the deals that a cell is of; None if no target can be for it."""
    part = part_of_filter(request.where)
    if part is None or group is None:
        return part
    values = (None if value is None else str(value) for value in group)
    return part_of_group(part, tuple(zip(request.by, values, strict=True)))
