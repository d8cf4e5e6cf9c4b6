"""KPIs of money: revenue, deal size and pipeline."""

from schema.kpis.dimensions import DEAL_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.deals import Average, Closings, Openings, Snapshot, Sum
from schema.kpis.switchboard import MONEY_SWITCHES
from schema.vocab import DealOutcome, Unit

_WON = Closings((DealOutcome.WON,))
_AT_END = "at the end of the period, or at `asOf` if that is earlier. A series has the state at the end of each bucket"

REVENUE_WON = Kpi(
    key="revenue_won",
    title="Revenue won",
    meaning=(
        "The sum of the amounts of the deals won in the period. Amounts are those at the closing, converted at the "
        "exchange rates of that day. Negative amounts lower the sum."
    ),
    measure=Sum(_WON),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=MONEY_SWITCHES,
    guard="avg_deal_size",
    source="The deals' closing dates and the history of their amounts; the exchange rates.",
)

AVG_DEAL_SIZE = Kpi(
    key="avg_deal_size",
    title="Average deal size",
    meaning=(
        "The sum of the amounts of the deals won in the period, divided by the number of known amounts. Amounts are "
        "those at the closing; deals with a negative amount are no wins and do not count. The distribution has the "
        "median, p75 and p90, because a few large deals change an average a lot."
    ),
    measure=Average(_WON),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=MONEY_SWITCHES,
    guard="deals_won",
    source="The deals' closing dates and the history of their amounts; the exchange rates.",
)

PIPELINE_CREATED = Kpi(
    key="pipeline_created",
    title="Pipeline created",
    meaning=(
        "The sum of the amounts of the deals opened in the period. Amounts are those at the opening, converted at the "
        "exchange rates of that day. Negative amounts lower the sum."
    ),
    measure=Sum(Openings()),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=MONEY_SWITCHES,
    guard="win_rate",
    source="The deals' opening dates and the history of their amounts; the exchange rates.",
)

OPEN_PIPELINE = Kpi(
    key="open_pipeline",
    title="Open pipeline",
    meaning=(
        f"The sum of the amounts of the deals that were open {_AT_END}. Amounts are those in the deals' history at "
        "that instant, converted at the exchange rates of that day. Where the source has no history, they are those of "
        "a later import, and a warning counts such deals."
    ),
    measure=Snapshot(),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=MONEY_SWITCHES,
    guard="weighted_pipeline",
    source="The history of the deals; the exchange rates.",
)

WEIGHTED_PIPELINE = Kpi(
    key="weighted_pipeline",
    title="Weighted pipeline",
    meaning=(
        f"The sum of the amounts of the deals that were open {_AT_END}. Every amount is multiplied by the probability "
        "of winning that the deal had then, or by that of its pipeline stage then if the deal had none of its own. "
        "Deals without a known probability are left out and counted in a warning: what the source overwrote when it "
        "closed a deal says nothing of the time before."
    ),
    measure=Snapshot(is_weighted=True),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=MONEY_SWITCHES,
    guard="open_pipeline",
    source="The history of the deals; the probabilities of the pipeline stages; the exchange rates.",
)

KPIS = (REVENUE_WON, AVG_DEAL_SIZE, PIPELINE_CREATED, OPEN_PIPELINE, WEIGHTED_PIPELINE)
