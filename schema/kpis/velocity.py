"""How long it takes."""

from schema.kpis.kinds import (
    DEAL_DIMENSIONS,
    DEAL_SWITCHES,
    DURATION_SWITCHES,
    PERSON_DIMENSIONS,
    Closings,
    Cycle,
    Duration,
    Kpi,
    Subject,
)
from schema.vocab import DealOutcome, Unit

TIME_TO_CONVERT = Kpi(
    key="time_to_convert",
    title="Time to convert",
    definition=(
        "How long the people who entered the one stage in the period took to enter the other: the median, p75, p90 "
        "and mean. Only those who got there within the accord's window are in it, and it says nothing about the others."
    ),
    measure=Duration(),
    unit=Unit.SECONDS,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=DURATION_SWITCHES,
    guard="stage_conversion",
    source="The accord's ladder of stages and their windows.",
)

SALES_CYCLE = Kpi(
    key="sales_cycle",
    title="Sales cycle",
    definition=(
        "How long the deals won in the period took from opening to closing: the median, p75, p90 and mean. A deal "
        "whose opening is unknown, or dated after its closing, is counted beside them."
    ),
    measure=Cycle(Closings((DealOutcome.WON,))),
    unit=Unit.SECONDS,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=DEAL_SWITCHES,
    guard="win_rate",
    source="The deals' opening and closing dates.",
)

KPIS = (TIME_TO_CONVERT, SALES_CYCLE)
