"""The share of rejections that say why, and of acceptances that nobody made."""

from dataclasses import dataclass
from datetime import datetime

from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.handoff_kinds.handoff_rows import HANDOFF_TIE, HandoffKind, handoff_rows
from api.metrics.kinds.business_clock import duties_of_sales
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of
from schema.clauses.handoff_duties import SalesDuties
from schema.kpis.answer_vocab import WarningCode

_BOTH = SalesDuties(reject_with=("REASON", "NOTE"))


@dataclass(frozen=True, slots=True)
class FeedbackShare(HandoffKind):
    """The share of the handoffs rejected in the period that have all that the accord wants of a rejection.

    Shapes: one row per rejected handoff.
    Source: the handoffs; the accord's reject reasons, and what a rejection has.
    """

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The handoffs: `contact_id, handoff_id, at` (the rejection)`, is_complete, responder_id`."""
        is_complete = Sql("c.is_complete")
        return CountedRows(
            rows=handoff_rows(
                request,
                Sql("h.decided_at"),
                [Sql("h.status = 'REJECTED'")],
                Sql("{} as is_complete", _is_complete(request)),
                Sql("h.assigned_to_id as responder_id"),
            ),
            aggregates=Aggregates(numerator=count_where(is_complete)),
            is_converted=is_complete,
            tie=HANDOFF_TIE,
        )

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No handoff was rejected."""
        return "No handoff was rejected in the period, so there is nothing to divide by."


@dataclass(frozen=True, slots=True)
class DefaultAcceptShare(HandoffKind):
    """The share of accepted handoffs that counted as accepted because sales did not decide. No handoff says so yet.

    Shapes: no rows.
    """

    empty_code = WarningCode.NOT_RECORDED

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """None: what is not recorded is not 0."""
        return CountedRows(
            rows=handoff_rows(request, Sql("h.decided_at"), [Sql("false")]),
            aggregates=Aggregates(numerator=count_where(Sql("false"))),
            is_converted=Sql("false"),
            tie=HANDOFF_TIE,
        )

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """It is not recorded."""
        return "No handoff says whether it was accepted by default, so the share is not known."


def _is_complete(request: ResolvedKpiRequest) -> Sql:
    accord = request.context.accord
    parts = (duties_of_sales(accord) or _BOTH).reject_with
    conditions = []
    if "REASON" in parts:
        # A reason that a former version had was one of the accord's when it was given.
        documents = (accord, *(version.accord for version in request.context.versions))
        codes = sorted({reason.code for document in documents for reason in document.reject_reasons})
        conditions.append(Sql("coalesce(h.reject_reason = any ({}::text[]), false)", codes))
    if "NOTE" in parts:
        conditions.append(Sql("coalesce(h.note ~ '[^[:space:]]', false)"))
    return all_of(conditions) if conditions else Sql("true")
