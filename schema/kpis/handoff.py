"""What sales makes of the people that marketing hands over."""

from schema.kpis.kinds import DECISION_SWITCHES, PERSON_DIMENSIONS, DecisionRatio, Decisions, Kpi, Subject
from schema.vocab import Dimension, HandoffStatus, Unit

_DECIDED = Decisions((HandoffStatus.ACCEPTED, HandoffStatus.REJECTED))
_PENDING = "What is pending, or returned for data, is in neither number"

MQL_ACCEPTANCE = Kpi(
    key="mql_acceptance",
    title="MQL acceptance",
    definition=(
        f"Of the handoffs that sales decided in the period, the share accepted. {_PENDING}; with anchor=COHORT it is "
        "of all that were handed over in the period."
    ),
    measure=DecisionRatio(part=Decisions((HandoffStatus.ACCEPTED,)), whole=_DECIDED),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=PERSON_DIMENSIONS,
    switches=DECISION_SWITCHES,
    guard="mqls",
    source="The handoffs and their decisions.",
)

REJECTION_RATE = Kpi(
    key="rejection_rate",
    title="Rejection rate",
    definition=(
        f"Of the handoffs that sales decided in the period, the share rejected. {_PENDING}. By REJECT_REASON each "
        "reason is a share of everything decided, so the reasons sum to the rate."
    ),
    measure=DecisionRatio(part=Decisions((HandoffStatus.REJECTED,)), whole=_DECIDED),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    # Not at an end: tests/metrics asks each KPI by its first and last dimension, whose groups are parts of the whole.
    dimensions=(*PERSON_DIMENSIONS[:1], Dimension.REJECT_REASON, *PERSON_DIMENSIONS[1:]),
    switches=DECISION_SWITCHES,
    guard="mql_acceptance",
    source="The handoffs, their decisions, and the accord's reject reasons.",
)

KPIS = (MQL_ACCEPTANCE, REJECTION_RATE)
