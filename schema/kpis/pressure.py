"""KPIs of contact pressure: how often people are touched, and what they make of it."""

from dataclasses import replace
from datetime import timedelta

from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.touches import Collided, OptedOut, OverPolicy, Replied, Trailing
from schema.kpis.switchboard import AGREED_SWITCHES, FACT_SWITCHES
from schema.vocab import Unit

TOUCHES_PER_CONTACT_7D = Kpi(
    key="touches_per_contact_7d",
    title="Touches per contact in 7 days",
    meaning=(
        "The average number of outbound touches, by both teams and on all channels, that a person had in the 7 times "
        "24 hours before the end of the period, or before `asOf` if that is earlier; a touch exactly 7 days old no "
        "longer counts. People without a touch in that time do not count. One e-mail to many people is one touch of "
        "every person. A series has the 7 days before the end of each bucket."
    ),
    formula="Outbound touches in the 7 days before the end of the period, divided by people with such a touch.",
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
    meaning=(
        "Of the people touched in the period, the share who at any instant of it had more touches than the accord's "
        "contact policy allows. The policy counts over a rolling time, which does not restart at midnight or at the "
        "start of a month, so touches from before the period count as far as that time reaches back; a touch exactly "
        "as old as that time no longer counts. Touches that the policy exempts do not count. The records behind the "
        "number say which touches put a person over the policy."
    ),
    formula="People over the contact policy at any instant of the period, divided by people touched in the period.",
    measure=OverPolicy(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=AGREED_SWITCHES,
    guard="speed_to_lead",
    source="The outbound touchpoints and the accord's contact policy.",
)

CROSS_TEAM_COLLISION = Kpi(
    key="cross_team_collision",
    title="Cross-team collisions",
    meaning=(
        "Of the people whom both marketing and sales touched in the period, the share whom both touched within 24 "
        "hours, in either order and the last instant included. Automated touches count; touches of which the team is "
        "not known do not."
    ),
    formula="People whom both teams touched within 24 hours, divided by people whom both teams touched in the period.",
    measure=Collided(timedelta(hours=24)),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=FACT_SWITCHES,
    guard="response_rate",
    source="The outbound touchpoints and the kinds of their teams.",
)

_OPTED_OUT_WITHIN = timedelta(days=30)
OPT_OUT_RATE = Kpi(
    key="opt_out_rate",
    title="Opt-out rate",
    meaning=(
        "Of the people touched in the period, the share who opted out of e-mail or of calls within 30 days after such "
        "a touch, with no other touch between the two. The last instant is included. Nothing says when people opted "
        "out of whom the source has no history: they are not in the numerator, and a warning has their number."
    ),
    formula=(
        "People touched in the period who opted out within 30 days after their last touch, divided by people "
        "touched in the period."
    ),
    measure=OptedOut(_OPTED_OUT_WITHIN),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=replace(FACT_SWITCHES, own_window=_OPTED_OUT_WITHIN),
    guard="response_rate",
    source="The outbound touchpoints, and the history of the contacts.",
)

_REPLIED_WITHIN = timedelta(days=14)
RESPONSE_RATE = Kpi(
    key="response_rate",
    title="Response rate",
    meaning=(
        "Of the people touched in the period, the share who came to us within 14 days after one of these touches: an "
        "inbound touch later than the touch, the last instant of the 14 days included. An inbound touch that a machine "
        "caused, such as an automatic reply, is no response."
    ),
    formula=(
        "People touched in the period who came to us within 14 days after a touch, divided by people touched in "
        "the period."
    ),
    measure=Replied(_REPLIED_WITHIN),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=replace(FACT_SWITCHES, own_window=_REPLIED_WITHIN),
    guard="over_pressure_rate",
    source="The outbound and inbound touchpoints.",
)

KPIS = (TOUCHES_PER_CONTACT_7D, OVER_PRESSURE_RATE, CROSS_TEAM_COLLISION, OPT_OUT_RATE, RESPONSE_RATE)
