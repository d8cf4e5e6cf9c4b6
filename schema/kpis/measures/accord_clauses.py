"""Which sections of the accord a measure depends on."""

from schema.kpis.measures import Measure
from schema.kpis.measures.composites import AcquisitionCost, Coverage, LifetimeValue, LifetimeValueOverCost, Payback
from schema.kpis.measures.deals import Influenced, Sourced
from schema.kpis.measures.handoffs import (
    DecidedInTime,
    DecisionRatio,
    Delivered,
    DeliveredValue,
    FeedbackGiven,
    FollowedUp,
    NeverContacted,
    OwnerResponse,
)
from schema.kpis.measures.stages import Reconverted, Recycled, Unowned
from schema.kpis.measures.touches import OverPolicy

# A measure that is not listed depends on the stages alone, if it reads stages, and on how results are reported.
_SECTIONS: dict[type, tuple[str, ...]] = {
    Recycled: ("reject_reasons",),
    Reconverted: ("reject_reasons",),
    Unowned: ("calendars", "handoff"),
    DecisionRatio: ("reject_reasons",),
    DecidedInTime: ("calendars", "handoff"),
    FollowedUp: ("calendars", "handoff"),
    NeverContacted: ("calendars", "handoff"),
    FeedbackGiven: ("reject_reasons", "handoff"),
    OwnerResponse: ("calendars", "handoff"),
    Delivered: ("handoff",),
    DeliveredValue: ("calendars", "handoff"),
    OverPolicy: ("contact_policy",),
    Sourced: ("attribution",),
    Influenced: ("attribution",),
    Coverage: ("targets",),
    AcquisitionCost: ("economics",),
    LifetimeValue: ("economics",),
    LifetimeValueOverCost: ("economics",),
    Payback: ("economics",),
}


def clauses_of(measure: Measure, *, reads_stages: bool) -> tuple[str, ...]:
    """The keys of the sections that a measure depends on.

    Every value depends on `reporting`: it has the time zone of the days, the currency, and who never counts.
    """
    stages = ("stages", "exits") if reads_stages else ()
    return (*stages, *_SECTIONS.get(type(measure), ()), "reporting")
