"""KPIs of handoffs: how sales decides about the people that marketing hands over."""

from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.handoffs import DecisionRatio, Decisions
from schema.kpis.switchboard import DECISION_SWITCHES
from schema.vocab import Dimension, HandoffStatus, Unit

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
    measure=DecisionRatio(part=Decisions((HandoffStatus.ACCEPTED,)), whole=_DECIDED),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    dimensions=_DIMENSIONS,
    switches=DECISION_SWITCHES,
    guard="mqls",
    source="The handoffs and their decisions.",
)

REJECTION_RATE = Kpi(
    key="rejection_rate",
    title="Rejection rate",
    meaning=(
        f"Of the handoffs that sales decided in the period, the share rejected. {_PENDING}. By REJECT_REASON every "
        "reason is a share of all decided handoffs, so the shares of the reasons sum to the rate."
    ),
    measure=DecisionRatio(part=Decisions((HandoffStatus.REJECTED,)), whole=_DECIDED),
    unit=Unit.RATIO,
    subject=Subject.PERSON,
    # Neither first nor last: tests/metrics breaks KPIs down by these two, and expects groups that sum to the total.
    dimensions=(*_DIMENSIONS[:1], Dimension.REJECT_REASON, *_DIMENSIONS[1:]),
    switches=DECISION_SWITCHES,
    guard="mql_acceptance",
    source="The handoffs, their decisions, and the accord's reject reasons.",
)

KPIS = (MQL_ACCEPTANCE, REJECTION_RATE)
