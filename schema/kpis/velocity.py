"""How long it takes."""

from schema.kpis.kinds import (
    DEAL_DIMENSIONS,
    DEAL_SWITCHES,
    DURATION_SWITCHES,
    ENTRY_SWITCHES,
    PERSON_DIMENSIONS,
    STAY_SWITCHES,
    Closings,
    Cycle,
    Duration,
    Kpi,
    Response,
    Stay,
    Subject,
)
from schema.vocab import DealOutcome, Dimension, Unit

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

SPEED_TO_LEAD = Kpi(
    key="speed_to_lead",
    title="Speed to lead",
    definition=(
        "How long the people who became inquiries in the period waited for our first touch by a person of either team; "
        "what a machine sent does not count. Those not touched yet have no time, and are counted beside."
    ),
    measure=Response("inquiry"),
    unit=Unit.SECONDS,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=ENTRY_SWITCHES,
    guard="over_pressure_rate",
    source="The accord's stage inquiry; the outbound touchpoints that no machine had.",
)

TIME_IN_STAGE = Kpi(
    key="time_in_stage",
    title="Time in stage",
    definition=(
        "How long the entries of the period into a stage lasted until they ended: by moving on, or by a fact that the "
        "accord names. Those still open have no time yet, and are counted beside. Who skipped past a stage was in it "
        "for no time: told as implied, and left out with skip=EXCLUDE. Name the stage with the dimension STAGE."
    ),
    measure=Stay(),
    unit=Unit.SECONDS,
    subject=Subject.PERSON,
    dimensions=(Dimension.STAGE, *PERSON_DIMENSIONS),
    switches=STAY_SWITCHES,
    guard="stage_conversion",
    source="The accord's ladder of stages and its exits.",
)

KPIS = (TIME_TO_CONVERT, SALES_CYCLE, SPEED_TO_LEAD, TIME_IN_STAGE)
