"""The people whom we touched in the period: what the kinds that divide by them share.

A person counts once in every bucket in which they were touched, so buckets have rows of their own.
"""

from abc import ABC
from collections.abc import Iterator
from typing import ClassVar

from api.metrics.answer import AnswerWarning
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.contact_facts import person_of
from api.metrics.kinds.kind import FigureValues, KpiKind, share_figure
from api.metrics.kinds.stage_entries import between
from api.metrics.periods.period_days import Interval
from api.metrics.population import excluded_person
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of, join
from schema.kpis.answer_vocab import WarningCode

OUTBOUND = Sql("t.direction = 'OUTBOUND'")
INBOUND = Sql("t.direction = 'INBOUND'")


class TouchedShare(KpiKind, ABC):
    """A share of the people touched in the period; `may_still` says what those can still do who are waited for."""

    reads = ("touchpoint", "contact")
    may_still: ClassVar[str] = ""

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first outbound touch."""
        return first_outbound_touch(request)

    def figure(self, cell: FigureCell) -> FigureValues:
        """The part of the people divided by all of them."""
        return share_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nobody was touched."""
        return "Nobody was touched in the period, so there is nothing to divide by."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """OPEN_COHORT: how many people can still become part of the numerator."""
        if waiting := table.total.waiting:
            message = f"{waiting:,} of the people {self.may_still}. The value may still change."
            yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)


def first_outbound_touch(request: ResolvedKpiRequest) -> Sql:
    """A query for the first outbound touch."""
    reached = request.context.reach("touchpoint", "touchpoint")
    return Sql(
        "select min(occurred_at) from touchpoint where direction = 'OUTBOUND'{}",
        join("", (Sql(" and {}", condition) for condition in reached)),
    )


def touches_of(request: ResolvedKpiRequest, which: Sql, within: Interval, *columns: Sql) -> Sql:
    """The touches `t` that meet a condition, in an interval: `contact_id` (the person), `at`, and further columns."""
    person, joined = person_of(request.context, "t")
    conditions = [which, *between(Sql("t.occurred_at"), within), *request.context.reach("touchpoint", "t")]
    conditions += excluded_person(request, person)
    return Sql(
        "select {} as contact_id, t.occurred_at as at{} from touchpoint t{} where {}",
        person,
        join("", (Sql(", {}", column) for column in columns)),
        joined,
        all_of(conditions),
    )


def period_by_as_of(request: ResolvedKpiRequest) -> Interval:
    """The period up to `asOf`."""
    interval, until = request.frame.interval, request.frame.until
    return Interval(interval.start, min(interval.end or until, until))
