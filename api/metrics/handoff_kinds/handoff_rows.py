"""Rows of handoffs, the touches that follow them, and the clock of the salespeople: what kinds of handoffs share."""

from abc import ABC
from collections.abc import Iterable, Iterator
from typing import ClassVar

from api.metrics.answer import AnswerWarning
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.contact_facts import belongs_to, counts, person_of
from api.metrics.kinds.kind import FigureValues, KpiKind, share_figure
from api.metrics.kinds.stage_entries import between
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of, join
from schema.kpis.answer_vocab import WarningCode

HANDOFF_TIE = Sql("c.handoff_id::text")
NO_JOIN = Sql("")
FIRST_HANDOFF = Sql("select min(handed_at) from handoff")
_BY_SALES = "not t.is_automated and t.team_kind is distinct from 'MARKETING'"
ATTEMPT = Sql(f"t.direction = 'OUTBOUND' and {_BY_SALES}")
# A conversation, or the person's own reply, call or meeting.
REACHED = Sql(
    f"{_BY_SALES} and (t.outcome in ('QUALIFIED', 'CONNECTED', 'NOT_INTERESTED')"
    " or t.direction = 'INBOUND' and t.kind in ('EMAIL_REPLY', 'CALL', 'MEETING'))"
)


class HandoffKind(KpiKind, ABC):
    """What is counted of handoffs; `may_still` says what those can still do that are waited for."""

    row_noun = "handoffs"
    reads: ClassVar[tuple[str, ...]] = ("handoff", "contact")
    may_still: ClassVar[str] = ""

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first handoff: nothing that is counted happens before it was handed over."""
        return first_handoff(request)

    def figure(self, cell: FigureCell) -> FigureValues:
        """The part of the handoffs divided by all of them."""
        return share_figure(cell)

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """OPEN_COHORT: of how many handoffs the time is not over yet."""
        if waiting := table.total.waiting:
            message = f"{waiting:,} of the handoffs {self.may_still}. The value may still change."
            yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)


def first_handoff(request: ResolvedKpiRequest) -> Sql:
    """A query for the first handoff."""
    reached = request.context.reach("handoff", "handoff")
    return FIRST_HANDOFF + (Sql(" where {}", all_of(reached)) if reached else Sql(""))


def handoff_rows(
    request: ResolvedKpiRequest, at: Sql, conditions: Iterable[Sql], *columns: Sql, joined: Sql = NO_JOIN
) -> Sql:
    """The handoffs `h` that count at an instant in the period: `contact_id, handoff_id, at`, and further columns.

    `joined` is a join that the conditions or columns read.
    """
    person, merged = person_of(request.context, "h")
    within = [*between(at, request.frame.interval), Sql("{} < {}", at, request.frame.until)]
    return Sql(
        "select {} as contact_id, h.id as handoff_id, {} as at{} from handoff h{}{} where {}",
        person,
        at,
        join("", (Sql(", {}", column) for column in columns)),
        merged,
        joined,
        all_of([*within, *conditions, counts(request, person), *request.context.reach("handoff", "h")]),
    )


def touches_after(request: ResolvedKpiRequest, conditions: Iterable[Sql], aggregates: Sql) -> Sql:
    """A join of `a`, aggregates of the touches `t` of the person of `c` that meet the conditions, up to `asOf`."""
    owned, merged = belongs_to(request.context, "t", "c")
    until = Sql("t.occurred_at < {}", request.frame.until)
    reached = request.context.reach("touchpoint", "t")
    return Sql(
        "{} cross join lateral (select {} from touchpoint t where {}) a",
        merged,
        aggregates,
        all_of([owned, *conditions, until, *reached]),
    )
