"""The result of a funnel request: how many people reached every stage, and what the numbers were computed from.

GraphQL derives its answer types from these dataclasses, as from those of `api/metrics/answer.py`.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from api.metrics.answer import BreakdownKey, DrillDown, Provenance
from api.metrics.request import FunnelRequest
from schema.described import described


@dataclass(frozen=True, kw_only=True)
class FunnelStep:
    """One stage of a funnel that follows the people who entered the first stage in the period (the cohort)."""

    key: str = described("The stage's key.")
    title: str = described("The stage's title.")
    group: str = described("The stage's group, such as Prospect.")
    reached: int | None = described(
        "How many of the cohort reached the stage by `asOf`; null if no contact is known, or if the period has not "
        "begun or is before all data."
    )
    implied: int | None = described("How many of these entered the stage only because they entered a higher one.")
    open: int | None = described(
        "How many of these have not reached the next stage and still can. Fewer than the people whose current stage it"
        " is (`Contact.stage`): without those whom no KPI counts (`isCounted: false`), those who reached a higher stage"
        " before and left it, and those who are not in the cohort."
    )
    step: Decimal | None = described(
        "`reached` of this stage divided by that of the stage before; null for the first stage, or if nobody reached "
        "the stage before."
    )
    overall: Decimal | None = described("`reached` of this stage divided by the cohort; null if the cohort is empty.")
    entered: int | None = described(
        "Another population: how many people first entered this stage in the period; null if no contact is known."
    )
    entered_implied: int | None = described("How many of `entered` only entered because they entered a higher stage.")
    drill_down: DrillDown | None = field(default=None, repr=False, compare=False)  # not a field of the GraphQL type


@dataclass(frozen=True, kw_only=True)
class FunnelGroup:
    """The funnel of one combination of values of the requested dimensions."""

    keys: tuple[BreakdownKey, ...] = described("The value of every requested dimension, in the requested order.")
    stages: tuple[FunnelStep, ...] = described("The stages, from the first up.")


@dataclass(frozen=True, kw_only=True)
class FunnelAnswer(Provenance):
    """The funnel: how far the people got who entered the first stage in the period."""

    stages: tuple[FunnelStep, ...] = described("The stages, from the first up.")
    breakdown: tuple[FunnelGroup, ...] = described("The same by the requested dimensions.")
    request: FunnelRequest = field(repr=False, compare=False)  # not a field of the GraphQL type
