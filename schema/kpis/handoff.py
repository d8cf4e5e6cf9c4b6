"""KPIs of handoffs: how sales decides about the people that marketing hands over, and what the two teams owe."""

from datetime import timedelta

from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.handoffs import (
    AcceptedByDefault,
    DecidedInTime,
    DecisionRatio,
    Decisions,
    Delivered,
    DeliveredValue,
    FeedbackGiven,
    FollowedUp,
    NeverContacted,
    OwnerResponse,
)
from schema.kpis.measures.stages import Unowned
from schema.kpis.switchboard import AGREED_SWITCHES, DECISION_SWITCHES, FACT_SWITCHES, STATE_SWITCHES
from schema.vocab import HandoffStatus, Unit

_DECIDED = Decisions((HandoffStatus.ACCEPTED, HandoffStatus.REJECTED))
_DIMENSIONS = (*PERSON_DIMENSIONS, Dimension.RESPONDER)
_PENDING = "Handoffs that are pending or were returned for data do not count"

MQL_ACCEPTANCE = Kpi(
    key="mql_acceptance",
    title="MQL acceptance",
    meaning=(
        f"Of the handoffs that sales decided in the period, the share accepted. {_PENDING}. With anchor=COHORT it is "
        "the share of all handoffs made in the period, decided or not."
    ),
    formula="Handoffs accepted in the period, divided by handoffs accepted or rejected in the period.",
    measure=DecisionRatio(part=Decisions((HandoffStatus.ACCEPTED,)), whole=_DECIDED),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=_DIMENSIONS,
    switches=DECISION_SWITCHES,
    guard="default_accept_share",
    source="The handoffs and their decisions.",
)

REJECTION_RATE = Kpi(
    key="rejection_rate",
    title="Rejection rate",
    meaning=(
        f"Of the handoffs that sales decided in the period, the share rejected. {_PENDING}. By REJECT_REASON every "
        "reason is a share of all decided handoffs, so the shares of the reasons sum to the rate. With `top`, so is "
        "Other; beside another dimension, a reason is a share of the handoffs of its group, and Other one of all."
    ),
    formula="Handoffs rejected in the period, divided by handoffs accepted or rejected in the period.",
    measure=DecisionRatio(part=Decisions((HandoffStatus.REJECTED,)), whole=_DECIDED),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    # Neither first nor last: tests/metrics breaks KPIs down by these two, and expects groups that sum to the total.
    dimensions=(*_DIMENSIONS[:1], Dimension.REJECT_REASON, *_DIMENSIONS[1:]),
    switches=DECISION_SWITCHES,
    guard="mql_acceptance",
    source="The handoffs, their decisions, and the accord's reject reasons.",
)

SLA_DECIDED_IN_TIME = Kpi(
    key="sla_decided_in_time",
    title="Decided in time",
    meaning=(
        "Of the handoffs whose decision was due in the period, the share that sales had accepted or rejected by "
        "then, the last instant included. A handoff that was returned for data by then does not count: it starts "
        "anew when it is handed over again. A handoff without a deadline of its own is due when the time that the "
        "accord gives for the decision is over."
    ),
    formula="Handoffs decided by their deadline, divided by handoffs whose deadline is in the period.",
    measure=DecidedInTime(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=_DIMENSIONS,
    switches=AGREED_SWITCHES,
    guard="reject_feedback_complete",
    source="The handoffs, their deadlines, and the accord's time to decide.",
)

SLA_FOLLOWED_UP = Kpi(
    key="sla_followed_up",
    title="Followed up",
    meaning=(
        "Of the handoffs that sales accepted in the period, the share that it followed up as agreed: with as many "
        "outbound touches by hand as the accord wants, in the time that it gives from the acceptance. Having "
        "reached the person ends the duty: by a conversation with an outcome, or by a reply, call or meeting that "
        "the person began. Touches of marketing do not count, nor automated ones."
    ),
    formula=(
        "Handoffs accepted in the period that sales followed up as agreed, divided by handoffs accepted in the period."
    ),
    measure=FollowedUp(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=AGREED_SWITCHES,
    guard="over_pressure_rate",
    source="The handoffs, the touchpoints, and the accord's duty of attempts.",
)

NEVER_CONTACTED_RATE = Kpi(
    key="never_contacted_rate",
    title="Never contacted",
    meaning=(
        "Of the handoffs that sales accepted in the period, the share whose person nobody of sales touched by hand "
        "from the handing over until 72 working hours after the acceptance. Working hours are those of the calendar "
        "in which the accord counts the duties of sales; without one, all hours count. While the time is not over, "
        "a handoff is not in the numerator."
    ),
    formula=(
        "Handoffs accepted in the period without a touch of sales until 72 working hours later, divided by "
        "handoffs accepted in the period."
    ),
    measure=NeverContacted(timedelta(hours=72)),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=AGREED_SWITCHES,
    guard="mql_acceptance",
    source="The handoffs, the touchpoints, and the calendar of the duties of sales.",
)

REJECT_FEEDBACK_COMPLETE = Kpi(
    key="reject_feedback_complete",
    title="Complete feedback",
    meaning=(
        "Of the handoffs that sales rejected in the period, the share with all that the accord wants of a "
        "rejection: a reason of the accord, a note, or both. An accord that says nothing of the duties of sales "
        "wants both."
    ),
    formula=(
        "Handoffs rejected in the period with all that the accord wants of a rejection, divided by handoffs "
        "rejected in the period."
    ),
    measure=FeedbackGiven(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=_DIMENSIONS,
    switches=AGREED_SWITCHES,
    guard="rejection_rate",
    source="The handoffs, and what the accord wants of a rejection.",
)

DEFAULT_ACCEPT_SHARE = Kpi(
    key="default_accept_share",
    title="Accepted by default",
    meaning=(
        "Of the handoffs accepted in the period, the share that counted as accepted because sales did not decide in "
        "time. No handoff says so yet: the value is null until handoffs do."
    ),
    formula="Handoffs accepted by default in the period, divided by handoffs accepted in the period.",
    measure=AcceptedByDefault(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=FACT_SWITCHES,
    guard="sla_decided_in_time",
    source="The handoffs and their decisions.",
)

OWNER_RESPONSE_TIME = Kpi(
    key="owner_response_time",
    title="Response time of the owner",
    meaning=(
        "How long the people handed over in the period waited for the first outbound touch of sales by hand, in the "
        "working hours of the calendar in which the accord counts the duties of sales: the median, p75, p90 and "
        "mean. Without such a calendar, all hours count. A handoff that was returned for data before such a touch "
        "does not count: the clock starts anew when it is handed over again. Handoffs without a touch do not count "
        "either; a warning has their number."
    ),
    formula=(
        "The median, over the handoffs of the period that were answered, of the working time from the handing "
        "over to the first touch of sales by hand."
    ),
    measure=OwnerResponse(),
    unit=Unit.SECONDS,
    subject=Subject.PERSON,
    dimensions=_DIMENSIONS,
    switches=AGREED_SWITCHES,
    guard="over_pressure_rate",
    source="The handoffs, the touchpoints, and the calendar of the duties of sales.",
)

ORPHAN_HOURS = Kpi(
    key="orphan_hours",
    title="Hours without an owner",
    meaning=(
        "For how many working hours of the period people in the stages from mql to opportunity had no owner, or one "
        "who was deactivated: the hours of all people together. Working hours are those of the calendar in which "
        "the accord counts the duties of sales; without one, all hours count. A person who is in none of the stages "
        "for a while does not count meanwhile."
    ),
    formula=(
        "The sum, over the people in the stages from mql to opportunity, of the working hours of the period "
        "without an active owner."
    ),
    measure=Unowned("mql", "opportunity"),
    unit=Unit.HOURS,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=STATE_SWITCHES,
    guard="never_contacted_rate",
    source="The accord's stages, the history of the contacts' owners, and the calendar of the duties of sales.",
)

MARKETING_DELIVERY = Kpi(
    key="marketing_delivery",
    title="Delivery of marketing",
    meaning=(
        "How many people marketing delivered to sales in the period, divided by how many it owes for it by the "
        "accord: 1 is what was agreed, and more is possible. As the accord says, people count as delivered when "
        "they are handed over, or when sales accepts them; they had entered the stage of the duty by the time they "
        "were handed over. A person counts once. Of a week, month or other time that the period cuts, marketing "
        "owes the share of its days. A group is a share of all that is owed, so groups sum to the total."
    ),
    formula="People whom marketing delivered in the period, divided by people whom it owed for the period.",
    measure=Delivered(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=STATE_SWITCHES,
    guard="mql_acceptance",
    source="The handoffs, and the accord's duties of volume.",
)

MARKETING_DELIVERY_VALUE = Kpi(
    key="marketing_delivery_value",
    title="Value delivered by marketing",
    meaning=(
        "The value of the people whom marketing delivered to sales in the period, divided by the value that it owes "
        "for it: of each duty with an agreed lead value, that value for every person. Only people whom sales accepted "
        "count, or did not dispute: whom it neither rejected nor returned by the deadline of the decision, on which "
        "they count then. They had entered the stage of the duty by the time they were handed over. A person counts "
        "once for each duty. Without a deadline only the accepted count. Of a time that the period cuts, marketing "
        "owes the share of its days. A group is a share of all that is owed, so groups sum to the total."
    ),
    formula="The agreed value of the people delivered in the period, divided by the value owed for the period.",
    measure=DeliveredValue(),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=STATE_SWITCHES,
    guard="marketing_delivery",
    source="The handoffs, their deadlines, and the accord's duties of volume and time to decide.",
)

KPIS = (
    MQL_ACCEPTANCE,
    REJECTION_RATE,
    OWNER_RESPONSE_TIME,
    SLA_DECIDED_IN_TIME,
    SLA_FOLLOWED_UP,
    NEVER_CONTACTED_RATE,
    REJECT_FEEDBACK_COMPLETE,
    DEFAULT_ACCEPT_SHARE,
    ORPHAN_HOURS,
    MARKETING_DELIVERY,
    MARKETING_DELIVERY_VALUE,
)
