"""How long people stay in a stage."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.cohorts import DURATION, TOOK, cohort_statement
from api.metrics.kinds.kind import FigureValues, KpiKind
from api.metrics.kinds.stage_entries import RANK_TIE, counted_entries, first_entry, skipped_stage
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.stage_kinds.survival import survival_figure, with_survival
from api.sql import Sql
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Skip


@dataclass(frozen=True, slots=True)
class TimeInStage(KpiKind):
    """The time from each entry into a stage in the period to its exit.

    Shapes: one row per entry; n counts those that have ended.
    Units:  seconds.
    Source: the stage entries of the current evaluation.
    """

    row_noun = "entries"

    def stages(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """All stages."""
        return known

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first entry into any stage."""
        return first_entry(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The entries with their exit."""
        return CountedRows(rows=_stays(request), is_base=Sql("c.target_at is not null"), value=TOOK, tie=RANK_TIE)

    def statement(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
        """The statement of the entries. All open ones are counted as waiting: an open entry is not a failed one."""
        statement = cohort_statement(request, _with_skipped(request), boundaries, DURATION, is_always_open=True)
        return with_survival(request, statement, _stays(request), boundaries)

    def figure(self, cell: FigureCell) -> FigureValues:
        """The median and the distribution of the ended entries, and the median of all."""
        return survival_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No entry ended, or none without skipping the stage."""
        own = "" if request.skip is Skip.IMPLIED else " by the person's own facts"
        return f"No entry of the period{own} has ended, so there is no duration."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """OPEN_COHORT: how many entries have not ended. SKIPPED_STAGE: how many skipped the stage."""
        if waiting := table.total.waiting:
            message = f"{waiting:,} of the entries have not ended: they have no duration yet and are not in the value."
            yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)
        one, many = "entry skipped its stage", "entries skipped their stage"
        yield from skipped_stage(table, one=one, many=many)


def _stays(request: ResolvedKpiRequest) -> Sql:
    """One row per entry: `contact_id, at, is_implied, stage, rank, target_at` (exit), `may_convert` (still open)."""
    until = request.frame.until
    # A person whose own facts came after the exit was never in the stage by own facts.
    was_in = Sql(" where c.exited_at is null or c.exited_at >= c.at") if request.skip is not Skip.IMPLIED else Sql("")
    return Sql(
        "select c.contact_id, c.at, c.is_implied, c.stage, c.rank,"
        " case when c.exited_at < {} then c.exited_at end as target_at,"
        " (c.exited_at < {}) is not true as may_convert from ({}) c{}",
        until,
        until,
        counted_entries(request, request.stages),
        was_in,
    )


def _with_skipped(request: ResolvedKpiRequest) -> Sql:
    """The entries, and, unless skipped stages count, with `is_skipped` those that skipped their stage and have ended.

    These ended before the person's own facts fulfilled the stage's rule. They have no exit.
    """
    counted = Sql("select c.*, false as is_skipped from ({}) c", _stays(request))
    if request.skip is Skip.IMPLIED:
        return counted
    return Sql(
        "{} union all select c.contact_id, c.at, c.is_implied, c.stage, c.rank, null, false, true from ({}) c"
        " where c.exited_at < {} and (c.own_at <= c.exited_at) is not true",
        counted,
        counted_entries(replace(request, skip=Skip.IMPLIED), request.stages),
        request.frame.until,
    )
