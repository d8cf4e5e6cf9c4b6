"""What it is worth."""

from schema.kpis.kinds import DEAL_DIMENSIONS, DEAL_SWITCHES, Average, Closings, Kpi, Openings, Snapshot, Subject, Sum
from schema.vocab import DealOutcome, Unit

_WON = Closings((DealOutcome.WON,))
_STANDING = "the end of the period, or at `asOf` if that comes first; a series has the end of each bucket"

REVENUE_WON = Kpi(
    key="revenue_won",
    title="Revenue won",
    definition="The amounts of the deals won in the period, as they were at the closing, at the rates of that day.",
    measure=Sum(_WON),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="avg_deal_size",
    source="The deals' closing dates and the history of their amounts; the exchange rates.",
)

AVG_DEAL_SIZE = Kpi(
    key="avg_deal_size",
    title="Average deal size",
    definition=(
        "The amounts of the deals won in the period, as they were at the closing, divided by how many are known; "
        "beside it the median, p75 and p90, for a few large deals move an average."
    ),
    measure=Average(_WON),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="deals_won",
    source="The deals' closing dates and the history of their amounts; the exchange rates.",
)

PIPELINE_CREATED = Kpi(
    key="pipeline_created",
    title="Pipeline created",
    definition="The amounts of the deals opened in the period, as they were at the opening, at the rates of that day.",
    measure=Sum(Openings()),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="win_rate",
    source="The deals' opening dates and the history of their amounts; the exchange rates.",
)

OPEN_PIPELINE = Kpi(
    key="open_pipeline",
    title="Open pipeline",
    definition=(
        f"The amounts of the deals that stood open at {_STANDING}. From the deals' history as it was then, at the "
        "rates of that day."
    ),
    measure=Snapshot(),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="weighted_pipeline",
    source="The history of the deals; the exchange rates.",
)

WEIGHTED_PIPELINE = Kpi(
    key="weighted_pipeline",
    title="Weighted pipeline",
    definition=(
        f"The amounts of the deals that stood open at {_STANDING}, each times its chance of winning: the deal's own, "
        "else that of its pipeline stage."
    ),
    measure=Snapshot(is_weighted=True),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="open_pipeline",
    source="The history of the deals; the chances of the pipeline stages; the exchange rates.",
)

KPIS = (REVENUE_WON, AVG_DEAL_SIZE, PIPELINE_CREATED, OPEN_PIPELINE, WEIGHTED_PIPELINE)
