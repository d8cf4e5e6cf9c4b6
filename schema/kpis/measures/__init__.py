"""The measures: what a KPI counts, one frozen class for each way to count, filed by what is counted.

A new measure is one class in a module here, one word in a union below, one module in `api/metrics/` in the folder of
the same name (`stage_kinds/`), and its case in `api/metrics/kind_of.py`. mypy reports a measure without such a case.
"""

from schema.kpis.measures.composites import (
    AcquisitionCost,
    Coverage,
    LifetimeValue,
    LifetimeValueOverCost,
    Payback,
    Velocity,
)
from schema.kpis.measures.counts import Count
from schema.kpis.measures.deals import (
    Average,
    ClosingAmountRatio,
    ClosingRatio,
    Cycle,
    ForecastAccuracy,
    Influenced,
    Pushed,
    Snapshot,
    Sourced,
    Sum,
)
from schema.kpis.measures.handoffs import (
    AcceptedByDefault,
    DecidedInTime,
    DecisionRatio,
    Delivered,
    DeliveredValue,
    FeedbackGiven,
    FollowedUp,
    NeverContacted,
    OwnerResponse,
)
from schema.kpis.measures.stages import (
    Agreement,
    Conversion,
    Duration,
    Reconverted,
    Recycled,
    Response,
    Stalled,
    Stay,
    Unowned,
)
from schema.kpis.measures.touches import Collided, OptedOut, OverPolicy, Replied, Trailing

StageMeasure = Conversion | Duration | Stay | Response | Agreement | Stalled | Recycled | Reconverted | Unowned
DealMeasure = (
    Sum
    | Average
    | Snapshot
    | ClosingRatio
    | ClosingAmountRatio
    | Cycle
    | Pushed
    | ForecastAccuracy
    | Sourced
    | Influenced
)
HandoffMeasure = (
    DecisionRatio
    | DecidedInTime
    | FollowedUp
    | NeverContacted
    | FeedbackGiven
    | AcceptedByDefault
    | OwnerResponse
    | Delivered
    | DeliveredValue
)
TouchMeasure = Trailing | OverPolicy | Replied | Collided | OptedOut
FormulaMeasure = Coverage | Velocity | AcquisitionCost | LifetimeValue | LifetimeValueOverCost | Payback
Measure = Count | FormulaMeasure | StageMeasure | DealMeasure | HandoffMeasure | TouchMeasure
