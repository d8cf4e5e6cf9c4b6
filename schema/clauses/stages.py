"""The stages of the funnel: what each one means, and who enters it."""

from pydantic import Field, field_validator

from schema.clauses.rule_values import rule_column
from schema.clauses.rules import AccordModel, Rule
from schema.clauses.unread_settings import waits_for
from schema.durations import Duration
from schema.vocab import TeamKind


class Stage(AccordModel):
    """A stage of the funnel, as both teams agreed it."""

    key: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,39}$", description="The stage's key, which requests and other rules use."
    )
    title: str = Field(min_length=1, description="The stage's name for readers.")
    group: str = Field(min_length=1, description="The group that the stage belongs to, such as Prospect.")
    owner: TeamKind = Field(
        description="The team responsible for people in the stage." + waits_for("the scorecard of the two teams")
    )
    meaning: str = Field(min_length=1, description="The meaning of the stage, in plain words.")
    rule: Rule = Field(description="The entry rule: a contact enters the stage when it becomes true.")
    window: Duration | None = Field(
        default=None,
        description="How long a person has to reach the next stage, such as 14 days, whose last instant is included; "
        "null for no time limit.",
    )
    needs: tuple[str, ...] = Field(
        default=(),
        description="The fields that have to be filled in, such as contact.email.",
    )

    @field_validator("needs")
    @classmethod
    def _known_columns(cls, needs: tuple[str, ...]) -> tuple[str, ...]:
        for field in needs:
            rule_column(field)
        return needs
