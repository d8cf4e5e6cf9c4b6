"""How much people are touched."""

from datetime import timedelta

from schema.kpis.kinds import FACT_SWITCHES, PERSON_DIMENSIONS, Kpi, OverPolicy, Subject, Trailing
from schema.vocab import Unit

TOUCHES_PER_CONTACT_7D = Kpi(
    key="touches_per_contact_7d",
    title="Touches per contact in 7 days",
    definition=(
        "How many touches of ours, by both teams and over all channels, a person had in the 7 times 24 hours before "
        "the end of the period, or before `asOf` if that comes first: the mean over the people who had any, and how it "
        "is spread. One e-mail to many people is a touch of each. A series has the end of each bucket."
    ),
    measure=Trailing(timedelta(days=7)),
    unit=Unit.COUNT,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=FACT_SWITCHES,
    guard="over_pressure_rate",
    source="The outbound touchpoints.",
)

OVER_PRESSURE_RATE = Kpi(
    key="over_pressure_rate",
    title="Over pressure rate",
    definition=(
        "Of the people touched in the period, the share that was touched more than the accord's contact policy allows "
        "at any moment of it. The policy's stretch of time rolls, so no midnight and no first of the month resets it. "
        "Touches that the policy exempts count neither way."
    ),
    measure=OverPolicy(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=FACT_SWITCHES,
    guard="speed_to_lead",
    source="The outbound touchpoints and the accord's contact policy.",
)

KPIS = (TOUCHES_PER_CONTACT_7D, OVER_PRESSURE_RATE)
