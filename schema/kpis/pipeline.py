"""KPIs of money: revenue, deal size and pipeline."""

from schema.kpis.dimensions import DEAL_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.deals import Average, Closings, ForecastAccuracy, Openings, Pushed, Snapshot, Sum
from schema.kpis.switchboard import DEAL_SWITCHES, MONEY_SWITCHES
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
    formula="The sum of the amounts, at the closing, of the deals won in the period.",
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
    formula="The sum of the amounts of the deals won in the period, divided by the number of these amounts.",
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
    formula="The sum of the amounts, at the opening, of the deals opened in the period.",
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
    formula="The sum of the amounts, at the end of the period, of the deals open then.",
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
    formula="The sum, over the deals open at the end of the period, of amount times probability of winning.",
    measure=Snapshot(is_weighted=True),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=MONEY_SWITCHES,
    guard="open_pipeline",
    source="The history of the deals; the probabilities of the pipeline stages; the exchange rates.",
)

PUSH_RATE = Kpi(
    key="push_rate",
    title="Push rate",
    meaning=(
        "Of the deals that were due to close in the period, the share that was pushed to a day after it. A deal is due "
        "if it was open at the first instant of the period, or was opened in it, and its expected close date as it "
        "stood then lies in the period. It is pushed if at the end of the period, or at `asOf` if that is earlier, it "
        "is still open and its expected close date lies after the period. A deal that was closed in the period is not "
        "pushed, nor one whose date was moved within the period or to a day before it. The period needs a first and a "
        "last day; every bucket of a series is a period of its own, so buckets do not add up."
    ),
    formula=(
        "Deals due in the period and still open at its end with a later close date, divided by all deals due in the "
        "period."
    ),
    measure=Pushed(),
    unit=Unit.RATIO,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="open_pipeline",
    source="The history of the deals' expected close dates.",
)

FORECAST_ACCURACY = Kpi(
    key="forecast_accuracy",
    title="Forecast accuracy",
    meaning=(
        "1 less the forecast error, which is the difference between forecast and actual, divided by the actual. The "
        "actual (`denominator`) is the revenue won in the period. The forecast (`numerator`) is that of its first "
        "instant: nothing is won by then, so it is the weighted pipeline of that instant, of the deals whose expected "
        "close date lay in the period then. Accuracy is below 0 if the forecast was more than twice the actual. The "
        "period needs a first and a last day and has to be over; every bucket of a series is a period with a forecast "
        "of its own, so buckets do not add up. The records of the side BASE are the deals won, those of the side "
        "CONVERTED the deals of the forecast."
    ),
    formula=(
        "1 less the forecast error: the difference between forecast and revenue won, divided by the revenue won in "
        "the period."
    ),
    measure=ForecastAccuracy(),
    unit=Unit.RATIO,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=MONEY_SWITCHES,
    guard="push_rate",
    source="The history of the deals; the probabilities of the pipeline stages; the exchange rates.",
)

KPIS = (
    REVENUE_WON,
    AVG_DEAL_SIZE,
    PIPELINE_CREATED,
    OPEN_PIPELINE,
    WEIGHTED_PIPELINE,
    PUSH_RATE,
    FORECAST_ACCURACY,
)
