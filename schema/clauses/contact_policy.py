"""The contact policy: how often both teams together may touch a person."""

from pydantic import Field

from schema.clauses.rules import AccordModel
from schema.durations import Duration


class Exemptions(AccordModel):
    """Which outbound touches do not count as contact pressure."""

    automated: bool = Field(default=False, description="Whether automated touches do not count.")
    reply_within: Duration | None = Field(
        default=None,
        description="A reply less than this after the person's own touch does not count; null: every reply counts.",
    )


class ContactPolicy(AccordModel):
    """How often both teams together may touch a person, over all channels.

    A person is over the policy while more than `at_most` touches lie in `(t - within, t]`.
    """

    at_most: int = Field(ge=1, le=1000, description="The highest number of outbound touches within the policy.")
    within: Duration = Field(description="A touch counts while it is younger than this, such as 7 days.")
    exempt: Exemptions = Field(default=Exemptions(), description="The outbound touches that do not count.")
