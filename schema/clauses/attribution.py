"""Attribution: the models that share out the credit for a deal, and the rule for what marketing sourced.

A model is a set of parameters with a key, because the same name means different weights in different products.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from schema.clauses.clause_vocab import AttributionAnchor, AttributionMethod
from schema.clauses.rule_values import plain_number
from schema.clauses.rules import AccordModel
from schema.clauses.unread_settings import waits_for
from schema.clauses.younger_keys import YOUNGER
from schema.durations import Duration
from schema.kpis.variants import SourcedRule

_CREDIT = waits_for("attribution")
_AFTER = {
    AttributionAnchor.LEAD_CREATION: ("deal_opened", "deal_won"),
    AttributionAnchor.DEAL_OPENED: ("deal_won",),
    AttributionAnchor.DEAL_WON: (),
}
_Share = Annotated[Decimal, BeforeValidator(plain_number)]


def _share(touch: str) -> Decimal:
    """Declare a weight, from 0 to 1."""
    share: Decimal = Field(default=Decimal(0), ge=0, le=1, description=f"The share of {touch}." + _CREDIT)
    return share


class AttributionWeights(AccordModel):
    """The shares of the credit for a deal, which sum to 1. A touch that is at two milestones has both shares."""

    first_touch: _Share = _share("the first touch")
    lead_creation: _Share = _share("the touch at the entry into the lead stage")
    deal_opened: _Share = _share("the touch at the opening of the deal")
    deal_won: _Share = _share("the touch at the winning of the deal")
    last_touch: _Share = _share("the last touch up to the anchor")
    rest: _Share = _share("all other touches together, in equal parts")

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = sum(self.shares.values())
        if total != 1:
            raise ValueError(f"the weights sum to {total}; they have to sum to 1")
        return self

    @property
    def shares(self) -> dict[str, Decimal]:
        """The shares that are not zero, by the names of their keys."""
        shares = {name: Decimal(getattr(self, name)) for name in type(self).model_fields}
        return {name: share for name, share in shares.items() if share}


class AttributionModel(AccordModel):
    """A way to share out the credit for a deal among the touches that led to it."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="The model's key, which requests use." + _CREDIT)
    title: str = Field(min_length=1, description="The model's name for readers." + _CREDIT)
    method: AttributionMethod = Field(default=AttributionMethod.WEIGHTS, description="How it shares out." + _CREDIT)
    weights: AttributionWeights | None = Field(
        default=None, description="The shares, which the method WEIGHTS needs; null for the other methods."
    )
    half_life: Duration | None = Field(
        default=None,
        description="The age at which a touch has half the credit, which the method TIME_DECAY needs; null for the "
        "other methods." + _CREDIT,
    )
    look_back: Duration = Field(
        default=timedelta(days=90),
        description="A touch counts if it is at most this long before the anchor, such as 90 days.",
    )
    anchor: AttributionAnchor = Field(
        default=AttributionAnchor.DEAL_WON, description="Touches after this moment have no share." + _CREDIT
    )

    @model_validator(mode="after")
    def _parameters_of_the_method(self) -> Self:
        for name, method in (("weights", AttributionMethod.WEIGHTS), ("half_life", AttributionMethod.TIME_DECAY)):
            is_stated = getattr(self, name) is not None
            if is_stated != (self.method is method):
                raise ValueError(
                    f"the method {self.method.value} {'has no' if is_stated else 'needs'} {name};"
                    f" {'remove it' if is_stated else 'state it'}"
                )
        later = [name for name in _AFTER[self.anchor] if self.weights and name in self.weights.shares]
        if later:
            raise ValueError(f"the weight of {' and '.join(later)} is of a touch after the anchor {self.anchor.value}")
        return self


class Attribution(AccordModel):
    """How the credit for deals is shared out, and which deals marketing sourced."""

    models: tuple[AttributionModel, ...] = Field(min_length=1, description="The agreed attribution models.")
    canonical: str = Field(
        description="The key of the model that counts if a request names none. Its look-back limits which deals"
        " marketing influenced."
    )
    lead_stage: str = Field(description="The key of the stage whose entry is the creation of the lead." + _CREDIT)
    sourced: SourcedRule = Field(description="By which rule a deal is sourced by marketing.")
    marketing_lead_sources: Annotated[tuple[str, ...], YOUNGER] = Field(
        default=(),
        description="The lead sources that are marketing's, as the source system writes them: the rule LEAD_SOURCE"
        " needs them.",
    )

    @field_validator("models")
    @classmethod
    def _keys_once(cls, models: tuple[AttributionModel, ...]) -> tuple[AttributionModel, ...]:
        keys = [model.key for model in models]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"the model {', '.join(twice)} appears more than once; give each one another key")
        return models
