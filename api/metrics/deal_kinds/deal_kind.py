"""What kinds of KPIs that count deals share."""

from abc import ABC
from typing import ClassVar

from api.metrics.day_sums.summed_rows import SummedRows, SumUnit
from api.metrics.deal_kinds.deal_rows import first_closing, first_opening
from api.metrics.kinds.kind import KpiKind
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.deal_events import DealEvent


class DealKind(KpiKind, ABC):
    """What is counted of deals."""

    row_noun = "deals"
    reads: ClassVar[tuple[str, ...]] = ("deal",)


class ClosingKind(DealKind, ABC):
    """What is counted of closings."""

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Journeys have the present closings."""
        return not request.frame.is_past

    def summed(self, request: ResolvedKpiRequest) -> SummedRows | None:
        """The days of the closings."""
        return SummedRows(SumUnit.DAY, "deal_journey", (DealEvent.CLOSED.value,))

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first closing."""
        return first_closing(request)


class OpeningKind(DealKind, ABC):
    """What is counted of openings."""

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Journeys have the openings that are known."""
        return not request.context.has_unopened_deals

    def summed(self, request: ResolvedKpiRequest) -> SummedRows | None:
        """The days of the openings."""
        return SummedRows(SumUnit.DAY, "deal_journey", (DealEvent.OPENED.value,))

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first opening."""
        return first_opening(request)
