"""How much money the open deals bring per day."""

from typing import ClassVar

from api.metrics.composites.composite_kind import CompositeKind
from api.metrics.composites.parts import CountedPart, NoValue, PartValue, PartValues, Quotient
from api.metrics.deal_kinds.closing_ratio import ClosingShare
from api.metrics.deal_kinds.deal_amounts import ClosingAverage
from api.metrics.deal_kinds.pipeline_snapshot import OpenDealCount
from api.metrics.deal_kinds.sales_cycle import SalesCycle
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.measures.deals import Closings
from schema.vocab import DealOutcome, Unit

_WON = Closings((DealOutcome.WON,))
_CLOSED = Closings((DealOutcome.WON, DealOutcome.LOST))
_SECONDS_PER_DAY = 86_400
_PARTS = (
    CountedPart(
        name="open_deals",
        title="Open deals",
        unit=Unit.COUNT,
        kind=OpenDealCount(),
        value=PartValue.COUNT,
    ),
    CountedPart(
        name="win_rate",
        title="Win rate",
        unit=Unit.RATIO,
        kind=ClosingShare(_WON, _CLOSED),
        value=PartValue.SHARE,
        is_sample=True,
    ),
    CountedPart(
        name="avg_deal_size",
        title="Average deal size",
        unit=Unit.MONEY,
        kind=ClosingAverage(_WON),
        value=PartValue.MEAN,
        is_sample=True,
    ),
    CountedPart(
        name="sales_cycle",
        title="Average sales cycle",
        unit=Unit.SECONDS,
        kind=SalesCycle(_WON),
        value=PartValue.MEAN,
        is_sample=True,
    ),
)


class SalesVelocity(CompositeKind):
    """The number of open deals times win rate and average won amount, divided by the average days from opening to win.

    Units:  money of the answer's currency per day.
    Source: the deals, their history, and the exchange rates.
    """

    unit: ClassVar[Unit] = Unit.MONEY_PER_DAY
    parts = _PARTS

    def quotient(self, values: PartValues) -> Quotient | NoValue:
        """The money that the open deals bring, by the days that it takes."""
        open_deals, win_rate = values["open_deals"], values["win_rate"]
        size, seconds = values["avg_deal_size"], values["sales_cycle"]
        if open_deals is None or win_rate is None:
            return NoValue(WarningCode.ZERO_DENOMINATOR, "No deal was closed in the period, so there is no win rate.")
        if size is None:
            message = "No deal won in the period has a known amount, so there is no average deal size."
            return NoValue(WarningCode.ZERO_DENOMINATOR, message)
        if seconds is None:
            message = "No deal won in the period has a known opening, so there is no sales cycle."
            return NoValue(WarningCode.ZERO_DENOMINATOR, message)
        if not seconds:
            message = "All deals won in the period were won at the instant they were opened: the sales cycle is 0 days."
            return NoValue(WarningCode.ZERO_DENOMINATOR, message)
        return Quotient(open_deals * win_rate * size, seconds / _SECONDS_PER_DAY)
