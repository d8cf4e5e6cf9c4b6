"""The share of closed deals, or of their amounts, that closed with some of the outcomes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.day_sums.summed_rows import SummedRows
from api.metrics.deal_kinds.amount_shares import amount_share, portion, unfit_to_divide
from api.metrics.deal_kinds.currency_conversion import converted, counted_amounts, missing_rates
from api.metrics.deal_kinds.deal_kind import ClosingKind
from api.metrics.deal_kinds.deal_rows import (
    IS_NEGATIVE,
    NEWEST_UPDATE,
    closing_amounts,
    closing_rows,
    first_closing,
    first_opening,
    unknown_amounts,
    unopened_deals,
)
from api.metrics.deal_kinds.openings import NOT_IN_PERIOD, opening_rows
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.kind import FigureValues, share_figure
from api.metrics.kinds.stage_entries import EVER
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.measures.deals import Closings, Openings
from schema.vocab import Anchor


@dataclass(frozen=True, slots=True)
class ClosingShare(ClosingKind):
    """Deals closed in the period with an outcome of the part, divided by those with an outcome of the whole.

    Shapes: PERIOD: one row per deal closed in the period. COHORT: one row per deal opened in it, open ones included.
    Source: the deals, and their history for a past `asOf`.
    """

    part: Closings
    whole: Closings

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Journeys have the present closings; of a cohort, also the openings, if all are known."""
        has_base = request.anchor is Anchor.PERIOD or not request.context.has_unopened_deals
        return has_base and not request.frame.is_past

    def summed(self, request: ResolvedKpiRequest) -> SummedRows | None:
        """The days of the closings; a cohort has no sums."""
        return ClosingKind.summed(self, request) if request.anchor is Anchor.PERIOD else None

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first closing, or the first opening."""
        return first_opening(request) if request.anchor is Anchor.COHORT else first_closing(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The closings: `deal_id, at, outcome, updated_at`; of a cohort the openings, with the outcome by `asOf`."""
        outcomes = [outcome.value for outcome in self.part.outcomes]
        if request.anchor is Anchor.COHORT:
            return _followed(request, self.whole, Sql("coalesce(c.last_outcome = any ({}::text[]), false)", outcomes))
        is_part = Sql("coalesce(c.outcome = any ({}::text[]), false)", outcomes)
        return CountedRows(
            rows=closing_rows(request, self.whole),
            aggregates=Aggregates(numerator=count_where(is_part), updated_at=NEWEST_UPDATE),
            is_converted=is_part,
            is_negative=IS_NEGATIVE,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The part divided by the whole."""
        return share_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No deal was closed, or opened."""
        happened = "opened" if request.anchor is Anchor.COHORT else "closed"
        return f"No deal was {happened} in the period, so there is nothing to divide by."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """Of a cohort, OPEN_COHORT: how many deals are still open; UNDATED."""
        if waiting := table.total.waiting:
            are = "deal is" if waiting == 1 else "deals are"
            message = f"{waiting:,} {are} still open. The value may still change."
            yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)
        yield from unopened_deals(table, NOT_IN_PERIOD)


def _followed(request: ResolvedKpiRequest, whole: Closings, is_won: Sql) -> CountedRows:
    """The deals opened in the period, with their outcome by `asOf`.

    `deal_id, at, last_outcome, is_open, is_unopened`.
    """
    ever = replace(request, frame=replace(request.frame, interval=EVER))
    is_dated = Sql("not c.is_unopened")
    is_part = Sql("{} and {}", is_dated, is_won)
    # A deal closed with a negative amount is closed, and its outcome does not count.
    rows = Sql(
        "select o.*, k.outcome as last_outcome, a.deal_id is null as is_open from ({}) o"
        " left join ({}) a on a.deal_id = o.deal_id left join ({}) k on k.deal_id = o.deal_id",
        opening_rows(request, Openings(), has_amounts=False),
        closing_rows(ever, whole, has_refunds=True),
        closing_rows(ever, whole),
    )
    return CountedRows(
        rows=rows,
        aggregates=Aggregates(
            n=count_where(is_dated),
            numerator=count_where(is_part),
            waiting=count_where(Sql("{} and c.is_open", is_dated)),
            unopened=count_where(Sql("c.is_unopened")),
            updated_at=NEWEST_UPDATE,
        ),
        is_base=is_dated,
        is_converted=is_part,
    )


@dataclass(frozen=True, slots=True)
class ClosingAmountShare(ClosingKind):
    """The amounts of the deals closed in the period with an outcome of the part, divided by those of the whole.

    Shapes: one row per deal; n counts those with a known amount.
    Units:  the reporting currency; unconverted amounts are in neither numerator nor denominator.
    Source: the deals, their history, and the exchange rates.
    """

    part: Closings
    whole: Closings
    divides_amounts = True

    def summed(self, request: ResolvedKpiRequest) -> SummedRows | None:
        """None: sums have no amounts of a part."""
        return None

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The closings without negative amounts: `deal_id, at, outcome, worth, unconverted_currency`."""
        is_part = Sql("c.outcome = any ({}::text[])", [outcome.value for outcome in self.part.outcomes])
        counted = counted_amounts(converted(request, closing_amounts(request, self.whole, has_refunds=False)))
        return replace(
            counted,
            aggregates=replace(counted.aggregates, portions=portion(is_part)),
            is_converted=Sql("{} and c.worth is not null", is_part),
            is_negative=IS_NEGATIVE,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The amounts of the part divided by those of the whole."""
        return amount_share(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No amount is known."""
        return "No deal closed in the period has a known amount, so there is nothing to divide by."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """ZERO_DENOMINATOR, UNKNOWN_AMOUNT, MISSING_RATE."""
        yield from unfit_to_divide(table, "deals closed in the period")
        yield from unknown_amounts(table)
        yield from missing_rates(request, table)
