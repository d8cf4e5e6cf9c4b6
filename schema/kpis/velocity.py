"""How long it takes."""

from schema.kpis.kinds import DURATION_SWITCHES, PERSON_DIMENSIONS, Duration, Kpi, Subject
from schema.vocab import Unit

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

KPIS = (TIME_TO_CONVERT,)
