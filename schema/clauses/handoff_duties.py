"""The duties of the handoff: what marketing owes sales, and what sales owes marketing."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from schema.clauses.clause_vocab import DeliveryCount
from schema.clauses.rule_values import plain_number
from schema.clauses.rules import AccordModel
from schema.clauses.time_limits import Limit
from schema.vocab import Grain

RejectionPart = Literal["REASON", "NOTE"]


class VolumeDuty(AccordModel):
    """How many people of a stage marketing owes sales in every period."""

    stage: str = Field(description="The key of the stage that the people are in.")
    at_least: int = Field(ge=1, le=1_000_000_000, description="How many people in a period.")
    per: Grain = Field(description="The length of the period.")
    count: DeliveryCount = Field(default=DeliveryCount.ACCEPTED, description="Which people count as delivered.")
    lead_value: Annotated[Decimal, Field(gt=0), BeforeValidator(plain_number)] | None = Field(
        default=None,
        description="What one of these people is worth, in the reporting currency, such as close rate times average "
        "deal size; null if it is not agreed.",
    )


class CompletenessDuty(AccordModel):
    """The share of the people handed over for whom everything that their stage needs is filled in."""

    stage: str = Field(description="The key of the stage, which has `needs`.")
    at_least: Annotated[Decimal, BeforeValidator(plain_number)] = Field(
        gt=0, le=1, description="The share, such as 0.9."
    )


class HandOverDuty(AccordModel):
    """How soon after the entry into a stage marketing hands a person over."""

    stage: str = Field(description="The key of the stage.")
    within: Limit = Field(description="The longest time from the entry to the handoff.")


class MarketingDuties(AccordModel):
    """What marketing owes sales."""

    volume: tuple[VolumeDuty, ...] = Field(default=(), description="How many people marketing delivers.")
    completeness: tuple[CompletenessDuty, ...] = Field(
        default=(), description="How complete the records of these people are."
    )
    hand_over: tuple[HandOverDuty, ...] = Field(default=(), description="How soon marketing hands people over.")


class AttemptsDuty(AccordModel):
    """How often sales tries to reach a person whom it accepted. The duty ends when the person is reached."""

    at_least: int = Field(ge=1, le=1000, description="How many attempts.")
    within: Limit = Field(description="The time from the acceptance in which they are made.")


class SalesDuties(AccordModel):
    """What sales owes marketing."""

    decide_within: Limit | None = Field(
        default=None, description="The longest time from a handoff to its decision; null if none is agreed."
    )
    first_touch_within: Limit | None = Field(
        default=None,
        description="The longest time from a handoff to the first touch by hand; null if none is agreed.",
    )
    attempts: AttemptsDuty | None = Field(
        default=None, description="How often sales tries to reach a person; null if none is agreed."
    )
    reject_with: tuple[RejectionPart, ...] = Field(
        default=("REASON",),
        description="What a rejection has: a REASON of the accord, a NOTE.",
    )


class HandoffDuties(AccordModel):
    """What the two teams owe each other at the handoff."""

    marketing: MarketingDuties | None = Field(
        default=None, description="What marketing owes sales; null if nothing is agreed."
    )
    sales: SalesDuties | None = Field(default=None, description="What sales owes marketing; null if nothing is agreed.")
