"""The kinds of KPI: one module per kind, each with subclasses of `KpiKind`.

A measure class of `schema/kpis/kinds.py` without a case here is a mypy error.
"""

from typing import assert_never

from api.metrics.kinds.closing_ratio import ClosingShare
from api.metrics.kinds.deal_amounts import ClosingAverage, ClosingSum, OpeningSum
from api.metrics.kinds.deal_counts import ClosingCount, FirstWinCount, OpeningCount
from api.metrics.kinds.entry_counts import EntryCount
from api.metrics.kinds.first_response import FirstResponse
from api.metrics.kinds.handoff_decisions import DecisionShare
from api.metrics.kinds.kind import KpiKind
from api.metrics.kinds.over_policy import OverPolicyShare
from api.metrics.kinds.pipeline_snapshot import PipelineSnapshot
from api.metrics.kinds.sales_cycle import SalesCycle
from api.metrics.kinds.stage_agreement import StageAgreement
from api.metrics.kinds.stage_pairs import StageConversion, TimeBetweenStages
from api.metrics.kinds.stage_stays import TimeInStage
from api.metrics.kinds.trailing_touches import TrailingTouches
from schema.kpis.kinds import (
    Agreement,
    Average,
    ClosingRatio,
    Closings,
    Conversion,
    Count,
    Cycle,
    DecisionRatio,
    Duration,
    Entries,
    FirstWins,
    Measure,
    Openings,
    OverPolicy,
    Response,
    Snapshot,
    Stay,
    Sum,
    Trailing,
)


def kind_of(measure: Measure) -> KpiKind:  # noqa: C901, PLR0911, PLR0912 - one case per measure
    """The kind that computes a measure."""
    match measure:
        case Count():
            return _count(measure)
        case Sum():
            return _sum(measure)
        case Average():
            return ClosingAverage(measure.of)
        case Snapshot():
            return PipelineSnapshot(measure.is_weighted)
        case ClosingRatio():
            return ClosingShare(measure.part, measure.whole)
        case DecisionRatio():
            return DecisionShare(measure.part, measure.whole)
        case Conversion():
            return StageConversion(measure.base, measure.target)
        case Duration():
            return TimeBetweenStages(measure.base, measure.target)
        case Cycle():
            return SalesCycle(measure.of)
        case Stay():
            return TimeInStage()
        case Response():
            return FirstResponse(measure.base)
        case Trailing():
            return TrailingTouches(measure.within)
        case OverPolicy():
            return OverPolicyShare()
        case Agreement():
            return StageAgreement()
        case _:
            assert_never(measure)


def _count(measure: Count) -> KpiKind:
    match measure.of:
        case Entries():
            return EntryCount(measure.of.stage)
        case Closings():
            return ClosingCount(measure.of)
        case Openings():
            return OpeningCount()
        case FirstWins():
            return FirstWinCount()
        case _:
            assert_never(measure.of)


def _sum(measure: Sum) -> KpiKind:
    match measure.of:
        case Closings():
            return ClosingSum(measure.of)
        case Openings():
            return OpeningSum()
        case _:
            assert_never(measure.of)
