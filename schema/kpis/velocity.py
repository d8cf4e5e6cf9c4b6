"""KPIs of speed: how long something takes."""

from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import DEAL_DIMENSIONS, PERSON_DIMENSIONS, STAGE_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.deals import Closings, Cycle
from schema.kpis.measures.stages import Duration, Response, Stalled, Stay
from schema.kpis.switchboard import CYCLE_SWITCHES, DURATION_SWITCHES, RESPONSE_SWITCHES, STATE_SWITCHES, STAY_SWITCHES
from schema.vocab import DealOutcome, Unit

TIME_TO_CONVERT = Kpi(
    key="time_to_convert",
    title="Time to convert",
    meaning=(
        "How long the people who entered the first stage in the period took to enter the second one: the median, p75, "
        "p90 and mean. Only those who got there count, within the accord's window and its last instant included, so "
        "the people who never convert make it no longer. With censoring=MATURE_ONLY only people whose window is over "
        "count: the quick ones of a young cohort do not make it shorter. Both stages count when the person's own facts "
        "fulfilled their rules: who skipped one of them has no time between them, and a warning has their number."
    ),
    formula=(
        "The median, over the people who entered the first stage in the period and reached the second, of the "
        "entry into the second stage minus the entry into the first."
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
    meaning=(
        "How long the deals won in the period took from opening to closing: the median, p75, p90 and mean. Deals "
        "whose opening is unknown, or dated after the closing, do not count; a warning has their number. Deals with a "
        "negative amount are no wins. With cycleStart=SQL the time runs from the first entry into the stage sql of "
        "anybody with a role on the deal, with cycleStart=FIRST_TOUCH from the first touchpoint of any of them; deals "
        "without one at or before the closing do not count."
    ),
    formula="The median, over the deals won in the period, of the closing minus the opening.",
    measure=Cycle(Closings((DealOutcome.WON,))),
    unit=Unit.SECONDS,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=CYCLE_SWITCHES,
    guard="win_rate",
    source="The deals' opening and closing dates; with cycleStart the entries or touchpoints of their people.",
)

SPEED_TO_LEAD = Kpi(
    key="speed_to_lead",
    title="Speed to lead",
    meaning=(
        "How long the people who became inquiries in the period waited for the first outbound touch by a person of "
        "either team: the median, p75, p90 and mean. Automated touches do not count. People not touched yet do not "
        "count either, nor those who skipped the stage; warnings have their numbers. With censoring=MATURE_ONLY those "
        "count who entered longer ago than 90 % of the touched waited."
    ),
    formula=(
        "The median, over the people who entered inquiry in the period and were touched by a person, of the first "
        "such outbound touch minus the entry."
    ),
    measure=Response("inquiry"),
    unit=Unit.SECONDS,
    subject=Subject.PERSON,
    dimensions=(*PERSON_DIMENSIONS, Dimension.RESPONDER),
    switches=RESPONSE_SWITCHES,
    guard="over_pressure_rate",
    source="The accord's stage inquiry; the outbound touchpoints that are not automated.",
)

TIME_IN_STAGE = Kpi(
    key="time_in_stage",
    title="Time in stage",
    meaning=(
        "How long the entries into a stage in the period lasted, until the person entered a higher stage or an exit of "
        "the accord ended the entry: the median, p75, p90 and mean. The entry begins when the person's own facts "
        "fulfilled the stage's rule: who skipped the stage was no time in it. They do not count, nor do entries that "
        "have not ended; warnings have their numbers. `variants` also has the median by the estimate of Kaplan and "
        "Meier, which reads the entries that have not ended too. Select a stage with the dimension STAGE."
    ),
    formula="The median, over the entries of the period that have ended, of the end minus the entry.",
    measure=Stay(),
    unit=Unit.SECONDS,
    subject=Subject.PERSON,
    dimensions=(*STAGE_DIMENSIONS, *PERSON_DIMENSIONS),
    switches=STAY_SWITCHES,
    guard="stage_conversion",
    source="The accord's ladder of stages and its exits.",
)

STALLED_RATE = Kpi(
    key="stalled_rate",
    title="Stalled",
    meaning=(
        "Of the people who are in a stage with a window at the end of the period, or at `asOf` if that is earlier, "
        "the share who entered it longer ago than its window. A person is in the highest stage whose entry is open; "
        "stages without a window do not count. A series has the state at the end of each bucket."
    ),
    formula=(
        "People who are in a stage for longer than its window, divided by people who are in a stage with a "
        "window, both at the end of the period."
    ),
    measure=Stalled(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=(*STAGE_DIMENSIONS, *PERSON_DIMENSIONS),
    switches=STATE_SWITCHES,
    guard="stage_conversion",
    source="The accord's ladder of stages and their windows.",
)

KPIS = (TIME_TO_CONVERT, SALES_CYCLE, SPEED_TO_LEAD, TIME_IN_STAGE, STALLED_RATE)
